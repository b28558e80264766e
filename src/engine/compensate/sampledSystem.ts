import { gram, rowProducts } from './linear';
import { algebra, Algebra } from './simd/algebra';

/**
 * The sampled codes of one layer (or group) as a matrix Q [taps][rows], and the sums over its rows that a fit needs. Rows of Q are centered: q − E[q].
 */
export interface SampledSystem {
  readonly taps: number;
  readonly rows: number;
  /** E[q], [taps]. */
  readonly mean: Float64Array;
  /** E[q·qᵀ] of the centered codes, [taps][taps]. */
  covariance(): Float64Array;
  /** E[y·qᵀ] for centered targets [outputs][rows]; result [outputs][taps]. */
  correlate(targets: Float32Array, outputs: number): Float64Array;
  /** W·q for weights [outputs][taps]; result [outputs][rows]. */
  predict(weights: Float64Array, outputs: number): Float32Array;
}

/** Sums of products of two codes, at most 255 each, stay below 2³¹. */
const MOST_ROWS = 32_768;

/** @param codes int16 [taps][rows] */
export function sampledSystem(codes: Int16Array, taps: number, rows: number): SampledSystem {
  const simd = algebra();
  if (rows > MOST_ROWS) return new PlainSystem(codes, taps, rows);
  // Codes, their centered copy, and the sums; targets come on top, in parts.
  return simd !== null && Algebra.fits(taps * rows * 6 + taps * taps * 4 + (64 << 20)) ? new SimdSystem(simd, codes, taps, rows) : new PlainSystem(codes, taps, rows);
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

  constructor(codes: Int16Array, readonly taps: number, readonly rows: number) {
    this.mean = meansOf(codes, taps, rows);
    this.centered = Float64Array.from(codes, (q, i) => q - this.mean[Math.floor(i / rows)]);
  }

  covariance(): Float64Array {
    return gram(this.centered, this.taps, this.rows).map((v) => v / this.rows);
  }

  correlate(targets: Float32Array, outputs: number): Float64Array {
    const out = new Float64Array(outputs * this.taps);
    rowProducts(Float64Array.from(targets), outputs, this.centered, this.taps, this.rows, out);
    return out.map((v) => v / this.rows);
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

  constructor(private readonly simd: Algebra, codes: Int16Array, readonly taps: number, readonly rows: number) {
    this.mean = meansOf(codes, taps, rows);
    this.wide = ceil(rows, 8);
    this.tall = ceil(taps, 4);
    simd.clear();
    const { wide, tall } = this;
    this.q = simd.place(tall * wide * 4);
    const mark = simd.mark();
    const a = simd.place(tall * wide * 2);
    const out = simd.place(tall * tall * 4);
    const q = simd.float32(this.q, tall * wide).fill(0);
    const integers = simd.int16(a, tall * wide).fill(0);
    for (let k = 0; k < taps; k++) {
      const row = codes.subarray(k * rows, (k + 1) * rows);
      integers.set(row, k * wide);
      const mean = this.mean[k];
      for (let t = 0; t < rows; t++) q[k * wide + t] = row[t] - mean;
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

  correlate(targets: Float32Array, outputs: number): Float64Array {
    const { simd, taps, rows, wide, tall } = this;
    const result = new Float64Array(outputs * taps);
    const mark = simd.mark();
    const y = simd.place(BLOCK * wide * 4);
    const out = simd.place(BLOCK * tall * 8);
    for (let first = 0; first < outputs; first += BLOCK) {
      const count = Math.min(BLOCK, outputs - first);
      const values = simd.float32(y, BLOCK * wide).fill(0);
      for (let o = 0; o < count; o++) values.set(targets.subarray((first + o) * rows, (first + o + 1) * rows), o * wide);
      simd.functions.products(y, ceil(count, 2), this.q, tall, wide, out);
      const sums = simd.float64(out, BLOCK * tall);
      for (let o = 0; o < count; o++) for (let k = 0; k < taps; k++) result[(first + o) * taps + k] = sums[o * tall + k] / rows;
    }
    simd.release(mark);
    return result;
  }

  predict(weights: Float64Array, outputs: number): Float32Array {
    const { simd, taps, rows, wide, tall } = this;
    const result = new Float32Array(outputs * rows);
    const mark = simd.mark();
    const w = simd.place(BLOCK * tall * 4);
    const out = simd.place(BLOCK * wide * 4);
    for (let first = 0; first < outputs; first += BLOCK) {
      const count = Math.min(BLOCK, outputs - first);
      const values = simd.float32(w, BLOCK * tall).fill(0);
      for (let o = 0; o < count; o++) values.set(weights.subarray((first + o) * taps, (first + o + 1) * taps), o * tall);
      simd.functions.combine(w, ceil(count, 2), this.q, tall, wide, out);
      const sums = simd.float32(out, BLOCK * wide);
      for (let o = 0; o < count; o++) result.set(sums.subarray(o * wide, o * wide + rows), (first + o) * rows);
    }
    simd.release(mark);
    return result;
  }
}
