import type { MapStatistics } from '../calibration/types';
import type { Graph, Layer, LayerId, MapId } from '../graph/types';
import type { ScaleComponent } from './components';
import { channelError, codeRange } from './histogramError';
import { baseScales } from './scales';
import type { BitDecisions } from './quantizeGraph';
import type { FormatTies } from './ties';
import type { MapFormat } from './types';

/**
 * Room beyond the values that calibration saw, as a share of them. The scores of a few images say little about how
 * large the next image's are, and a score that is cut off is a wrong answer.
 */
const HEADROOM = 0.1;

/**
 * What leaves the network, or is read by nothing but a softmax, takes a zero point for free: it is part of the bias of
 * the layer that writes it. Scores are seldom symmetric around 0, so that symmetric codes leave up to half of their
 * range unused.
 *
 * - Vectors get codes from the least to the largest value, with {@link HEADROOM} on both sides and nothing cut off: of
 *   scores the largest matter, which a scale of least squared error cuts.
 * - Of maps of many pixels, these codes or symmetric ones of the best scale: those of less squared error.
 *
 * @returns null where other layers read the maps, where they are never negative, or have other than 8 bits
 */
export function outputFormat(
  graph: Graph,
  component: ScaleComponent,
  ties: FormatTies,
  statistics: (map: MapId) => MapStatistics,
  bits: BitDecisions,
): MapFormat | null {
  const { maps } = component;
  if (component.groups !== 1 || !maps.every((m) => ties.signed[m] && ties.leastBits[m] === 8 && bits.mapBits(m) === 8))
    return null;
  const outputs = new Set(graph.outputs.map((o) => o.map));
  const readers = maps.flatMap((m) => graph.maps[m].consumers.map((id) => graph.layers[id]));
  const moves = (layer: Layer): boolean => layer.kind === 'softmax' || maps.includes(layer.output);
  if (!readers.every(moves)) return null;
  if (!maps.some((m) => outputs.has(m)) && !readers.some((layer) => layer.kind === 'softmax')) return null;
  const producers = maps.map((m) => graph.maps[m].producer);
  // Functions have tables, and know the range of their values; PRelu reads codes without a zero point.
  const tabled = (id: LayerId | null): boolean =>
    id === null || ['activation', 'prelu'].includes(graph.layers[id].kind);
  if (producers.some(tabled)) return null;
  const stats = maps.map(statistics);
  const low = Math.min(0, ...stats.map((s) => least(s.min)));
  const high = Math.max(0, ...stats.map((s) => -least(s.max.map((v) => -v))));
  if (!(high - low > 0)) return null;
  const { min, max } = codeRange(8, true);
  const scale = ((high - low) * (1 + HEADROOM)) / (max - min);
  const zeroPoint = Math.round(min - (low * (1 + HEADROOM)) / scale);
  const isMap = maps.some((m) => graph.maps[m].shape.h * graph.maps[m].shape.w > 1);
  const format = {
    bits: 8,
    signed: true,
    scales: Float64Array.of(scale),
    zeroPoints: Int32Array.of(zeroPoint),
  } as const;
  if (!isMap) return format;
  const symmetric = baseScales(
    component,
    statistics,
    maps.map(() => ({ bits: 8, signed: true })),
  ).scales[0];
  const error = (s: number, zero: number): number =>
    stats.reduce((sum, stat) => {
      for (let c = 0; c < stat.shape.c; c++) sum += channelError(stat, c, s, zero, 8, true);
      return sum;
    }, 0);
  return error(scale, zeroPoint) < error(symmetric, 0) ? format : null;
}

function least(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}
