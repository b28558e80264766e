import type { WeightBits } from '../plan/types';
import { cholesky, transpose } from './linear';

/** Integer rows and their scales: weight ≈ scales[o]·codes[o][k]. */
export interface RoundedRows {
  /** [rows][taps] */
  readonly codes: Int8Array;
  readonly scales: Float64Array;
}

/** Scales tried at 4 bits, relative to the one at which the largest magnitude has the largest code. */
const GRID = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/** Factors on the best of them that are tried with error feedback. */
const FACTORS = [1, 0.85, 0.92, 1.08, 1.16];
const SWEEPS = 2;

/**
 * Rounds rows of weights to integers so that e·H·eᵀ, e = w − scale·codes, becomes small.
 *
 * 8 bits: to nearest, largest magnitude at ±127. 4 bits (±7): GPTQ (Frantar et al., ICLR 2023): one weight after the other, by descending diagonal of H, later ones taking
 * over the error of earlier ones; the scale of least error over a grid; then coordinate descent on the codes.
 *
 * @param weights [rows][taps]
 * @param hessian [taps][taps], positive definite
 */
export function roundRows(weights: Float64Array, rows: number, taps: number, hessian: Float64Array, bits: WeightBits): RoundedRows {
  const codes = new Int8Array(rows * taps);
  const scales = new Float64Array(rows);
  const rounder = bits === 4 ? new FeedbackRounder(hessian, taps) : null;
  for (let o = 0; o < rows; o++) {
    const row = weights.subarray(o * taps, (o + 1) * taps);
    let largest = 0;
    for (const w of row) largest = Math.max(largest, Math.abs(w));
    const out = codes.subarray(o * taps, (o + 1) * taps);
    if (largest === 0) scales[o] = 1;
    else if (rounder) scales[o] = rounder.round(row, largest, out);
    else {
      scales[o] = largest / 127;
      for (let k = 0; k < taps; k++) out[k] = Math.round(row[k] / scales[o]);
    }
  }
  return { codes, scales };
}

/** Rounds single rows to ±7 against one H. */
class FeedbackRounder {
  /** Taps by ascending diagonal of H: rounded from the last to the first. */
  private readonly order: Int32Array;
  /** Transposed Cholesky factor of H in that order. */
  private readonly lt: Float64Array;
  private readonly error: Float64Array;
  private readonly slope: Float64Array;

  constructor(
    private readonly hessian: Float64Array,
    private readonly n: number,
  ) {
    this.order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => hessian[a * n + a] - hessian[b * n + b] || a - b);
    const permuted = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) permuted[i * n + j] = hessian[this.order[i] * n + this.order[j]];
    this.lt = transpose(cholesky(permuted, n), n, n);
    this.error = new Float64Array(n);
    this.slope = new Float64Array(n);
  }

  /** @returns the scale; codes go to `best` */
  round(row: Float64Array, largest: number, best: Int8Array): number {
    const start = this.nearestScale(row, largest / 7);
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

  /** Scale of least error of plain rounding, weighted by the diagonal. */
  private nearestScale(row: Float64Array, full: number): number {
    let best = full;
    let least = Infinity;
    for (const fraction of GRID) {
      const scale = full * fraction;
      let error = 0;
      for (let k = 0; k < this.n; k++) {
        const d = row[k] - scale * clip(Math.round(row[k] / scale));
        error += d * d * this.hessian[k * this.n + k];
      }
      if (error < least) {
        least = error;
        best = scale;
      }
    }
    return best;
  }

  /**
   * With H = L·Lᵀ the error is Σ_b (Σ_{a ≥ b} e_a·L[a][b])²: going down from the last tap, each code is chosen to cancel what the taps before left in
   * its own term.
   */
  private feedback(row: Float64Array, scale: number, codes: Int8Array): number {
    const { n, order, lt, error } = this;
    let total = 0;
    for (let b = n - 1; b >= 0; b--) {
      const p = b * n;
      let carried = 0;
      for (let a = b + 1; a < n; a++) carried += error[a] * lt[p + a];
      const w = row[order[b]];
      const code = clip(Math.round((w + carried / lt[p + b]) / scale));
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
        const next = clip(codes[k] + Math.round(slope[k] / (scale * hessian[p + k])));
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

function clip(code: number): number {
  return code > 7 ? 7 : code < -7 ? -7 : code;
}
