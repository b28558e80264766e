import type { Calibration, MapStatistics } from '../calibration/types';
import { UserError } from '../common/errors';
import { isWeighted, type Graph, type Layer, type LayerId, type MapId, type WeightedLayer } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import { scaleComponents, type ScaleComponent } from './components';
import { equalizeScales } from './equalize';
import { centeredZeroPoints, channelCenters, recenter } from './centering';
import { correctBias } from './correctBias';
import { codeRange } from './histogramError';
import { outputFormat } from './outputFormat';
import { baseScales, type CodeType } from './scales';
import { headFormat, type HeadMaps } from './headFormat';
import { softmaxFormat } from './softmaxFormat';
import { QuantizedParts, type LayerParts } from './quantizedParts';
import { formatTies, type FormatTies } from './ties';
import type { LayerParameters, MapFormat, QuantizedParameters } from './types';
import { roundWeights } from './weights';

/** The bits that a plan gives to every map and layer. */
export interface BitDecisions {
  /** Bits that the map is stored with. */
  mapBits(map: MapId): Bits;
  weightBits(layer: LayerId): WeightBits;
  /** Bits that the layer reads its input with; at most those it is stored with. */
  inputBits(layer: LayerId): Bits;
  /** A detector's outputs, whose channels have their own formats. */
  readonly heads?: HeadMaps;
}

/** How the application's input codes represent real values. */
export interface InputFormat {
  readonly format: MapFormat;
  /** Real value of the code `zeroPoints[c]`: what is left of the mean after rounding the zero point. [C] or [1]. */
  readonly offset: Float64Array;
}

/**
 * Scales of all feature maps and integer weights of all layers, from calibration statistics and bit decisions:
 * per-channel scales of least error, equalized against the weights that they are folded into, weights rounded to
 * nearest.
 *
 * @param oneScale maps that need one scale for all channels, see {@link formatTies}
 * @param parts what was quantized before of the same graph, calibration, inputs and heads
 * @throws UserError if the calibration does not cover the graph
 */
export function quantizeGraph(
  graph: Graph,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  bits: BitDecisions,
  oneScale?: ReadonlySet<MapId>,
  parts = new QuantizedParts(),
): QuantizedParameters {
  const { ties, components } = parts.components(oneScale, () => {
    const made = formatTies(graph, oneScale, bits.heads);
    return { ties: made, components: scaleComponents(graph, made) };
  });
  const statistics = (map: MapId): MapStatistics => {
    const s = calibration.maps.get(map);
    if (!s)
      throw new UserError(
        `No calibration statistics for feature map "${graph.maps[map].name}". Calibrate the model again.`,
      );
    return s;
  };
  const formats = new Map<MapId, MapFormat>();
  for (const { component, formats: known } of components) {
    const made = known.get(bits, (asked) => componentFormats(graph, component, ties, inputs, statistics, asked));
    for (const [map, format] of made) formats.set(map, format);
  }
  const views = new Map<LayerId, MapFormat>();
  const layers = new Map<LayerId, LayerParameters>();
  for (const layer of graph.layers) {
    if (!isWeighted(layer)) continue;
    const stored = formats.get(layer.inputs[0])!;
    const { view, parameters } = parts
      .layer(layer.id, stored)
      .get(bits, (asked) => quantizeLayer(graph, layer, stored, inputs, statistics, asked));
    if (view) views.set(layer.id, view);
    layers.set(layer.id, parameters);
  }
  return { formats, views, layers };
}

function quantizeLayer(
  graph: Graph,
  layer: WeightedLayer,
  stored: MapFormat,
  inputs: ReadonlyMap<MapId, InputFormat>,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): LayerParts {
  const source = layer.inputs[0];
  const read = bits.inputBits(layer.id);
  const weightBits = bits.weightBits(layer.id);
  const view = read < stored.bits ? viewFormat(graph, layer, read, stored, statistics, weightBits) : null;
  const format = view ?? stored;
  const offset = inputs.get(source)?.offset ?? null;
  const { min, max } = statistics(layer.output);
  const span = Math.max(...min.map(Math.abs), ...max.map(Math.abs));
  const rounded = roundWeights(graph, layer, weightBits, format, offset, span);
  return { view, parameters: correctBias(graph, layer, rounded, format, statistics(source)) };
}

function componentFormats(
  graph: Graph,
  component: ScaleComponent,
  ties: FormatTies,
  inputs: ReadonlyMap<MapId, InputFormat>,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): Map<MapId, MapFormat> {
  const result = new Map<MapId, MapFormat>();
  const input = component.maps.findIndex((m) => inputs.has(m));
  if (input >= 0) return tiedToInput(component, input, inputs.get(component.maps[input])!.format, statistics);
  const shares = softmaxFormat(graph, component, statistics, bits);
  if (shares) {
    for (const m of component.maps) result.set(m, shares);
    return result;
  }
  const head = headFormat(graph, component, ties, bits, statistics);
  if (head) return head;
  // A zero point may be more of a product's units than 32 bits hold where its factors have 16.
  const isPlain = component.maps.some((m) => multipliesWide(graph, m, bits));
  const skewed = isPlain ? null : skewedFormats(graph, component, ties, statistics, bits);
  if (skewed) return skewed;
  const leaving = isPlain ? null : outputFormat(graph, component, ties, statistics, bits);
  if (leaving) {
    for (const m of component.maps) result.set(m, leaving);
    return result;
  }
  const types = component.maps.map((m) => codeType(graph, m, component, ties, statistics, bits));
  const base = baseScales(component, statistics, types);
  const scales = equalizeScales(graph, component, base, (map) => readersAt(graph, map, bits), statistics, types);
  component.maps.forEach((m, i) => {
    const perChannel = Float64Array.from(component.groupOf[i], (g) => scales[g] * base.factors[i]);
    result.set(m, {
      bits: types[i].bits,
      signed: types[i].signed,
      scales: perChannel.every((s) => s === perChannel[0]) ? perChannel.slice(0, 1) : perChannel,
      zeroPoints: Int32Array.of(types[i].zeroPoint ?? 0),
      ...reachOf(types[i]),
    });
  });
  return result;
}

/** Channels whose negative side is a larger share of the positive one than this quantile's are clipped there. */
const SKEW_QUANTILE = 0.7;

/**
 * Codes of a map. Behind a LeakyRelu whose channels have their own scales they are unsigned with a common zero
 * point: the negative side is short, and symmetric codes would pay a whole bit for it.
 */
function codeType(
  graph: Graph,
  map: MapId,
  { groups, proportional }: ScaleComponent,
  ties: FormatTies,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): CodeType {
  const width = bits.mapBits(map);
  if (width === 16) return { bits: 16, signed: true, reach: ties.reach[map] };
  const type = { bits: width, signed: ties.signed[map] };
  const layer = producer(graph, map);
  if (groups === 1 || !proportional || layer?.kind !== 'activation' || !type.signed) return type;
  const { min, max } = statistics(map);
  const shares = Array.from(min, (low, c) => -low / (max[c] - low)).filter((share) => Number.isFinite(share));
  shares.sort((a, b) => a - b);
  const share = Math.min(shares[Math.floor(SKEW_QUANTILE * shares.length)] ?? 0.5, 0.5);
  const top = codeRange(type.bits, false).max;
  return { bits: type.bits, signed: false, zeroPoint: Math.max(1, Math.round(share * top)) };
}

/**
 * The application gives the codes: every channel tied to one of the input's has its scale and zero point. Channels that
 * a concatenation brings beside them get their own, over the range that calibration saw.
 */
function tiedToInput(
  component: ScaleComponent,
  input: number,
  format: MapFormat,
  statistics: (map: MapId) => MapStatistics,
): Map<MapId, MapFormat> {
  const at = (list: ArrayLike<number>, c: number): number => list[list.length === 1 ? 0 : c];
  const scales = new Float64Array(component.groups);
  const zeroPoints = new Int32Array(component.groups);
  component.groupOf[input].forEach((g, c) => {
    scales[g] = at(format.scales, c);
    zeroPoints[g] = at(format.zeroPoints, c);
  });
  if (scales.includes(0)) {
    const low = new Float64Array(component.groups);
    const high = new Float64Array(component.groups);
    component.maps.forEach((m, i) => {
      const seen = statistics(m);
      component.groupOf[i].forEach((g, c) => {
        low[g] = Math.min(low[g], seen.min[c]);
        high[g] = Math.max(high[g], seen.max[c]);
      });
    });
    const { min, max } = codeRange(format.bits, format.signed);
    for (let g = 0; g < scales.length; g++) {
      if (scales[g] !== 0) continue;
      scales[g] = Math.max(high[g] - low[g], 1e-6) / (max - min);
      zeroPoints[g] = min + Math.round(-low[g] / scales[g]);
    }
  }
  return new Map(
    component.maps.map((m, i) => {
      const groups = component.groupOf[i];
      const sameOrder =
        groups.length === component.groupOf[input].length && groups.every((g, c) => g === component.groupOf[input][c]);
      return [
        m,
        sameOrder
          ? format
          : {
              ...format,
              scales: Float64Array.from(groups, (g) => scales[g]),
              zeroPoints: Int32Array.from(groups, (g) => zeroPoints[g]),
            },
      ];
    }),
  );
}

/**
 * Functions such as hard-swish or LeakyRelu have a short negative side that symmetric codes would pay a whole bit for:
 * their outputs get unsigned codes with a zero point, over one range of values; maps that only a sum joins may differ
 * in bits. Null where that does not apply.
 */
function skewedFormats(
  graph: Graph,
  component: ScaleComponent,
  ties: FormatTies,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): Map<MapId, MapFormat> | null {
  if (component.groups !== 1 || !component.maps.every((m) => ties.signed[m] && bits.mapBits(m) <= 8)) return null;
  if (!component.maps.some((m) => producer(graph, m)?.kind === 'activation')) return null;
  if (component.maps.some((m) => graph.maps[m].consumers.some((l) => graph.layers[l].kind === 'prelu'))) return null;
  let low = 0;
  let high = 0;
  for (const m of component.maps) {
    const s = statistics(m);
    for (let c = 0; c < s.shape.c; c++) {
      low = Math.min(low, s.min[c]);
      high = Math.max(high, s.max[c]);
    }
  }
  if (!(high > 0) || -low > high / 2) return null;
  const format = (width: Bits): MapFormat => {
    const scale = (high - low) / codeRange(width, false).max;
    return {
      bits: width,
      signed: false,
      scales: Float64Array.of(scale),
      zeroPoints: Int32Array.of(Math.round(-low / scale)),
    };
  };
  return new Map(component.maps.map((m) => [m, format(bits.mapBits(m))]));
}

/** Whether a map is the product of others, one of 16 bits. */
function multipliesWide(graph: Graph, map: MapId, bits: BitDecisions): boolean {
  const layer = producer(graph, map);
  return layer?.kind === 'mul' && layer.inputs.some((m) => bits.mapBits(m) === 16);
}

function producer(graph: Graph, map: MapId): Layer | null {
  const id = graph.maps[map].producer;
  return id === null ? null : graph.layers[id];
}

/** Weighted layers that read the map as it is stored (not through a view). */
function readersAt(graph: Graph, map: MapId, bits: BitDecisions): { layer: WeightedLayer; weightBits: WeightBits }[] {
  const result: { layer: WeightedLayer; weightBits: WeightBits }[] = [];
  for (const id of graph.maps[map].consumers) {
    const layer = graph.layers[id];
    if (isWeighted(layer) && bits.inputBits(id) >= bits.mapBits(map))
      result.push({ layer, weightBits: bits.weightBits(id) });
  }
  return result;
}

/** Format of the copy with fewer bits that one layer reads. */
function viewFormat(
  graph: Graph,
  layer: WeightedLayer,
  read: Bits,
  stored: MapFormat,
  statistics: (map: MapId) => MapStatistics,
  weightBits: WeightBits,
): MapFormat {
  const map = layer.inputs[0];
  const channels = graph.maps[map].shape.c;
  const component: ScaleComponent = {
    maps: [map],
    groups: channels,
    groupOf: [Int32Array.from({ length: channels }, (_, c) => c)],
    proportional: false,
  };
  const signed = stored.signed || stored.zeroPoints.some((z) => z !== 0);
  const types: CodeType[] = [{ bits: read, signed }];
  const centers = signed ? channelCenters(statistics(map), read) : new Float64Array(channels);
  const centered = recenter(statistics(map), centers);
  const base = baseScales(component, () => centered, types);
  const scales = equalizeScales(
    graph,
    component,
    base,
    () => [{ layer, weightBits }],
    () => centered,
    types,
  );
  return {
    bits: read,
    signed,
    scales,
    zeroPoints: signed ? centeredZeroPoints(centers, scales, read, padsInput(layer)) : new Int32Array(1),
  };
}

function padsInput(layer: WeightedLayer): boolean {
  if (layer.kind === 'fullyConnected') return false;
  const { top, left, bottom, right } = layer.window.padding;
  return top + left + bottom + right > 0;
}

function reachOf({ reach }: CodeType): Pick<MapFormat, 'reach'> {
  return reach === undefined ? {} : { reach };
}
