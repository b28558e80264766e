import { elements, type FeatureMap, type Shape } from '../graph/types';
import type { MapStatistics } from './types';

/**
 * Bins per channel. A range that was doubled to take in a new extreme still uses half of them: about the resolution of
 * 8-bit codes.
 */
const HISTOGRAM_BINS = 256;

/**
 * Histograms take at most this many positions of a map per sample, spread over it; ranges and moments always take all.
 */
const MAX_POSITIONS = 1024;
/**
 * From so many values on it pays to count in two small arrays in turn: values that repeat would wait for each other's
 * increment in one.
 */
const SPLIT_COUNTS_FROM = 256;

/**
 * Statistics of one feature map, streamed: its size depends on the map's channels, not on the number of samples.
 *
 * Moments are combined per sample by Chan's formula, so that they stay accurate over many samples. A histogram whose
 * range is exceeded doubles it by merging pairs of bins.
 */
export class MapAccumulator {
  private readonly shape: Shape;
  private readonly min: Float64Array;
  private readonly max: Float64Array;
  private readonly mean: Float64Array;
  /** Sum of squared deviations from the mean. */
  private readonly squares: Float64Array;
  private readonly lo: Float64Array;
  /** 0 while a channel has shown a single value, {@link lo}; its count is then in bin 0. */
  private readonly width: Float64Array;
  private readonly histograms: Uint32Array;
  private readonly zeros: Uint32Array;
  private readonly even: Int32Array;
  private readonly odd: Int32Array;
  private samples = 0;

  constructor(
    private readonly map: Pick<FeatureMap, 'id' | 'name' | 'shape'>,
    private readonly bins = HISTOGRAM_BINS,
  ) {
    const { c } = map.shape;
    this.shape = map.shape;
    this.min = new Float64Array(c).fill(Infinity);
    this.max = new Float64Array(c).fill(-Infinity);
    this.mean = new Float64Array(c);
    this.squares = new Float64Array(c);
    this.lo = new Float64Array(c);
    this.width = new Float64Array(c);
    this.histograms = new Uint32Array(c * bins);
    this.zeros = new Uint32Array(c);
    this.even = new Int32Array(bins + 1);
    this.odd = new Int32Array(bins + 1);
  }

  /**
   * Takes in one sample's values.
   *
   * @returns false, and nothing is taken in from the first bad channel on, when a value is not a finite number
   */
  add(values: Float32Array, layout: 'CHW' | 'HWC'): boolean {
    if (values.length !== elements(this.shape))
      throw new RangeError(`${values.length} values for a map of ${elements(this.shape)}`);
    const { c: channels } = this.shape;
    const positions = this.shape.h * this.shape.w;
    const step = layout === 'CHW' ? 1 : channels;
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let c = 0; c < channels; c++) {
      const start = layout === 'CHW' ? c * positions : c;
      if (!this.addMoments(values, c, start, step, positions)) return false;
      this.addHistogram(values, bits, c, start, step, positions);
    }
    this.samples++;
    return true;
  }

  private addMoments(values: Float32Array, c: number, start: number, step: number, positions: number): boolean {
    const shift = values[start];
    let min = shift;
    let max = shift;
    let sum = 0;
    let squares = 0;
    for (let p = 0, i = start; p < positions; p++, i += step) {
      const v = values[i];
      if (v < min) min = v;
      if (v > max) max = v;
      const d = v - shift;
      sum += d;
      squares += d * d;
    }
    if (!Number.isFinite(sum) || !Number.isFinite(squares)) return false;
    const mean = sum / positions;
    const before = this.samples * positions;
    const total = before + positions;
    const delta = shift + mean - this.mean[c];
    this.squares[c] += Math.max(0, squares - mean * sum) + (delta * delta * before * positions) / total;
    this.mean[c] += (delta * positions) / total;
    if (min < this.min[c]) this.min[c] = min;
    if (max > this.max[c]) this.max[c] = max;
    return true;
  }

  /** After {@link addMoments}: min and max already hold this sample. `bits`: the values' encodings. */
  private addHistogram(
    values: Float32Array,
    bits: Int32Array,
    c: number,
    start: number,
    step: number,
    positions: number,
  ): void {
    const { bins, histograms } = this;
    const row = c * bins;
    const stride = Math.ceil(positions / MAX_POSITIONS);
    // Another offset for each sample, so that all positions get their turn.
    const first = stride === 1 ? 0 : (this.samples * 7) % stride;
    this.makeRoom(c);
    const lo = this.lo[c];
    const inverse = this.width[c] === 0 ? 0 : 1 / this.width[c];
    const begin = start + first * step;
    const end = start + positions * step;
    const hop = stride * step;
    let zeros = 0;
    if (positions < SPLIT_COUNTS_FROM * stride) {
      for (let i = begin; i < end; i += hop) {
        zeros += isZero(bits[i]);
        const k = ((values[i] - lo) * inverse) | 0;
        histograms[row + (k < bins ? k : bins - 1)]++;
      }
    } else {
      // One place more than bins: the largest value may round up to the end of the range.
      const { even, odd } = this;
      even.fill(0);
      odd.fill(0);
      let i = begin;
      for (; i + hop < end; i += 2 * hop) {
        zeros += isZero(bits[i]) + isZero(bits[i + hop]);
        even[((values[i] - lo) * inverse) | 0]++;
        odd[((values[i + hop] - lo) * inverse) | 0]++;
      }
      if (i < end) {
        zeros += isZero(bits[i]);
        even[((values[i] - lo) * inverse) | 0]++;
      }
      for (let k = 0; k < bins; k++) histograms[row + k] += even[k] + odd[k];
      histograms[row + bins - 1] += even[bins] + odd[bins];
    }
    this.zeros[c] += zeros;
  }

  /** Widens channel c's histogram until it holds [min, max]. */
  private makeRoom(c: number): void {
    const { bins, histograms } = this;
    const min = this.min[c];
    const max = this.max[c];
    const row = c * bins;
    if (this.width[c] === 0) {
      const before = histograms[row];
      const value = this.lo[c];
      this.lo[c] = min;
      if (min === max) return;
      this.width[c] = (max - min) / bins;
      histograms[row] = 0;
      if (before > 0) histograms[row + Math.min(bins - 1, Math.floor((value - min) / this.width[c]))] = before;
      return;
    }
    while (min < this.lo[c]) {
      const end = this.lo[c] + bins * this.width[c];
      for (let k = bins - 1; k >= 0; k--) {
        const from = 2 * k - bins;
        histograms[row + k] = from < 0 ? 0 : histograms[row + from] + histograms[row + from + 1];
      }
      this.width[c] *= 2;
      this.lo[c] = end - bins * this.width[c];
    }
    while (max > this.lo[c] + bins * this.width[c]) {
      for (let k = 0; k < bins; k++) {
        const from = 2 * k;
        histograms[row + k] = from >= bins ? 0 : histograms[row + from] + histograms[row + from + 1];
      }
      this.width[c] *= 2;
    }
  }

  /** What was observed so far. @throws RangeError before the first sample */
  finish(): MapStatistics {
    if (this.samples === 0) throw new RangeError(`no values of '${this.map.name}' were observed`);
    const count = this.samples * this.shape.h * this.shape.w;
    // A channel that never changed gets bins far narrower than any code, its value at the start of the first.
    const width = this.width.map((w, c) => (w === 0 ? Math.max(Math.abs(this.lo[c]), 1) * 2 ** -30 : w));
    return {
      map: this.map.id,
      name: this.map.name,
      shape: this.shape,
      min: this.min,
      max: this.max,
      mean: this.mean,
      variance: this.squares.map((s) => s / count),
      bins: this.bins,
      lo: this.lo,
      width,
      histograms: this.histograms,
      zeros: this.zeros,
    };
  }
}

/** 1 for the bits of a zero of either sign, else 0: a comparison would be a branch that nobody can foresee. */
function isZero(bits: number): number {
  return ((bits & 0x7fffffff) - 1) >>> 31;
}
