import { MapAccumulator } from '../../src/engine/calibration/statistics';
import type { Calibration } from '../../src/engine/calibration/types';
import { evaluateFloat } from '../../src/engine/graph/evaluate';
import type { Graph, MapId } from '../../src/engine/graph/types';
import type { BitDecisions, InputFormat } from '../../src/engine/quantize/quantizeGraph';
import { mulberry32 } from './graphBuilder';

/** An image's pixels and what the float network makes of them. */
export interface GraphSample {
  readonly pixels: Uint8Array[];
  readonly maps: ReadonlyMap<MapId, Float32Array>;
}

/** Inputs are pixels worth (u − 128) / 64. */
export function pixelInput(graph: Graph): ReadonlyMap<MapId, InputFormat> {
  return new Map(
    graph.inputs.map(({ map }) => [
      map,
      {
        format: { bits: 8, signed: false, scales: Float64Array.of(1 / 64), zeroPoints: Int32Array.of(128) },
        offset: new Float64Array(1),
      },
    ]),
  );
}

/** Smooth random images and the float network's maps for them. */
export function graphSamples(graph: Graph, count: number, seed: number): GraphSample[] {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => {
    const pixels = graph.inputs.map(({ map }) => {
      const { h, w, c } = graph.maps[map].shape;
      const phase = random() * 6;
      return Uint8Array.from({ length: h * w * c }, (_, i) =>
        Math.max(0, Math.min(255, 128 + 70 * Math.sin(i / (3 * c) + phase + (i % c)) + 50 * random())),
      );
    });
    const reals = pixels.map((p) => Float32Array.from(p, (u) => (u - 128) / 64));
    return { pixels, maps: evaluateFloat(graph, reals) };
  });
}

/** Calibration as the pipeline would have it, from the float evaluation of the graph itself. */
export function calibrateGraph(graph: Graph, samples: readonly GraphSample[]): Calibration {
  const accumulators = graph.maps.map((m) => new MapAccumulator(m));
  for (const { maps } of samples) graph.maps.forEach((m, i) => accumulators[i].add(maps.get(m.id)!, 'HWC'));
  return {
    key: '',
    images: samples.length,
    inputKind: 'uint8',
    maps: new Map(accumulators.map((a, i) => [i, a.finish()])),
    patches: null,
  };
}

export const all8: BitDecisions = { mapBits: () => 8, weightBits: () => 8, inputBits: () => 8 };
