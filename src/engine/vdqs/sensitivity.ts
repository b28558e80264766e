import type { Calibration } from '../calibration/types';
import type { FloatTargets } from '../compensate/compensate';
import { LayerStream, type CodeChange } from '../compensate/layerStream';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { Bits } from '../plan/types';
import { decodePort } from '../program/ports';
import { checkCancelled, type Progress } from '../progress';
import { codeRange } from '../quantize/histogramError';
import { quantizeGraph, type InputFormat } from '../quantize/quantizeGraph';
import { correctBias } from '../quantize/correctBias';
import type { MapFormat, QuantizedParameters } from '../quantize/types';
import { roundWeights } from '../quantize/weights';
import { outputDivergence } from './divergence';
import type { DecisionUnit } from './units';

/** How much the network's output changes when only one thing has fewer bits. */
export interface Sensitivities {
  /** By index of the decision, then bits (8: 0). */
  readonly units: readonly ReadonlyMap<Bits, number>[];
  /** By layer: with 4-bit weights. */
  readonly weights: ReadonlyMap<LayerId, number>;
}

/** Images that the output is compared on. */
export const SENSITIVITY_IMAGES = 4;

/**
 * Measures every decision by itself: the integer network runs at 8 bits once, then for each decision only what depends on it runs again with that map rounded to b
 * bits, or that layer's weights to 4. The measure is the divergence of the outputs from those at 8 bits, see {@link outputDivergence}.
 *
 * @param images first so many of the targets' images are used
 * @throws CancelledError
 */
export function measureSensitivities(
  graph: Graph,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  targets: FloatTargets,
  images: number,
  progress: Progress,
): Sensitivities {
  const wide = quantizeGraph(graph, calibration, inputs, { mapBits: () => 8, weightBits: () => 8, inputBits: () => 8 });
  const samples = targets.images.slice(0, images).map((i) => i.inputs);
  const stream = new LayerStream(graph, wide, samples);
  for (let step = 0; step < stream.length; step++) {
    checkCancelled(progress);
    for (let image = 0; image < samples.length; image++) stream.run(step, image);
  }
  const outputs = (bytes: readonly Uint8Array[]): Float32Array[] => bytes.map((b, i) => decodePort(stream.program, stream.program.outputs[i], b));
  const base = samples.map((_, image) => outputs(stream.rerun(image, {})));
  const divergence = (change: Parameters<LayerStream['rerun']>[1]): number => {
    let sum = 0;
    for (let image = 0; image < samples.length; image++) sum += outputDivergence(graph, base[image], outputs(stream.rerun(image, change)));
    return sum / samples.length;
  };
  const low = bits.filter((b) => b < 8);
  const layers = graph.layers.filter(isWeighted);
  const total = units.length * low.length + layers.length;
  let done = 0;
  const next = (): void => {
    checkCancelled(progress);
    progress.report('Measuring sensitivities', done++, total);
  };
  const narrow = new Map(low.map((b) => [b, narrowFormats(graph, calibration, inputs, units, b)]));
  const byUnit = units.map((unit) => {
    const result = new Map<Bits, number>([[8, 0]]);
    for (const b of low) {
      next();
      const formats = narrow.get(b)!;
      if (unit.kind === 'view') {
        const [reader] = unit.readers;
        const change = rounding(wide.formats.get(unit.maps[0])!, formats.views.get(reader)!);
        result.set(b, divergence({ beforeRead: new Map([[stream.stepOf(reader), change]]) }));
      } else {
        const changes = new Map(unit.maps.map((m) => [m, rounding(wide.formats.get(m)!, formats.formats.get(m)!)]));
        result.set(b, divergence({ afterWrite: (step) => changes.get(stream.writtenMap(step) ?? -1) ?? null }));
      }
    }
    return result;
  });
  const weights = new Map<LayerId, number>();
  for (const layer of layers) {
    next();
    const step = stream.stepOf(layer.id);
    const format = wide.formats.get(layer.inputs[0])!;
    const rounded = roundWeights(graph, layer, 4, format, inputs.get(layer.inputs[0])?.offset ?? null);
    const parameters = correctBias(graph, layer, rounded, format, calibration.maps.get(layer.inputs[0])!);
    weights.set(layer.id, divergence({ kernels: new Map([[step, stream.kernelWith(step, parameters)]]) }));
  }
  return { units: byUnit, weights };
}

/** Formats of all decisions at b bits at once: scales of one map hardly depend on the bits of others. */
function narrowFormats(graph: Graph, calibration: Calibration, inputs: ReadonlyMap<MapId, InputFormat>, units: readonly DecisionUnit[], bits: Bits): QuantizedParameters {
  const maps = new Set(units.flatMap((u) => (u.kind === 'stored' ? u.maps : [])));
  const views = new Set(units.flatMap((u) => (u.kind === 'view' ? u.readers : [])));
  const mapBits = (map: MapId): Bits => (maps.has(map) ? bits : 8);
  return quantizeGraph(graph, calibration, inputs, {
    mapBits,
    weightBits: () => 8,
    inputBits: (layer) => (views.has(layer) ? bits : mapBits(graph.layers[layer].inputs[0])),
  });
}

/** Rounds codes of one format to the values that another can represent. */
function rounding(from: MapFormat, to: MapFormat): CodeChange {
  const at = <T extends Float64Array | Int32Array>(a: T, c: number): number => a[a.length === 1 ? 0 : c];
  const wide = codeRange(from.bits, from.signed);
  const narrow = codeRange(to.bits, to.signed);
  return (codes, pixels, channels) => {
    for (let c = 0; c < channels; c++) {
      const scale = at(from.scales, c);
      const zero = at(from.zeroPoints, c);
      const step = at(to.scales, c);
      const stepZero = at(to.zeroPoints, c);
      const table = new Int16Array(wide.max - wide.min + 1);
      for (let q = wide.min; q <= wide.max; q++) {
        const code = Math.max(narrow.min, Math.min(narrow.max, Math.round((scale * (q - zero)) / step) + stepZero));
        table[q - wide.min] = Math.max(wide.min, Math.min(wide.max, Math.round((step * (code - stepZero)) / scale) + zero));
      }
      for (let p = 0, i = c; p < pixels; p++, i += channels) codes[i] = table[codes[i] - wide.min];
    }
  };
}
