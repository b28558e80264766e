import type { Samples } from './leastSquares';
import { algebra, Algebra } from './simd/algebra';

/** What weights predict at sampled rows: offset + Σ w·code, in 64 bits, taps in order; both ways give the same. */
export interface Predictor {
  /**
   * @param weights [outputs][taps]
   * @param offsets by output
   * @param take gets each output's predictions [rows], valid until it returns
   */
  predict(weights: Float64Array, offsets: Float64Array, take: (output: number, values: Float64Array) => void): void;
}

type Codes = Pick<Samples, 'taps' | 'rows' | 'codes'>;

/** @returns a predictor; in WebAssembly its codes stay in the memory of {@link algebra} until that is cleared */
export function predictor(samples: Codes): Predictor {
  const simd = algebra();
  return simd !== null && Algebra.fits(simd.mark() + SimdPredictor.bytes(samples))
    ? new SimdPredictor(samples, simd)
    : new PlainPredictor(samples);
}

/** In TypeScript: the reference, and the implementation where there is no SIMD. */
export class PlainPredictor implements Predictor {
  constructor(private readonly samples: Codes) {}

  predict(weights: Float64Array, offsets: Float64Array, take: (output: number, values: Float64Array) => void): void {
    const { taps, rows, codes } = this.samples;
    const values = new Float64Array(rows);
    offsets.forEach((offset, o) => {
      values.fill(offset);
      for (let k = 0; k < taps; k++) {
        const w = weights[o * taps + k];
        for (let t = 0, i = k * rows; t < rows; t++, i++) values[t] += w * codes[i];
      }
      take(o, values);
    });
  }
}

const padded = (rows: number): number => Math.ceil(rows / 4) * 4;

/** In WebAssembly, two outputs at a time. */
export class SimdPredictor implements Predictor {
  private readonly codes: number;
  private readonly weights: number;
  private readonly offsets: number;
  private readonly out: number;
  private readonly length: number;

  constructor(
    private readonly samples: Codes,
    private readonly simd: Algebra,
  ) {
    const { taps, rows, codes } = samples;
    const length = padded(rows);
    this.length = length;
    this.codes = simd.place(taps * length * 2);
    this.weights = simd.place(2 * taps * 8);
    this.offsets = simd.place(2 * 8);
    this.out = simd.place(2 * length * 8);
    const placed = simd.int16(this.codes, taps * length).fill(0);
    for (let k = 0; k < taps; k++) placed.set(codes.subarray(k * rows, (k + 1) * rows), k * length);
  }

  static bytes({ taps, rows }: Codes): number {
    return padded(rows) * (taps * 2 + 16) + taps * 16 + 80;
  }

  predict(weights: Float64Array, offsets: Float64Array, take: (output: number, values: Float64Array) => void): void {
    const { simd, length } = this;
    const { taps, rows } = this.samples;
    for (let first = 0; first < offsets.length; first += 2) {
      const count = Math.min(2, offsets.length - first);
      simd.float64(this.weights, 2 * taps).set(weights.subarray(first * taps, (first + count) * taps));
      simd.float64(this.offsets, 2).set(offsets.subarray(first, first + count));
      simd.functions.predict(this.weights, taps, this.codes, length, this.offsets, this.out);
      const values = simd.float64(this.out, 2 * length);
      for (let o = 0; o < count; o++) take(first + o, values.subarray(o * length, o * length + rows));
    }
  }
}
