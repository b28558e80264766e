import type { MapStatistics } from '../calibration/types';
import type { Bits } from '../graph/bits';

/**
 * Smallest and largest code of b bits.
 * @param reach largest magnitude, where that is less
 */
export function codeRange(bits: Bits, signed: boolean, reach?: number): { min: number; max: number } {
  if (reach !== undefined) return { min: -reach, max: reach };
  return signed ? { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 } : { min: 0, max: 2 ** bits - 1 };
}

/** The codes of one channel: value = scale·(code − zeroPoint). */
export interface ChannelCodes {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly bits: Bits;
  readonly signed: boolean;
}

/** Channel c's bins: how many values each counted, its width, and the center of the first. */
function channelBins(stats: MapStatistics, c: number): { counts: Uint32Array; width: number; first: number } {
  const width = stats.width[c];
  return {
    counts: stats.histograms.subarray(c * stats.bins, (c + 1) * stats.bins),
    width,
    first: stats.lo[c] + width / 2,
  };
}

/**
 * Mean squared error that codes of b bits make on channel c of a map, from its histogram: E[(x − scale·(code(x) −
 * zeroPoint))²]. From 8 bits on the bins are at least about as wide as a code, so rounding inside the range is taken as
 * uniform (scale²/12, none at exactly 0 below half a bin); at fewer bits each bin's center is rounded.
 */
export function channelError(
  stats: MapStatistics,
  c: number,
  scale: number,
  zeroPoint: number,
  bits: Bits,
  signed: boolean,
): number {
  const { min, max } = codeRange(bits, signed);
  const low = (min - zeroPoint) * scale;
  const high = (max - zeroPoint) * scale;
  const { counts, width, first } = channelBins(stats, c);
  const uniform = (scale * scale) / 12;
  let total = 0;
  let sum = 0;
  let x = first;
  const inverse = 1 / scale;
  for (let k = 0; k < counts.length; k++, x += width) {
    const n = counts[k];
    if (n === 0) continue;
    total += n;
    let e: number;
    if (x > high) e = (x - high) * (x - high) + uniform;
    else if (x < low) e = (x - low) * (x - low) + uniform;
    else if (bits >= 8) e = Math.abs(x) <= width / 2 ? 0 : uniform;
    else {
      const d = x - Math.round(x * inverse) * scale;
      e = d * d + (Math.abs(x) <= width / 2 ? 0 : (width * width) / 12);
    }
    sum += n * e;
  }
  return total === 0 ? 0 : sum / total;
}

/**
 * As {@link channelError}, of each bin's center as it is rounded and clipped, which tells codes of few bits apart that
 * clip much from those that clip little.
 */
export function clippedError(stats: MapStatistics, c: number, codes: ChannelCodes): number {
  const { scale, zeroPoint } = codes;
  const { min, max } = codeRange(codes.bits, codes.signed);
  const { counts, width } = channelBins(stats, c);
  let total = 0;
  let sum = 0;
  for (let k = 0; k < counts.length; k++) {
    const n = counts[k];
    if (n === 0) continue;
    const x = stats.lo[c] + (k + 0.5) * width;
    const code = Math.max(min, Math.min(max, Math.round(x / scale) + zeroPoint));
    total += n;
    sum += n * (x - scale * (code - zeroPoint)) ** 2;
  }
  return total === 0 ? 0 : sum / total + (width * width) / 12;
}

/** Largest magnitude that channel c showed on the side(s) its codes can represent. */
export function channelRange(stats: MapStatistics, c: number, signed: boolean): number {
  return signed ? Math.max(Math.abs(stats.min[c]), Math.abs(stats.max[c])) : Math.max(0, stats.max[c]);
}

/** E[x²] of channel c. */
export function channelPower(stats: MapStatistics, c: number): number {
  return stats.variance[c] + stats.mean[c] * stats.mean[c];
}

/**
 * E[scale·(code(x) − zeroPoint)]: the mean that channel c has after rounding and clipping, from its histogram;
 * corrected so that without rounding it is the observed mean.
 */
export function quantizedMean(stats: MapStatistics, c: number, codes: ChannelCodes): number {
  const { scale, zeroPoint, bits } = codes;
  const { min, max } = codeRange(bits, codes.signed);
  const { counts, width, first } = channelBins(stats, c);
  let total = 0;
  let shift = 0;
  let x = first;
  for (let k = 0; k < counts.length; k++, x += width) {
    const n = counts[k];
    if (n === 0) continue;
    total += n;
    const code = Math.max(min, Math.min(max, bits >= 8 ? x / scale + zeroPoint : Math.round(x / scale) + zeroPoint));
    // Values at exactly 0 stay there; they sit in a bin whose center is not 0.
    if (Math.abs(x) > width / 2) shift += n * (scale * (code - zeroPoint) - x);
  }
  return stats.mean[c] + (total === 0 ? 0 : shift / total);
}
