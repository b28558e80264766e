import type { MapStatistics } from '../calibration/types';
import { UserError } from '../common/errors';
import type { Graph, MapId } from '../graph/types';
import type { ScaleComponent } from './components';
import type { BitDecisions } from './quantizeGraph';
import type { MapFormat } from './types';

/** Code of 1 where every probability can occur. */
const ONE = 256;
/** The largest code of 1 whose product with a 16-bit exponential the kernel can round in 32 bits. */
const MOST = 32768;
/** So many times the largest probability that calibration saw can be represented: a few images say little about the
 * next one. */
const ROOM = 2;

/**
 * Format of what a Softmax writes: scale 1/one, zero point 0. Shares of many positions or channels are all small, and
 * of scale 1/256 they would have few codes: the scale follows the largest one that calibration saw, and one beyond
 * {@link ROOM} times that saturates.
 *
 * The scale stays 1/256 where a larger one was seen; for a vector that the network ends in, whose values are the
 * probabilities of classes: the application expects any of them up to 1, and of two that saturate neither wins; and
 * for a detector's outputs, whose scores are small on images without objects.
 *
 * @returns null where no map of the component comes from a Softmax
 */
export function softmaxFormat(
  graph: Graph,
  { maps }: ScaleComponent,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): MapFormat | null {
  const writes = (m: MapId): boolean => graph.layers.some((layer) => layer.kind === 'softmax' && layer.output === m);
  const softmax = maps.find(writes);
  if (softmax === undefined) return null;
  if (bits.mapBits(softmax) !== 8)
    throw new UserError(`Feature map "${graph.maps[softmax].name}" is the output of Softmax and needs 8 bits.`);
  const isScore = ({ map }: Graph['outputs'][number]): boolean =>
    maps.includes(map) && (bits.heads?.has(map) === true || graph.maps[map].shape.h * graph.maps[map].shape.w === 1);
  const largest = maps.reduce((most, m) => statistics(m).max.reduce((a, b) => Math.max(a, b), most), 0);
  const one = graph.outputs.some(isScore) ? ONE : Math.floor((ONE - 1) / (ROOM * largest));
  return {
    bits: 8,
    signed: false,
    scales: Float64Array.of(1 / Math.max(ONE, Math.min(MOST, one))),
    zeroPoints: new Int32Array(1),
  };
}
