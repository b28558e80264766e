import type { Clamp } from '../graph/types';
import { gram, rowProducts } from './linear';
import { algebra, Algebra } from './simd/algebra';
import { solverBytes } from './solver';

/**
 * The sampled codes of one layer (or group) as a matrix Q [taps][rows], and the sums over its rows that a fit needs.
 * Rows of Q are centered: q − E[q].
 */
export interface SampledSystem {
  readonly taps: number;
  readonly rows: number;
  /** E[q], [taps]. */
  readonly mean: Float64Array;
  /** E[q·qᵀ] of the centered codes, [taps][taps]. */
  covariance(): Float64Array;
  /**
   * E[y·qᵀ], [outputs][taps], and E[y], [outputs], of the targets y.
   *
   * @param targets    [outputs][rows]
   * @param offsets    about the means of the targets, [outputs]
   * @param prediction replaces what the clamp cuts off, see {@link clippedTarget}; null: targets as they are
   */
  correlate(targets: Float32Array, offsets: Float64Array, prediction: Prediction | null): Correlation;
  /** W·q for weights [outputs][taps]; result [outputs][rows]. */
  predict(weights: Float64Array, outputs: number): Float32Array;
}

/** What weights predict: W·q + offset for weights [outputs][taps]. */
export interface Prediction {
  readonly weights: Float64Array;
  readonly clamp: Clamp;
}

export interface Correlation {
  readonly products: Float64Array;
  readonly means: Float64Array;
}

/** What a prediction should aim at: beyond the clamp all values are the same after it. */
export function clippedTarget(target: number, predicted: number, { min, max }: Clamp): number {
  if (min !== null && target <= min) return Math.min(predicted, min);
  if (max !== null && target >= max) return Math.max(predicted, max);
  return target;
}

/** Sums of products of two codes, at most 255 each, stay below 2³¹. */
const MOST_ROWS = 32_768;

/** @param codes int16 [taps][rows]
 *  @returns a system; in WebAssembly it takes the memory of {@link algebra} from its beginning */
export function sampledSystem(codes: Int16Array, taps: number, rows: number): SampledSystem {
  const simd = algebra();
  simd?.clear();
  // Codes, their centered copy, and the sums; a solver and targets come on top, these in parts.
  const bytes = taps * rows * 6 + taps * taps * 4 + solverBytes(taps) + (64 << 20);
  return simd !== null && rows <= MOST_ROWS && Algebra.fits(bytes)
    ? new SimdSystem(simd, codes, taps, rows)
    : new PlainSystem(codes, taps, rows);
}

function meansOf(codes: Int16Array, taps: number, rows: number): Float64Array {
  const mean = new Float64Array(taps);
  for (let k = 0; k < taps; k++) {
    let sum = 0;
    for (let t = k * rows; t < (k + 1) * rows; t++) sum += codes[t];
    mean[k] = sum / rows;
  }
  return mean;
}

/** In TypeScript: the reference, and the implementation where there is no SIMD. */
export class PlainSystem implements SampledSystem {
  readonly mean: Float64Array;
  private readonly centered: Float64Array;

  constructor(
    codes: Int16Array,
    readonly taps: number,
    readonly rows: number,
  ) {
    this.mean = meansOf(codes, taps, rows);
    this.centered = Float64Array.from(codes, (q, i) => q - this.mean[Math.floor(i / rows)]);
  }

  covariance(): Float64Array {
    return gram(this.centered, this.taps, this.rows).map((v) => v / this.rows);
  }

  correlate(targets: Float32Array, offsets: Float64Array, prediction: Prediction | null): Correlation {
    const { taps, rows } = this;
    const outputs = offsets.length;
    const y = Float64Array.from(targets);
    const predicted = prediction && this.predict(prediction.weights, outputs);
    const means = new Float64Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = o * rows; i < (o + 1) * rows; i++) {
        if (prediction) y[i] = clippedTarget(targets[i], predicted![i] + offsets[o], prediction.clamp);
        sum += y[i] -= offsets[o];
      }
      means[o] = offsets[o] + sum / rows;
    }
    const products = new Float64Array(outputs * taps);
    rowProducts(y, outputs, this.centered, taps, rows, products);
    return { products: products.map((v) => v / rows), means };
  }

  predict(weights: Float64Array, outputs: number): Float32Array {
    const { taps, rows, centered } = this;
    const out = new Float32Array(outputs * rows);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < taps; k++) {
        const w = weights[o * taps + k];
        for (let t = 0; t < rows; t++) out[o * rows + t] += w * centered[k * rows + t];
      }
    }
    return out;
  }
}

/** Outputs that are worked on at once, so that large layers stay within the memory. */
const BLOCK = 128;

const ceil = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** In WebAssembly. */
export class SimdSystem implements SampledSystem {
  readonly mean: Float64Array;
  private readonly wide: number;
  private readonly tall: number;
  /** Centered codes, float32 [tall][wide]. */
  private readonly q: number;
  private readonly covariances: Float64Array;

  constructor(
    private readonly simd: Algebra,
    codes: Int16Array,
    readonly taps: number,
    readonly rows: number,
  ) {
    this.mean = new Float64Array(taps);
    this.wide = ceil(rows, 8);
    this.tall = ceil(taps, 4);
    simd.clear();
    const { wide, tall } = this;
    this.q = simd.place(tall * wide * 4);
    const mark = simd.mark();
    const a = simd.place(tall * wide * 2);
    const out = simd.place(tall * tall * 4);
    simd.float32(this.q, tall * wide).fill(0);
    const integers = simd.int16(a, tall * wide).fill(0);
    for (let k = 0; k < taps; k++) {
      integers.set(codes.subarray(k * rows, (k + 1) * rows), k * wide);
      const row = a + k * wide * 2;
      this.mean[k] = simd.functions.sum(row, wide) / rows;
      simd.functions.center(row, rows, this.mean[k], this.q + k * wide * 4);
    }
    simd.functions.gram(a, tall, wide, out);
    const sums = simd.int32(out, tall * tall);
    this.covariances = new Float64Array(taps * taps);
    for (let i = 0; i < taps; i++) {
      for (let j = 0; j <= i; j++) {
        const value = sums[i * tall + j] / rows - this.mean[i] * this.mean[j];
        this.covariances[i * taps + j] = value;
        this.covariances[j * taps + i] = value;
      }
    }
    simd.release(mark);
  }

  covariance(): Float64Array {
    return this.covariances.slice();
  }

  correlate(targets: Float32Array, offsets: Float64Array, prediction: Prediction | null): Correlation {
    const { simd, taps, rows, wide, tall } = this;
    const outputs = offsets.length;
    const low = prediction?.clamp.min ?? -Infinity;
    const high = prediction?.clamp.max ?? Infinity;
    const products = new Float64Array(outputs * taps);
    const means = new Float64Array(outputs);
    const mark = simd.mark();
    const block = Math.min(BLOCK, ceil(outputs, 2));
    const y = simd.place(block * wide * 4);
    const at = simd.place(block * 4);
    const sums = simd.place(block * 8);
    const out = simd.place(block * tall * 8);
    const predicted = prediction ? this.placePrediction(block) : null;
    const values = simd.float32(y, block * wide).fill(0);
    for (let first = 0; first < outputs; first += block) {
      const count = Math.min(block, outputs - first);
      for (let o = 0; o < count; o++)
        values.set(targets.subarray((first + o) * rows, (first + o + 1) * rows), o * wide);
      simd.float32(at, count).set(offsets.subarray(first, first + count));
      if (prediction && predicted) this.predictBlock(prediction.weights, first, count, predicted);
      simd.functions.aim(y, predicted?.out ?? y, count, rows, wide, at, low, high, sums);
      simd.functions.products(y, ceil(count, 2), this.q, tall, wide, out);
      const sum = simd.float64(sums, count);
      const correlated = simd.float64(out, block * tall);
      for (let o = 0; o < count; o++) {
        means[first + o] = offsets[first + o] + sum[o] / rows;
        for (let k = 0; k < taps; k++) products[(first + o) * taps + k] = correlated[o * tall + k] / rows;
      }
    }
    simd.release(mark);
    return { products, means };
  }

  predict(weights: Float64Array, outputs: number): Float32Array {
    const { simd, rows, wide } = this;
    const result = new Float32Array(outputs * rows);
    const mark = simd.mark();
    const place = this.placePrediction(BLOCK);
    for (let first = 0; first < outputs; first += BLOCK) {
      const count = Math.min(BLOCK, outputs - first);
      this.predictBlock(weights, first, count, place);
      const sums = simd.float32(place.out, BLOCK * wide);
      for (let o = 0; o < count; o++) result.set(sums.subarray(o * wide, o * wide + rows), (first + o) * rows);
    }
    simd.release(mark);
    return result;
  }

  /** Room for the weights and predictions of this many outputs. */
  private placePrediction(outputs: number): { readonly weights: number; readonly out: number } {
    return { weights: this.simd.place(outputs * this.tall * 4), out: this.simd.place(outputs * this.wide * 4) };
  }

  /** Predictions of `count` outputs starting at `first`, float32 [count][wide]. */
  private predictBlock(
    weights: Float64Array,
    first: number,
    count: number,
    place: { readonly weights: number; readonly out: number },
  ): void {
    const { simd, taps, wide, tall } = this;
    const even = ceil(count, 2);
    const values = simd.float32(place.weights, even * tall).fill(0);
    for (let o = 0; o < count; o++) values.set(weights.subarray((first + o) * taps, (first + o + 1) * taps), o * tall);
    simd.functions.combine(place.weights, even, this.q, tall, wide, place.out);
  }
}
