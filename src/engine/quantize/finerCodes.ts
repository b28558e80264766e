import type { MapStatistics } from '../calibration/types';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import { codeRange } from './histogramError';
import { WIDE_ROOM } from './scales';
import type { FormatTies } from './ties';
import type { LayerParameters, MapFormat, QuantizedParameters } from './types';
import { leastWeightScale, rowLayout } from './weights';

/** Codes of 16 bits are at most so much finer than those of 8 that they take the place of. */
const FINEST = 2 ** -8;

/** Of every map what calibration saw, by channel. */
export type MapRanges = ReadonlyMap<MapId, Pick<MapStatistics, 'min' | 'max'>>;

/**
 * A quantized network with some 8-bit maps at 16 bits and everything else as it was: the scales of a map, all by the
 * same factor, are as fine as its range and its readers' accumulators allow, and the integer weights that read it stay,
 * their scales smaller by that factor. What its outputs are nearer to the float network's is what those maps' codes
 * had cost, and nothing else; no layer is fitted again.
 *
 * @param groups representatives ({@link FormatTies.bitGroup}) of maps at 8 bits that may have 16
 */
export function withFinerCodes(
  graph: Graph,
  ranges: MapRanges,
  { bitGroup, reach }: Pick<FormatTies, 'bitGroup' | 'reach'>,
  parameters: QuantizedParameters,
  groups: ReadonlySet<MapId>,
): QuantizedParameters {
  const formats = new Map<MapId, MapFormat>(parameters.formats);
  const layers = new Map<LayerId, LayerParameters>(parameters.layers);
  for (const group of groups) {
    const maps = graph.maps.filter(({ id }) => bitGroup[id] === group).map(({ id }) => id);
    const readers = maps.flatMap((map) => graph.maps[map].consumers.filter((id) => readsStored(graph, parameters, id)));
    const factor = Math.max(
      FINEST,
      ...maps.map((map) => factorOfRange(ranges.get(map)!, parameters.formats.get(map)!, reach[map])),
    );
    for (const map of maps) {
      const { scales } = parameters.formats.get(map)!;
      formats.set(map, {
        bits: 16,
        signed: true,
        scales: scales.map((scale) => scale * factor),
        zeroPoints: new Int32Array(1),
        reach: reach[map],
      });
    }
    for (const id of readers)
      layers.set(id, readFiner(graph, layers.get(id)!, formats.get(graph.layers[id].output)!, factor));
  }
  return { ...parameters, formats, layers };
}

/** Whether a layer multiplies the codes of its input as they are stored. */
function readsStored(graph: Graph, { views }: QuantizedParameters, id: LayerId): boolean {
  return isWeighted(graph.layers[id]) && !views.has(id);
}

/** The least factor with which 16-bit codes reach all that calibration saw, with room. */
function factorOfRange({ min, max }: Pick<MapStatistics, 'min' | 'max'>, { scales }: MapFormat, reach: number): number {
  let factor = 0;
  for (let c = 0; c < min.length; c++) {
    const span = Math.max(-min[c], max[c]) * WIDE_ROOM;
    factor = Math.max(factor, span / (reach * scales[scales.length === 1 ? 0 : c]));
  }
  return factor;
}

/**
 * A layer whose input's codes stand for less by a factor. Rows of weights so small that their accumulators would not
 * hold a bias in such fine steps are rounded to coarser ones.
 *
 * @param output format of what the layer writes
 */
export function readFiner(
  graph: Graph,
  parameters: LayerParameters,
  output: MapFormat,
  factor: number,
): LayerParameters {
  const layer = graph.layers[parameters.layer];
  if (!isWeighted(layer)) return parameters;
  const { min, max } = codeRange(output.bits, output.signed, output.reach);
  const span = Math.max(max, -min) * Math.max(...output.scales);
  const codes = parameters.codes.slice();
  const { stride, count, step } = rowLayout(layer, parameters.weightScales.length);
  const weightScales = parameters.weightScales.map((scale, o) => {
    const finer = scale * factor;
    const least = leastWeightScale(parameters.bias[o], span);
    if (finer >= least) return finer;
    for (let k = 0; k < count; k++) {
      const i = o * stride + k * step;
      codes[i] = Math.round((codes[i] * finer) / least);
    }
    return least;
  });
  return { ...parameters, codes, weightScales };
}
