/**
 * out[i·bRows + j] = Σ_t a[i·length + t] · b[j·length + t]: products of rows with rows, in blocks of 2 × 4 sums that
 * stay in registers.
 *
 * @param a [aRows][length]
 * @param b [bRows][length]
 * @param out [aRows][bRows]
 */
export function rowProducts(
  a: Float64Array,
  aRows: number,
  b: Float64Array,
  bRows: number,
  length: number,
  out: Float64Array,
): void {
  for (let i = 0; i < aRows; i += 2) productBlock(a, i, aRows, b, 0, bRows, length, out);
}

/** G = A·Aᵀ of [rows][length], both triangles. */
export function gram(a: Float64Array, rows: number, length: number): Float64Array {
  const out = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i += 2) productBlock(a, i, rows, a, i - (i % 4), rows, length, out);
  for (let i = 0; i < rows; i++) for (let j = i + 1; j < rows; j++) out[j * rows + i] = out[i * rows + j];
  return out;
}

/**
 * Rows i and i + 1 of a with all rows of b from `first` on. Rows past the last are computed from the last and not
 * stored.
 */
function productBlock(
  a: Float64Array,
  i: number,
  aRows: number,
  b: Float64Array,
  first: number,
  bRows: number,
  length: number,
  out: Float64Array,
): void {
  const p0 = i * length;
  const p1 = Math.min(i + 1, aRows - 1) * length;
  for (let j = first; j < bRows; j += 4) {
    const last = bRows - 1;
    const q0 = j * length;
    const q1 = Math.min(j + 1, last) * length;
    const q2 = Math.min(j + 2, last) * length;
    const q3 = Math.min(j + 3, last) * length;
    let s00 = 0,
      s01 = 0,
      s02 = 0,
      s03 = 0,
      s10 = 0,
      s11 = 0,
      s12 = 0,
      s13 = 0;
    for (let t = 0; t < length; t++) {
      const x = a[p0 + t],
        y = a[p1 + t];
      const u = b[q0 + t],
        v = b[q1 + t],
        w = b[q2 + t],
        z = b[q3 + t];
      s00 += x * u;
      s01 += x * v;
      s02 += x * w;
      s03 += x * z;
      s10 += y * u;
      s11 += y * v;
      s12 += y * w;
      s13 += y * z;
    }
    const o = i * bRows + j;
    const n = bRows - j;
    out[o] = s00;
    if (n > 1) out[o + 1] = s01;
    if (n > 2) out[o + 2] = s02;
    if (n > 3) out[o + 3] = s03;
    if (i + 1 >= aRows) continue;
    out[o + bRows] = s10;
    if (n > 1) out[o + bRows + 1] = s11;
    if (n > 2) out[o + bRows + 2] = s12;
    if (n > 3) out[o + bRows + 3] = s13;
  }
}

/**
 * Cholesky factor of a symmetric positive definite matrix: A = L·Lᵀ, L lower triangular [n][n], its upper triangle 0.
 * @throws RangeError if A is not positive definite
 */
export function cholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      const p = i * n;
      const q = j * n;
      for (let k = 0; k < j; k++) sum -= l[p + k] * l[q + k];
      if (i === j) {
        if (!(sum > 0)) throw new RangeError('The matrix is not positive definite.');
        l[p + i] = Math.sqrt(sum);
      } else l[p + j] = sum / l[q + j];
    }
  }
  return l;
}

/** Transpose of a square matrix. */
export function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}

/**
 * Solves A·x = b for each row b of `rows`, in place, given the Cholesky factor of A and its transpose.
 * @param rows [count][n]
 */
export function solveRows(l: Float64Array, lt: Float64Array, n: number, rows: Float64Array, count: number): void {
  for (let r = 0; r < count; r++) {
    const o = r * n;
    for (let i = 0; i < n; i++) {
      let sum = rows[o + i];
      const p = i * n;
      for (let k = 0; k < i; k++) sum -= l[p + k] * rows[o + k];
      rows[o + i] = sum / l[p + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = rows[o + i];
      const p = i * n;
      for (let k = i + 1; k < n; k++) sum -= lt[p + k] * rows[o + k];
      rows[o + i] = sum / lt[p + i];
    }
  }
}
