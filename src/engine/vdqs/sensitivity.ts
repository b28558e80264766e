import type { Calibration } from '../calibration/types';
import { spread } from '../calibration/samples';
import { compensate, selectTargets, type FloatTargets } from '../compensate/compensate';
import { compensateLayer } from '../compensate/compensateLayer';
import { USUAL_DAMPING } from '../compensate/damping';
import { LayerStream, type CodeChange } from '../compensate/layerStream';
import { gatherTaps } from '../compensate/layerTaps';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import { decodePort } from '../program/ports';
import { checkCancelled, type Progress } from '../common/progress';
import { codeTables } from '../quantize/codeTables';
import { quantizeGraph, type InputFormat } from '../quantize/quantizeGraph';
import type { LayerParameters, MapFormat, QuantizedParameters } from '../quantize/types';
import type { OutputLoss } from './loss';
import type { DecisionUnit } from './units';

/** How much the network's output changes when only one thing has fewer bits. */
export interface Sensitivities {
  /** By index of the decision, then bits (8: 0). */
  readonly units: readonly ReadonlyMap<Bits, number>[];
  /** By layer: with 4-bit weights. */
  readonly weights: ReadonlyMap<LayerId, number>;
}

/** Images that the output is compared on. */
export const SENSITIVITY_IMAGES = 16;
/** Images that the layers are fitted on: single layers need fewer than the final fit of all. */
const FIT_IMAGES = 32;

/** One layer with other bits than the 8-bit network's. */
interface Variant {
  readonly format: MapFormat;
  readonly parameters: LayerParameters;
}

type Variants = ReadonlyMap<LayerId, ReadonlyMap<string, Variant>>;

const keyOf = (read: Bits, weights: WeightBits): string => `${read}/${weights}`;

/**
 * Measures every decision by itself, after error compensation: the network runs at 8 bits with compensated weights;
 * then for each decision only the layers that it concerns are replaced by ones that read fewer bits, or have 4-bit
 * weights, and are compensated for that, and what depends on them runs again. The measure is the divergence of the
 * outputs from those at 8 bits, see {@link OutputLoss}, on images that nothing was fitted to where there are
 * enough.
 *
 * Errors of weights are the same for every input, and the layers behind are fitted to make up for them; errors of
 * feature maps are noise that adds up. So each kind is scaled such that the sum over all decisions is what is measured
 * when all are taken at once.
 *
 * @param images so many images are compared
 * @throws CancelledError
 */
export function measureSensitivities(
  graph: Graph,
  loss: OutputLoss,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  targets: FloatTargets,
  images: number,
  progress: Progress,
): Sensitivities {
  const rounded = new Map<string, QuantizedParameters>();
  const parametersAt = (read: Bits, weights: WeightBits): QuantizedParameters => {
    const key = keyOf(read, weights);
    const parameters = rounded.get(key) ?? quantizeAll(graph, calibration, inputs, units, read, weights);
    rounded.set(key, parameters);
    return parameters;
  };
  const { fitted, compared } = splitImages(targets.images.length, images);
  const fit = selectTargets(targets, fitted);
  const { base, variants } = compensatedVariants(graph, units, bits, parametersAt, fit, progress);
  const samples = compared.map((i) => targets.images[i].inputs);
  const stream = new LayerStream(graph, base, samples);
  const outputs = (s: LayerStream, bytes: readonly Uint8Array[]): Float32Array[] =>
    bytes.map((b, i) => decodePort(s.program, s.program.outputs[i], b));
  runAll(stream, samples.length, progress);
  const reference = samples.map((_, image) => outputs(stream, stream.rerun(image, {})));
  const divergence = (layers: readonly LayerId[], key: string): number => {
    const changes = layers.map((id) => ({ id, step: stream.stepOf(id), variant: variants.get(id)!.get(key)! }));
    const kernels = new Map(
      changes.map((c) => [c.step, stream.kernelWith(c.step, c.variant.parameters, c.variant.format)]),
    );
    const beforeRead = new Map(
      changes.map((c) => [c.step, conversion(base.formats.get(graph.layers[c.id].inputs[0])!, c.variant.format)]),
    );
    return loss.divergence(
      reference,
      samples.map((_, image) => outputs(stream, stream.rerun(image, { kernels, beforeRead }))),
    );
  };
  const joint = (read: Bits, weights: WeightBits): number => {
    const together = compensate(graph, parametersAt(read, weights), fit, progress, USUAL_DAMPING);
    const all = new LayerStream(graph, together, samples);
    runAll(all, samples.length, progress);
    return loss.divergence(
      reference,
      samples.map((_, image) => outputs(all, all.rerun(image, {}))),
    );
  };
  const low = bits.filter((b) => b < 8);
  const layers = graph.layers.filter(isWeighted);
  const total = units.length * low.length + layers.length;
  let done = 0;
  const next = (): void => {
    checkCancelled(progress);
    progress.report('Measuring sensitivities', done++, total);
  };
  const weights = new Map<LayerId, number>();
  for (const { id } of layers) {
    next();
    weights.set(id, divergence([id], keyOf(8, 4)));
  }
  const byUnit = units.map((unit) => {
    const result = new Map<Bits, number>([[8, 0]]);
    for (const b of low) {
      next();
      result.set(b, unit.readers.length > 0 ? divergence(unit.readers, keyOf(b, 8)) : 0);
    }
    return result;
  });
  const rescale = (sum: number, together: number): number => (sum > 0 && together > 0 ? together / sum : 1);
  const byWeights = rescale(
    [...weights.values()].reduce((a, b) => a + b, 0),
    joint(8, 4),
  );
  const byBits = new Map(
    low.map((b) => [
      b,
      rescale(
        byUnit.reduce((sum, u) => sum + u.get(b)!, 0),
        joint(b, 8),
      ),
    ]),
  );
  return {
    units: byUnit.map((u) => new Map([...u].map(([b, loss]) => [b, b === 8 ? 0 : loss * byBits.get(b)!]))),
    weights: new Map([...weights].map(([id, loss]) => [id, loss * byWeights])),
  };
}

/**
 * Which images layers are fitted on and which are compared: different ones, both from everywhere in the folder, unless
 * there are too few for that.
 */
function splitImages(count: number, images: number): { fitted: number[]; compared: number[] } {
  const all = Array.from({ length: count }, (_, i) => i);
  const fitted = spread(count, FIT_IMAGES);
  const others = all.filter((i) => !fitted.includes(i));
  return others.length >= images
    ? { fitted, compared: spread(others.length, images).map((i) => others[i]) }
    : { fitted, compared: spread(count, images) };
}

function runAll(stream: LayerStream, images: number, progress: Progress): void {
  for (let step = 0; step < stream.length; step++) {
    checkCancelled(progress);
    for (let image = 0; image < images; image++) stream.run(step, image);
  }
}

/** Fits every layer, at 8 bits and in all its variants, to what the 8-bit network before it gives. */
function compensatedVariants(
  graph: Graph,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  parametersAt: (read: Bits, weights: WeightBits) => QuantizedParameters,
  targets: FloatTargets,
  progress: Progress,
): { base: QuantizedParameters; variants: Variants } {
  const wide = parametersAt(8, 8);
  const kinds = [
    { read: 8, weights: 4 } as const,
    ...bits.filter((b) => b < 8).map((read) => ({ read, weights: 8 }) as const),
  ].map((k) => ({ ...k, parameters: parametersAt(k.read, k.weights) }));
  const read = new Set(units.flatMap((u) => u.readers));
  const layers = new Map<LayerId, LayerParameters>(wide.layers);
  const variants = new Map<LayerId, Map<string, Variant>>();
  const stream = new LayerStream(
    graph,
    wide,
    targets.images.map((i) => i.inputs),
  );
  for (let step = 0; step < stream.length; step++) {
    checkCancelled(progress);
    progress.report('Compensating at each bitwidth', step, stream.length);
    const id = stream.weightedLayer(step);
    if (id !== null) {
      const map = graph.layers[id].inputs[0];
      const stored = wide.formats.get(map)!;
      const samples = targets.layers.get(id)!;
      const taps = gatherTaps(graph, samples, (image) => stream.inputCodes(step, image));
      const own = new Map<string, Variant>();
      variants.set(id, own);
      for (const kind of kinds) {
        if (kind.read < 8 && !read.has(id)) continue;
        const format = kind.parameters.views.get(id) ?? kind.parameters.formats.get(map)!;
        own.set(keyOf(kind.read, kind.weights), {
          format,
          parameters: compensateLayer(
            graph,
            kind.parameters.layers.get(id)!,
            samples,
            taps,
            stored,
            format,
            USUAL_DAMPING,
          ),
        });
      }
      const fitted = compensateLayer(graph, wide.layers.get(id)!, samples, taps, stored, stored, USUAL_DAMPING);
      layers.set(id, fitted);
      stream.replace(step, fitted);
    }
    for (let image = 0; image < targets.images.length; image++) stream.run(step, image);
    stream.release(step);
  }
  return { base: { ...wide, layers }, variants };
}

/** The network with all decisions at the same bits: scales of one map hardly depend on the bits of others. */
function quantizeAll(
  graph: Graph,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  units: readonly DecisionUnit[],
  bits: Bits,
  weights: WeightBits,
): QuantizedParameters {
  const at = (unit: DecisionUnit): Bits => Math.max(bits, unit.leastBits) as Bits;
  const maps = new Map(units.flatMap((u) => (u.kind === 'stored' ? u.maps.map((m) => [m, at(u)] as const) : [])));
  const views = new Map(units.flatMap((u) => (u.kind === 'view' ? u.readers.map((l) => [l, at(u)] as const) : [])));
  const mapBits = (map: MapId): Bits => maps.get(map) ?? 8;
  return quantizeGraph(graph, calibration, inputs, {
    mapBits,
    weightBits: (layer) => (graph.layers[layer].kind === 'fullyConnected' ? 8 : weights),
    inputBits: (layer) => views.get(layer) ?? mapBits(graph.layers[layer].inputs[0]),
  });
}

/** Changes codes of one format into codes of another for the nearest values. */
function conversion(from: MapFormat, to: MapFormat): CodeChange {
  const tables = codeTables(from, to);
  return (codes, pixels, channels) => {
    for (let c = 0; c < channels; c++) {
      const table = tables.of(c);
      for (let i = c, end = pixels * channels; i < end; i += channels) codes[i] = table[codes[i] - tables.first];
    }
  };
}
