import type { MapStatistics } from '../calibration/types';
import { codeRange } from '../quantize/histogramError';
import type { MapFormat } from '../quantize/types';

/**
 * H(i, b): Shannon entropy, in bits, of the distribution of a feature map's codes over the calibration set, all channels together as they are stored.
 *
 * Codes are counted from the histograms: values spread evenly within a bin, except those that were exactly 0, which all have the code of 0.
 *
 * @param format of the map at b bits; scales and zero points for all channels or one per channel
 */
export function codeEntropy(statistics: MapStatistics, format: MapFormat): number {
  const probabilities = codeDistribution(statistics, format);
  let entropy = 0;
  for (const p of probabilities) if (p > 0) entropy -= p * Math.log2(p);
  return Math.max(0, entropy);
}

/** Ω(i, b) = (H(i, 8) − H(i, b)) / H(i, 8): the share of its information that the map loses at b bits. 0 for a map without any. */
export function entropyChange(entropy8: number, entropy: number): number {
  return entropy8 <= 0 ? 0 : (entropy8 - entropy) / entropy8;
}

/** Probability of each code, lowest code first; they sum to 1. */
export function codeDistribution(statistics: MapStatistics, format: MapFormat): Float64Array {
  const { min, max } = codeRange(format.bits, format.signed);
  const probabilities = new Float64Array(max - min + 1);
  const channels = statistics.shape.c;
  const { bins, histograms, zeros } = statistics;
  for (let c = 0; c < channels; c++) {
    const scale = format.scales[format.scales.length === 1 ? 0 : c];
    const zeroPoint = format.zeroPoints[format.zeroPoints.length === 1 ? 0 : c];
    const row = histograms.subarray(c * bins, (c + 1) * bins);
    const total = row.reduce((a, b) => a + b, 0);
    if (total === 0) continue;
    const unit = 1 / (total * channels);
    const zeroCount = zeros?.[c] ?? 0;
    const zeroBin = Math.min(bins - 1, Math.max(0, Math.floor(-statistics.lo[c] / statistics.width[c])));
    if (zeroCount > 0) probabilities[Math.min(max, Math.max(min, zeroPoint)) - min] += zeroCount * unit;
    for (let k = 0; k < bins; k++) {
      const n = row[k] - (k === zeroBin ? Math.min(zeroCount, row[k]) : 0);
      if (n === 0) continue;
      // Values of the bin, cut to those that occurred, in units of codes: code q is everything in [q − ½, q + ½).
      const from = Math.max(statistics.min[c], statistics.lo[c] + k * statistics.width[c]);
      const to = Math.min(statistics.max[c], statistics.lo[c] + (k + 1) * statistics.width[c]);
      spreadOver(probabilities, min, max, from / scale + zeroPoint + 0.5, to / scale + zeroPoint + 0.5, n * unit);
    }
  }
  return probabilities;
}

/** Adds `mass`, evenly spread over [from, to), to the codes floor(from) … floor(to), saturating at min and max. */
function spreadOver(probabilities: Float64Array, min: number, max: number, from: number, to: number, mass: number): void {
  const clamp = (q: number): number => Math.min(max, Math.max(min, q));
  const first = Math.floor(from);
  const last = Math.floor(to);
  if (!(to > from) || clamp(first) === clamp(last)) {
    probabilities[clamp(first) - min] += mass;
    return;
  }
  const density = mass / (to - from);
  const low = clamp(first);
  const high = clamp(last);
  for (let q = low; q <= high; q++) {
    const begin = q === low ? from : q;
    const end = q === high ? to : q + 1;
    probabilities[q - min] += density * (end - begin);
  }
}
