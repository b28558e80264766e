import type { Graph, MapId } from '../graph/types';
import { isWeighted } from '../graph/types';
import type { MapStatistics } from '../calibration/types';
import type { ScaleComponent } from './components';
import type { BitDecisions } from './quantizeGraph';
import type { FormatTies } from './ties';
import type { MapFormat } from './types';

/**
 * A detector's outputs, whose channels mean different things and so have their own formats: per channel the least
 * value that matters.
 */
export type HeadMaps = ReadonlyMap<MapId, Float64Array>;

/** Room beyond the values that calibration saw, as a share of them. */
const HEADROOM = 0.1;

/**
 * Format of a detector's output: a scale and a zero point for each channel, over the range that calibration saw and
 * that matters. One scale for sizes, whose range is small, and logits, whose range is large, would move the borders of
 * boxes by a tenth of their size.
 *
 * @returns null where the maps are not outputs of that kind, or other layers read them
 */
export function headFormat(
  graph: Graph,
  component: ScaleComponent,
  ties: FormatTies,
  bits: BitDecisions,
  statistics: (map: MapId) => MapStatistics,
): Map<MapId, MapFormat> | null {
  const { heads } = bits;
  if (!heads || component.maps.some((m) => bits.mapBits(m) !== 8)) return null;
  for (const m of component.maps) {
    const { producer, consumers } = graph.maps[m];
    if (!heads.has(m) || consumers.length > 0 || !ties.signed[m]) return null;
    if (producer === null || !isWeighted(graph.layers[producer])) return null;
  }
  const low = new Float64Array(component.groups);
  const high = new Float64Array(component.groups);
  component.maps.forEach((m, i) => {
    const { min, max } = statistics(m);
    const least = heads.get(m)!;
    component.groupOf[i].forEach((g, c) => {
      low[g] = Math.min(low[g], Math.max(min[c] * (min[c] < 0 ? 1 + HEADROOM : 1), least[c]));
      high[g] = Math.max(high[g], max[c] * (1 + HEADROOM));
    });
  });
  const scales = low.map((l, g) => Math.max(high[g] - l, 1e-6) / 255);
  const zeroPoints = Int32Array.from(low, (l, g) => Math.round(-128 - l / scales[g]));
  return new Map(
    component.maps.map((m, i) => [
      m,
      {
        bits: 8,
        signed: true,
        scales: Float64Array.from(component.groupOf[i], (g) => scales[g]),
        zeroPoints: Int32Array.from(component.groupOf[i], (g) => zeroPoints[g]),
      },
    ]),
  );
}
