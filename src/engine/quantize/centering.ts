import type { MapStatistics } from '../calibration/types';
import type { Bits } from '../graph/bits';
import type { ScaleComponent } from './components';
import { clippedError, codeRange } from './histogramError';
import { baseScales } from './scales';

/**
 * Where the codes of each signed channel should be centered: at 0, at the mean, or in the middle of the range,
 * whichever makes the least squared error (docs/algorithm.md, "Formats and scales"). A channel whose mean is far from 0
 * would otherwise leave half of its few codes unused.
 *
 * @returns real values, [C]; whole steps of the scale that suits the channel best
 */
export function channelCenters(stats: MapStatistics, bits: Bits): Float64Array {
  const channels = stats.shape.c;
  const candidates = [new Float64Array(channels), stats.mean, stats.min.map((low, c) => (low + stats.max[c]) / 2)];
  const single: ScaleComponent = {
    maps: [stats.map],
    groups: channels,
    groupOf: [Int32Array.from({ length: channels }, (_, c) => c)],
    proportional: false,
  };
  const best = new Float64Array(channels);
  const least = new Float64Array(channels).fill(Infinity);
  const scalesFor = (centers: Float64Array): Float64Array =>
    baseScales(single, () => recenter(stats, centers), [{ bits, signed: true }]).scales;
  for (const wanted of candidates) {
    const steps = scalesFor(wanted);
    const centers = Float64Array.from(centeredZeroPoints(wanted, steps, bits, false), (zero, c) => -zero * steps[c]);
    // Whole steps lie beside what was wanted, and another scale may suit the channel there.
    const scales = centers.some((center) => center !== 0) ? scalesFor(centers) : steps;
    const zeros = centeredZeroPoints(centers, scales, bits, false);
    for (let c = 0; c < channels; c++) {
      const error = clippedError(stats, c, { scale: scales[c], zeroPoint: zeros[c], bits, signed: true });
      if (error >= least[c]) continue;
      least[c] = error;
      best[c] = centers[c];
    }
  }
  return best;
}

/** Statistics of the values minus a center per channel. */
export function recenter(stats: MapStatistics, centers: Float64Array): MapStatistics {
  const minus = (values: Float64Array): Float64Array => values.map((v, c) => v - centers[c]);
  return { ...stats, min: minus(stats.min), max: minus(stats.max), mean: minus(stats.mean), lo: minus(stats.lo) };
}

/**
 * Zero points that put the middle of the codes at the centers, as far as b-bit codes allow.
 *
 * @param padded the reader pads with zeros, so 0 needs its own code
 */
export function centeredZeroPoints(
  centers: Float64Array,
  scales: Float64Array,
  bits: Bits,
  padded: boolean,
): Int32Array {
  const { min, max } = codeRange(bits, true);
  const [least, most] = padded ? [min, max] : [-2 * max, 2 * max];
  return Int32Array.from(centers, (center, c) =>
    Math.max(least, Math.min(most, -Math.round(center / scales[scales.length === 1 ? 0 : c]))),
  );
}
