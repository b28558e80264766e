import type { MapStatistics } from '../calibration/types';
import { codeRange } from '../quantize/histogramError';
import type { MapFormat } from '../quantize/types';

/**
 * H(i, b): Shannon entropy, in bits, of the distribution of a feature map's codes over the calibration set, all
 * channels together as they are stored.
 *
 * Codes are counted from the histograms: values spread evenly within a bin, except those that were exactly 0, which all
 * have the code of 0.
 *
 * @param format of the map at b bits; scales and zero points for all channels or one per channel
 */
export function codeEntropy(statistics: MapStatistics, format: MapFormat): number {
  const probabilities = codeDistribution(statistics, format);
  let entropy = 0;
  for (const p of probabilities) if (p > 0) entropy -= p * Math.log2(p);
  return Math.max(0, entropy);
}

/**
 * Ω(i, b) = (H(i, 8) − H(i, b)) / H(i, 8): the share of its information that the map loses at b bits. 0 for a map
 * without any.
 */
export function entropyChange(entropy8: number, entropy: number): number {
  return entropy8 <= 0 ? 0 : (entropy8 - entropy) / entropy8;
}

/** Probability of each code, lowest code first; they sum to 1. */
export function codeDistribution(statistics: MapStatistics, format: MapFormat): Float64Array {
  const { min, max } = codeRange(format.bits, format.signed);
  const probabilities = new Float64Array(max - min + 1);
  const channels = statistics.shape.c;
  const cumulative = new ChannelDistribution(statistics.bins);
  for (let c = 0; c < channels; c++) {
    cumulative.load(statistics, c);
    if (cumulative.total === 0) continue;
    const scale = format.scales[format.scales.length === 1 ? 0 : c];
    const zeroPoint = format.zeroPoints[format.zeroPoints.length === 1 ? 0 : c];
    const unit = 1 / (cumulative.total * channels);
    probabilities[Math.min(max, Math.max(min, zeroPoint)) - min] += cumulative.zeros * unit;
    // Code q is every value in [q − ½, q + ½) units around the zero point; the first and last take what lies beyond.
    let below = 0;
    for (let q = min; q <= max; q++) {
      const upTo = q === max ? cumulative.total - cumulative.zeros : cumulative.below((q - zeroPoint + 0.5) * scale);
      probabilities[q - min] += (upTo - below) * unit;
      below = upTo;
    }
  }
  return probabilities;
}

/** Cumulative counts of one channel's values other than 0, evenly spread within each bin. */
class ChannelDistribution {
  total = 0;
  zeros = 0;
  private min = 0;
  private max = 0;
  private lo = 0;
  private width = 0;
  /** Counts in the bins before k. */
  private readonly before: Float64Array;

  constructor(private readonly bins: number) {
    this.before = new Float64Array(bins + 1);
  }

  load(statistics: MapStatistics, c: number): void {
    const { bins } = this;
    this.min = statistics.min[c];
    this.max = statistics.max[c];
    this.lo = statistics.lo[c];
    this.width = statistics.width[c];
    this.zeros = statistics.zeros?.[c] ?? 0;
    const zeroBin = this.zeros === 0 ? -1 : Math.min(bins - 1, Math.max(0, Math.floor(-this.lo / this.width)));
    let sum = 0;
    for (let k = 0; k < bins; k++) {
      sum += statistics.histograms[c * bins + k];
      if (k === zeroBin) sum -= this.zeros;
      this.before[k + 1] = sum;
    }
    this.total = sum + this.zeros;
  }

  /** Number of values less than x. */
  below(x: number): number {
    if (x <= this.min) return 0;
    if (x > this.max) return this.before[this.bins];
    const k = Math.min(this.bins - 1, Math.floor((x - this.lo) / this.width));
    // Values of the bin lie between its edges, cut to what occurred.
    const from = Math.max(this.min, this.lo + k * this.width);
    const to = Math.min(this.max, this.lo + (k + 1) * this.width);
    const part = to > from ? Math.min(1, Math.max(0, (x - from) / (to - from))) : 1;
    return this.before[k] + part * (this.before[k + 1] - this.before[k]);
  }
}
