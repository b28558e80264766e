import type { MapStatistics, PatchStatistics } from '../engine/calibration/types';
import type { MapFormat } from '../engine/quantize/types';
import { fitGaussian } from '../engine/vdpc/gaussian';
import { valueDistribution } from '../engine/vdpc/sweep';
import { nonOutlierBand } from '../engine/vdpc/threshold';
import { codeDistribution } from '../engine/vdqs/entropy';
import type { CodesView, DistributionView } from '../protocol/details';

/** Bars of a picture: about four pixels each in the details. */
const BARS = 72;
/** Values further out than so many standard deviations share the first or last bar. */
const SHOWN_SIGMAS = 6;

/** Equal bars between two values, into which counts with their own width are spread. */
class Bars {
  readonly shares = new Float64Array(BARS);
  readonly width: number;
  private total = 0;

  constructor(
    readonly low: number,
    high: number,
  ) {
    this.width = Math.max((high - low) / BARS, 1e-30);
  }

  /** Adds `count` values spread evenly over [from, to). */
  add(from: number, to: number, count: number): void {
    if (count <= 0) return;
    this.total += count;
    const first = this.barOf(from);
    const last = this.barOf(to);
    if (first === last || !(to > from)) {
      this.shares[first] += count;
      return;
    }
    for (let bar = first; bar <= last; bar++) {
      const start = bar === first ? from : this.low + bar * this.width;
      const end = bar === last ? to : this.low + (bar + 1) * this.width;
      this.shares[bar] += (count * Math.max(0, end - start)) / (to - from);
    }
  }

  /** Shares of all values, of which `others` are in no bar. */
  normalized(others: number): number[] {
    const all = this.total + others;
    return Array.from(this.shares, (count) => (all > 0 ? count / all : 0));
  }

  private barOf(value: number): number {
    return Math.max(0, Math.min(BARS - 1, Math.floor((value - this.low) / this.width)));
  }
}

/**
 * @param channel of the map; null: all of them. @param format as the map is stored; null where only values are of
 *   interest
 */
export function mapDistribution(
  statistics: MapStatistics,
  channel: number | null,
  format: MapFormat | null,
  phi: number,
): DistributionView {
  const own = channel === null ? statistics : channelOf(statistics, channel);
  const fit = fitGaussian(own);
  const min = own.min.reduce((a, b) => Math.min(a, b), Infinity);
  const max = own.max.reduce((a, b) => Math.max(a, b), -Infinity);
  const bars = new Bars(
    Math.max(min, fit.mean - SHOWN_SIGMAS * fit.sigma),
    Math.min(max, fit.mean + SHOWN_SIGMAS * fit.sigma),
  );
  // Every channel has the same number of values, but perhaps not of counted ones.
  let zeroShare = 0;
  const channels = own.shape.c;
  for (let c = 0; c < channels; c++) {
    const counts = own.histograms.subarray(c * own.bins, (c + 1) * own.bins);
    const total = counts.reduce((a, b) => a + b, 0);
    if (total === 0) continue;
    const zeros = own.zeros?.[c] ?? 0;
    zeroShare += zeros / total / channels;
    const zeroBin = zeros === 0 ? -1 : Math.max(0, Math.min(own.bins - 1, Math.floor(-own.lo[c] / own.width[c])));
    counts.forEach((count, k) => {
      const from = Math.max(own.min[c], own.lo[c] + k * own.width[c]);
      const to = Math.min(own.max[c], own.lo[c] + (k + 1) * own.width[c]);
      bars.add(from, Math.max(from, to), (count - (k === zeroBin ? zeros : 0)) / total);
    });
  }
  return {
    low: bars.low,
    width: bars.width,
    shares: bars.normalized(zeroShare * channels),
    zeros: zeroShare,
    min,
    max,
    mean: fit.mean,
    sigma: fit.sigma,
    band: { phi, ...nonOutlierBand(fit, phi) },
    codes: format && mapCodes(own, channel === null ? format : channelFormat(format, channel)),
  };
}

function channelOf(statistics: MapStatistics, c: number): MapStatistics {
  const one = (values: Float64Array): Float64Array => values.subarray(c, c + 1);
  return {
    ...statistics,
    shape: { ...statistics.shape, c: 1 },
    min: one(statistics.min),
    max: one(statistics.max),
    mean: one(statistics.mean),
    variance: one(statistics.variance),
    lo: one(statistics.lo),
    width: one(statistics.width),
    histograms: statistics.histograms.subarray(c * statistics.bins, (c + 1) * statistics.bins),
    zeros: statistics.zeros?.subarray(c, c + 1),
  };
}

function channelFormat(format: MapFormat, c: number): MapFormat {
  const one = <T extends Float64Array | Int32Array>(values: T): T =>
    (values.length === 1 ? values : values.slice(c, c + 1)) as T;
  return { ...format, scales: one(format.scales), zeroPoints: one(format.zeroPoints) };
}

function mapCodes(statistics: MapStatistics, format: MapFormat): CodesView {
  const { bits, signed, scales, zeroPoints } = format;
  const shares = [...codeDistribution(statistics, format)];
  const same = scales.every((s) => s === scales[0]) && zeroPoints.every((z) => z === zeroPoints[0]);
  return {
    bits,
    first: signed ? -(2 ** (bits - 1)) : 0,
    shares,
    scale: same ? { zero: -zeroPoints[0] * scales[0], step: scales[0] } : null,
    entropy: entropyOf(shares),
  };
}

/** Values before the activation on which patches are classified. Bars further out than anything occurs are left out. */
export function referenceDistribution(statistics: PatchStatistics, phi: number): DistributionView {
  const bars = valueDistribution(statistics);
  const used = bars
    .map(({ share, gaussian }, k) => ({ k, used: share > 1e-5 || gaussian > 1e-5 }))
    .filter((bar) => bar.used);
  const [from, to] = used.length > 0 ? [used[0].k, used[used.length - 1].k] : [0, bars.length - 1];
  const { mean, sigma, zRange } = statistics;
  const width = (2 * zRange * sigma) / bars.length;
  return {
    low: mean - zRange * sigma + from * width,
    width,
    shares: bars.slice(from, to + 1).map(({ share }) => share),
    zeros: 0,
    min: mean - zRange * sigma + from * width,
    max: mean - zRange * sigma + (to + 1) * width,
    mean,
    sigma,
    band: { phi, ...nonOutlierBand({ mean, sigma }, phi) },
    codes: null,
  };
}

/**
 * @param codes integers that represent the values, of `bits` bits. @param select picks the values of the wanted
 *   channel
 */
export function weightDistribution(
  values: Float32Array,
  codes: Int8Array | null,
  bits: 8 | 4,
  select: (index: number) => boolean,
): DistributionView {
  let [count, zeros, sum, squares, min, max] = [0, 0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!select(i)) continue;
    const value = values[i];
    count++;
    if (value === 0) zeros++;
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = count > 0 ? sum / count : 0;
  const sigma = Math.max(Math.sqrt(Math.max(0, count > 0 ? squares / count - mean * mean : 0)), 1e-30);
  const bars = new Bars(Math.max(min, mean - SHOWN_SIGMAS * sigma), Math.min(max, mean + SHOWN_SIGMAS * sigma));
  for (let i = 0; i < values.length; i++) if (select(i) && values[i] !== 0) bars.add(values[i], values[i], 1);
  return {
    low: bars.low,
    width: bars.width,
    shares: bars.normalized(zeros),
    zeros: count > 0 ? zeros / count : 0,
    min,
    max,
    mean,
    sigma,
    band: null,
    codes: codes && weightCodes(codes, bits, select),
  };
}

function weightCodes(codes: Int8Array, bits: 8 | 4, select: (index: number) => boolean): CodesView {
  const first = -(2 ** (bits - 1));
  const shares = new Array<number>(2 ** bits).fill(0);
  let count = 0;
  codes.forEach((code, i) => {
    if (!select(i)) return;
    shares[code - first]++;
    count++;
  });
  const normalized = shares.map((n) => (count > 0 ? n / count : 0));
  return { bits, first, shares: normalized, scale: null, entropy: entropyOf(normalized) };
}

function entropyOf(shares: readonly number[]): number {
  return Math.max(0, -shares.reduce((sum, p) => sum + (p > 0 ? p * Math.log2(p) : 0), 0));
}
