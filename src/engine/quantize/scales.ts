import type { MapStatistics } from '../calibration/types';
import type { Bits } from '../graph/bits';
import type { ScaleComponent } from './components';
import { channelError, channelRange, codeRange } from './histogramError';

/** Smallest scale considered: keeps maps that are always zero from dividing by zero. */
const TINY = 1e-12;

/**
 * A channel's scale is at least this share of its component's largest: channels that (nearly) never fire would
 * otherwise need multipliers out of all proportion, and finer codes than that disappear in their readers' integer
 * weights anyway.
 */
const LEAST_SHARE = 2 ** -10;

/** Fractions of the observed range that are tried as the largest representable value. */
function rangeFractions(bits: Bits): readonly number[] {
  if (bits === 16) return [1];
  return bits === 8
    ? [1, 0.97, 0.94, 0.9, 0.86, 0.82, 0.77, 0.72, 0.66, 0.6]
    : [1, 0.9, 0.81, 0.73, 0.66, 0.59, 0.53, 0.48, 0.43, 0.39, 0.35, 0.31, 0.28, 0.25, 0.2, 0.15, 0.1];
}

/** Codes of 16 bits have room beyond what calibration saw, as a multiple of it: they are fine enough to spare it. */
export const WIDE_ROOM = 1.25;

/** Width and sign of a map's codes. */
export interface CodeType {
  readonly bits: Bits;
  readonly signed: boolean;
  /** Of all channels; missing: 0. Codes are unsigned then. */
  readonly zeroPoint?: number;
  /** Of 16 bits: the largest magnitude of a code. */
  readonly reach?: number;
}

/** Least scale whose codes reach all that a channel showed. */
function reachingScale(
  stats: MapStatistics,
  channel: number,
  { bits, signed, zeroPoint = 0, reach }: CodeType,
): number {
  const { min, max } = codeRange(bits, signed, reach);
  if (bits === 16) return (channelRange(stats, channel, signed) * WIDE_ROOM) / max;
  if (zeroPoint === 0) return channelRange(stats, channel, signed) / max;
  return Math.max(stats.max[channel] / (max - zeroPoint), stats.min[channel] / (min - zeroPoint), 0);
}

/** One (map, channel) of a group, with the factor that turns the group's scale into the map's. */
interface Member {
  readonly stats: MapStatistics;
  readonly type: CodeType;
  readonly channel: number;
  readonly factor: number;
}

/** Scales of a component before equalization: per group, and a factor per map. */
export interface BaseScales {
  readonly scales: Float64Array;
  readonly factors: Float64Array;
}

/**
 * Scale of least mean squared error for every group of a component (docs/algorithm.md, "Formats and
 * scales"): a grid over fractions of the observed range, errors from the calibration's histograms.
 */
export function baseScales(
  component: ScaleComponent,
  statistics: (map: number) => MapStatistics,
  types: readonly CodeType[],
): BaseScales {
  const stats = component.maps.map(statistics);
  const factors = component.proportional ? normalizers(stats, types) : new Float64Array(component.maps.length).fill(1);
  const members: Member[][] = Array.from({ length: component.groups }, () => []);
  stats.forEach((s, i) => {
    component.groupOf[i].forEach((g, channel) =>
      members[g].push({ stats: s, type: types[i], channel, factor: factors[i] }),
    );
  });
  const scales = Float64Array.from(members, bestScale);
  const largest = scales.reduce((a, b) => Math.max(a, b), 0);
  // A map that was 0 on all samples: any scale represents it. Of 16 bits one that leaves readers fine steps.
  const least = types.every((type) => type.bits === 16) ? 2 ** -15 : 1;
  const floor = largest > TINY ? largest * LEAST_SHARE : least;
  for (let g = 0; g < scales.length; g++) scales[g] = Math.max(scales[g], floor);
  if (component.proportional)
    stats.forEach((s, i) => (factors[i] *= bestFactor(s, component.groupOf[i], scales, factors[i], types[i])));
  return { scales, factors };
}

/** Fit of one group: the scale among the grid's that makes the least error over all members. */
function bestScale(members: readonly Member[]): number {
  let full = 0;
  let bits: Bits = 16;
  for (const m of members) {
    full = Math.max(full, reachingScale(m.stats, m.channel, m.type) / m.factor);
    if (m.type.bits < bits) bits = m.type.bits;
  }
  if (!(full > TINY)) return TINY;
  let best = full;
  let least = Infinity;
  for (const fraction of rangeFractions(bits)) {
    const scale = full * fraction;
    let error = 0;
    for (const m of members)
      error +=
        channelError(m.stats, m.channel, scale * m.factor, m.type.zeroPoint ?? 0, m.type.bits, m.type.signed) /
        (m.factor * m.factor);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/** Typical channel scale of each map, so that maps of one proportional component compare channel by channel. */
function normalizers(stats: readonly MapStatistics[], types: readonly CodeType[]): Float64Array {
  return Float64Array.from(stats, (s, i) => {
    let sum = 0;
    const c = s.shape.c;
    for (let k = 0; k < c; k++) sum += reachingScale(s, k, types[i]);
    return Math.max(sum / c, TINY);
  });
}

/** Factor on a map's scales that makes its own error least, given the common pattern. */
function bestFactor(
  stats: MapStatistics,
  groupOf: Int32Array,
  scales: Float64Array,
  factor: number,
  { bits, signed, zeroPoint = 0 }: CodeType,
): number {
  let best = 1;
  let least = Infinity;
  for (const f of [1.25, 1.1, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]) {
    let error = 0;
    for (let c = 0; c < groupOf.length; c++)
      error += channelError(stats, c, scales[groupOf[c]] * factor * f, zeroPoint, bits, signed);
    if (error < least) {
      least = error;
      best = f;
    }
  }
  return best;
}
