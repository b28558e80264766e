import type { WeightBits } from '../graph/bits';
import { cholesky, transpose } from './linear';
import { algebra, Algebra } from './simd/algebra';
import { padded, placeFactor, solverBytes } from './solver';

/** Integer rows and their scales: weight ≈ scales[o]·codes[o][k]. */
export interface RoundedRows {
  /** [rows][taps] */
  readonly codes: Int8Array;
  readonly scales: Float64Array;
}

/** Scales tried, relative to the one at which the largest magnitude has the largest code. */
const GRID = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/** Factors on the best of them that are tried with error feedback. */
const FACTORS = [1, 0.85, 0.92, 1.08, 1.16];
const SWEEPS = 2;

/**
 * Rounds rows of weights to integers so that e·H·eᵀ, e = w − scale·codes, becomes small.
 *
 * GPTQ (Frantar et al., ICLR 2023): one weight after the other, by descending diagonal of H, later ones taking over the
 * error of earlier ones; the scale of least error over a grid; then coordinate descent on the codes. Codes are ±7 at 4
 * bits, ±127 at 8. Four rows at a time where there is SIMD: both ways give rows of about the same error, not always the
 * same codes, as one counts in 32-bit floating point.
 *
 * @param weights [rows][taps]
 * @param hessian [taps][taps], positive definite
 */
export function roundRows(
  weights: Float64Array,
  rows: number,
  taps: number,
  hessian: Float64Array,
  bits: WeightBits,
): RoundedRows {
  const simd = algebra();
  const top = bits === 4 ? 7 : 127;
  const rounder =
    simd !== null && Algebra.fits(taps * taps * 8 + solverBytes(taps) + (1 << 20))
      ? new SimdRounder(hessian, taps, top, simd)
      : new FeedbackRounder(hessian, taps, top);
  const codes = new Int8Array(rows * taps);
  const scales = new Float64Array(rows);
  rounder.round(weights, rows, codes, scales);
  return { codes, scales };
}

function largestOf(row: Float64Array): number {
  let largest = 0;
  for (const w of row) largest = Math.max(largest, Math.abs(w));
  return largest;
}

/** Scale of least error of plain rounding to ±top, weighted by the diagonal of H; 0 for a row of zeros. */
function nearestScale(row: Float64Array, hessian: Float64Array, n: number, top: number): number {
  const full = largestOf(row) / top;
  let best = full;
  let least = Infinity;
  for (const fraction of GRID) {
    const scale = full * fraction;
    let error = 0;
    // What is no better than another one so far does not get better.
    for (let k = 0; k < n && error < least; k++) {
      const d = row[k] - scale * clip(Math.round(row[k] / scale), top);
      error += d * d * hessian[k * n + k];
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/** Taps by ascending diagonal of H: rounded from the last to the first. */
function byDiagonal(hessian: Float64Array, n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => hessian[a * n + a] - hessian[b * n + b] || a - b);
}

/** Four rows at once, in WebAssembly. */
export class SimdRounder {
  private readonly order: Int32Array;
  private readonly factor: number;
  private readonly matrix: number;
  private readonly wide: number;

  constructor(
    private readonly hessian: Float64Array,
    private readonly n: number,
    private readonly top: number,
    private readonly simd: Algebra,
  ) {
    const order = byDiagonal(hessian, n);
    this.order = order;
    this.wide = Math.ceil(n / 4) * 4;
    simd.clear();
    this.factor = simd.place(n * n * 4);
    this.matrix = simd.place(n * this.wide * 4);
    const mark = simd.mark();
    const size = padded(n);
    const l = placeFactor(simd, n, simd.place(size * 64), (i, row) => {
      for (let k = 0; k <= i; k++) row[k] = hessian[order[i] * n + order[k]];
    });
    const lower = simd.float64(l, size * size);
    const factor = simd.float32(this.factor, n * n);
    for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) factor[k * n + i] = lower[i * size + k];
    simd.release(mark);
    const matrix = simd.float32(this.matrix, n * this.wide).fill(0);
    for (let k = 0; k < n; k++) matrix.set(hessian.subarray(k * n, (k + 1) * n), k * this.wide);
  }

  /** @param codes [rows][n] and @param scales [rows] are written */
  round(weights: Float64Array, rows: number, codes: Int8Array, scales: Float64Array): void {
    const { simd, n, wide, order, hessian, top } = this;
    const place = (length: number): number => simd.place(length * 4);
    const at = {
      weights: place(4 * n),
      codes: place(4 * n),
      error: place(4 * n),
      scales: place(4),
      total: place(4),
      row: place(wide),
      slope: place(wide),
    };
    const trial = simd.float32(at.codes, 4 * n);
    const quad = simd.float32(at.weights, 4 * n);
    const trialScales = simd.float32(at.scales, 4);
    const totals = simd.float32(at.total, 4);
    const line = simd.float32(at.row, wide);
    for (let first = 0; first < rows; first += 4) {
      const count = Math.min(4, rows - first);
      const row = (r: number): Float64Array => weights.subarray((first + r) * n, (first + r + 1) * n);
      const start = Float64Array.from({ length: 4 }, (_, r) =>
        r < count ? nearestScale(row(r), hessian, n, top) || 1 : 1,
      );
      quad.fill(0);
      for (let r = 0; r < count; r++)
        for (let k = 0, from = (first + r) * n; k < n; k++) quad[4 * k + r] = weights[from + order[k]];
      const least = new Float64Array(4).fill(Infinity);
      for (const factor of FACTORS) {
        for (let r = 0; r < 4; r++) trialScales[r] = start[r] * factor;
        simd.functions.feedback(at.weights, this.factor, n, at.scales, top, at.codes, at.error, at.total);
        for (let r = 0; r < count; r++) {
          if (totals[r] >= least[r]) continue;
          least[r] = totals[r];
          scales[first + r] = start[r] * factor;
          for (let k = 0; k < n; k++) codes[(first + r) * n + order[k]] = trial[4 * k + r];
        }
      }
      for (let r = 0; r < count; r++) {
        const result = codes.subarray((first + r) * n, (first + r + 1) * n);
        line.set(row(r));
        trial.set(result);
        simd.functions.descend(at.row, this.matrix, n, wide, scales[first + r], top, SWEEPS, at.codes, at.slope);
        for (let k = 0; k < n; k++) result[k] = trial[k];
      }
    }
  }
}

/** Row by row, in TypeScript. */
export class FeedbackRounder {
  private readonly order: Int32Array;
  private readonly lt: Float64Array;
  private readonly error: Float64Array;
  private readonly slope: Float64Array;

  constructor(
    private readonly hessian: Float64Array,
    private readonly n: number,
    private readonly top: number,
  ) {
    const order = byDiagonal(hessian, n);
    this.order = order;
    // The Cholesky factor of H in that order, transposed.
    const permuted = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) permuted[i * n + j] = hessian[order[i] * n + order[j]];
    this.lt = transpose(cholesky(permuted, n), n, n);
    this.error = new Float64Array(n);
    this.slope = new Float64Array(n);
  }

  /** @param codes [rows][n] and @param scales [rows] are written */
  round(weights: Float64Array, rows: number, codes: Int8Array, scales: Float64Array): void {
    const { n } = this;
    for (let o = 0; o < rows; o++)
      scales[o] = this.roundRow(weights.subarray(o * n, (o + 1) * n), codes.subarray(o * n, (o + 1) * n));
  }

  /** @returns the scale; codes go to `best` */
  private roundRow(row: Float64Array, best: Int8Array): number {
    const start = nearestScale(row, this.hessian, this.n, this.top) || 1;
    const trial = new Int8Array(this.n);
    let scale = start;
    let least = Infinity;
    for (const factor of FACTORS) {
      const error = this.feedback(row, start * factor, trial);
      if (error < least) {
        least = error;
        scale = start * factor;
        best.set(trial);
      }
    }
    this.descend(row, scale, best);
    return scale;
  }

  /**
   * With H = L·Lᵀ the error is Σ_b (Σ_{a ≥ b} e_a·L[a][b])²: going down from the last tap, each code is chosen to
   * cancel what the taps before left in its own term.
   */
  private feedback(row: Float64Array, scale: number, codes: Int8Array): number {
    const { n, order, lt, error } = this;
    let total = 0;
    for (let b = n - 1; b >= 0; b--) {
      const p = b * n;
      let carried = 0;
      for (let a = b + 1; a < n; a++) carried += error[a] * lt[p + a];
      const w = row[order[b]];
      const code = clip(Math.round((w + carried / lt[p + b]) / scale), this.top);
      codes[order[b]] = code;
      error[b] = w - scale * code;
      const term = carried + error[b] * lt[p + b];
      total += term * term;
    }
    return total;
  }

  /** Moves single codes as long as that lowers the error. */
  private descend(row: Float64Array, scale: number, codes: Int8Array): void {
    const { n, hessian, slope } = this;
    slope.fill(0);
    for (let k = 0; k < n; k++) {
      const e = row[k] - scale * codes[k];
      const p = k * n;
      for (let j = 0; j < n; j++) slope[j] += e * hessian[p + j];
    }
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      let moved = false;
      for (let k = 0; k < n; k++) {
        const p = k * n;
        const next = clip(codes[k] + Math.round(slope[k] / (scale * hessian[p + k])), this.top);
        const step = next - codes[k];
        if (step === 0) continue;
        codes[k] = next;
        moved = true;
        for (let j = 0; j < n; j++) slope[j] -= scale * step * hessian[p + j];
      }
      if (!moved) return;
    }
  }
}

function clip(code: number, top: number): number {
  return code > top ? top : code < -top ? -top : code;
}
