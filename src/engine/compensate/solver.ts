import { cholesky, solveRows, transpose } from './linear';
import { algebra, Algebra } from './simd/algebra';

/** A system of equations with a symmetric positive definite matrix A [n][n], factored once for many right sides. */
export interface Solver {
  /** Solves A·x = b for each row b of `rows` [count][n], in place. */
  solve(rows: Float64Array, count: number): void;
}

/** Below this many unknowns, calls cost more than they save. */
const LEAST_UNKNOWNS = 24;

/**
 * @param a [n][n]
 * @returns a solver; in WebAssembly it lies in the memory of {@link algebra} until that is cleared
 * @throws RangeError if A is not positive definite
 */
export function solver(a: Float64Array, n: number): Solver {
  const simd = algebra();
  return simd !== null && n >= LEAST_UNKNOWNS && Algebra.fits(solverBytes(n))
    ? new SimdSolver(a, n, simd)
    : new PlainSolver(a, n);
}

/** Memory that {@link solver} may need. */
export function solverBytes(n: number): number {
  return padded(n) ** 2 * 16 + padded(n) * 64 + 64;
}

/** In TypeScript: the reference, and the implementation for small systems and where there is no SIMD. */
export class PlainSolver implements Solver {
  private readonly l: Float64Array;
  private readonly lt: Float64Array;

  constructor(
    a: Float64Array,
    private readonly n: number,
  ) {
    this.l = cholesky(a, n);
    this.lt = transpose(this.l, n, n);
  }

  solve(rows: Float64Array, count: number): void {
    solveRows(this.l, this.lt, this.n, rows, count);
  }
}

/** Right sides that are solved side by side. */
const SIDES = 8;

/** In WebAssembly. */
export class SimdSolver implements Solver {
  private readonly size: number;
  private readonly l: number;
  /** Lᵀ in reverse order. */
  private readonly lt: number;
  private readonly x: number;

  constructor(
    a: Float64Array,
    private readonly n: number,
    private readonly simd: Algebra,
  ) {
    this.size = padded(n);
    this.x = simd.place(this.size * SIDES * 8);
    this.l = placeFactor(simd, n, this.x, (i, row) => row.set(a.subarray(i * n, i * n + i + 1)));
    this.lt = simd.place(this.size * this.size * 8);
    simd.functions.reversedTranspose(this.l, this.size, this.lt);
  }

  solve(rows: Float64Array, count: number): void {
    const { n, size, simd } = this;
    const x = simd.float64(this.x, size * SIDES).fill(0);
    for (let first = 0; first < count; first += SIDES) {
      const sides = Math.min(SIDES, count - first);
      for (let r = 0, i = first * n; r < sides; r++) for (let k = 0; k < n; k++, i++) x[k * SIDES + r] = rows[i];
      simd.functions.forward(this.l, size * 8, size, this.x);
      simd.functions.reverse(this.x, size);
      simd.functions.forward(this.lt, size * 8, size, this.x);
      simd.functions.reverse(this.x, size);
      for (let r = 0, i = first * n; r < sides; r++) for (let k = 0; k < n; k++, i++) rows[i] = x[k * SIDES + r];
    }
  }
}

/**
 * Cholesky factor L of A in the memory of WebAssembly, [size][size] with size = {@link padded}(n): ones on the diagonal
 * past n. What is above the diagonal is undefined.
 *
 * @param x address of float64 [size][8], scratch
 * @param write writes columns 0…i of row i of A
 * @returns its address
 * @throws RangeError if A is not positive definite
 */
export function placeFactor(
  simd: Algebra,
  n: number,
  x: number,
  write: (i: number, row: Float64Array) => void,
): number {
  const size = padded(n);
  const address = simd.place(size * size * 8);
  const matrix = simd.float64(address, size * size).fill(0);
  for (let i = 0; i < n; i++) write(i, matrix.subarray(i * size, (i + 1) * size));
  for (let i = n; i < size; i++) matrix[i * size + i] = 1;
  if (!simd.functions.cholesky(address, size, x)) throw new RangeError('The matrix is not positive definite.');
  return address;
}

/** Rows of a matrix in WebAssembly. */
export function padded(n: number): number {
  return Math.ceil(n / 8) * 8;
}
