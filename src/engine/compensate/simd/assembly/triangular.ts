// Systems of equations with a symmetric positive definite matrix, in float64. Matrices are [n][n], n a multiple of 8
// (filled up with ones on the diagonal). Eight right sides lie side by side, [n][8]: a row of them takes 64 bytes.

/**
 * Solves L·x = b, L lower triangular.
 *
 * @param l    rows of L, `step` bytes apart
 * @param n    a multiple of 2
 * @param x    [n][8], b on entry
 */
export function forward(l: usize, step: usize, n: i32, x: usize): void {
  for (let i = 0; i < n; i += 2) {
    const at = x + (<usize>i << 6);
    let p = l + <usize>i * step;
    let a0 = v128.load(at), a1 = v128.load(at, 16), a2 = v128.load(at, 32), a3 = v128.load(at, 48);
    let b0 = v128.load(at, 64), b1 = v128.load(at, 80), b2 = v128.load(at, 96), b3 = v128.load(at, 112);
    for (let q = x; q < at; q += 64, p += 8) {
      const u = v128.load64_splat(p);
      const v = v128.load64_splat(p + step);
      let z = v128.load(q);
      a0 = f64x2.sub(a0, f64x2.mul(u, z));
      b0 = f64x2.sub(b0, f64x2.mul(v, z));
      z = v128.load(q, 16);
      a1 = f64x2.sub(a1, f64x2.mul(u, z));
      b1 = f64x2.sub(b1, f64x2.mul(v, z));
      z = v128.load(q, 32);
      a2 = f64x2.sub(a2, f64x2.mul(u, z));
      b2 = f64x2.sub(b2, f64x2.mul(v, z));
      z = v128.load(q, 48);
      a3 = f64x2.sub(a3, f64x2.mul(u, z));
      b3 = f64x2.sub(b3, f64x2.mul(v, z));
    }
    finish(at, v128.load64_splat(p), a0, a1, a2, a3);
    const v = v128.load64_splat(p + step);
    b0 = f64x2.sub(b0, f64x2.mul(v, v128.load(at)));
    b1 = f64x2.sub(b1, f64x2.mul(v, v128.load(at, 16)));
    b2 = f64x2.sub(b2, f64x2.mul(v, v128.load(at, 32)));
    b3 = f64x2.sub(b3, f64x2.mul(v, v128.load(at, 48)));
    finish(at + 64, v128.load64_splat(p + step + 8), b0, b1, b2, b3);
  }
}

@inline
function finish(at: usize, diagonal: v128, v0: v128, v1: v128, v2: v128, v3: v128): void {
  v128.store(at, f64x2.div(v0, diagonal));
  v128.store(at, f64x2.div(v1, diagonal), 16);
  v128.store(at, f64x2.div(v2, diagonal), 32);
  v128.store(at, f64x2.div(v3, diagonal), 48);
}

/**
 * Cholesky factor in place of the lower triangle, eight rows at a time: these rows of L, except for their last eight
 * columns, solve a system with the rows above.
 *
 * @param a [n][n], n a multiple of 8
 * @param x [n][8], scratch
 * @returns whether the matrix is positive definite
 */
export function cholesky(a: usize, n: i32, x: usize): bool {
  const step = <usize>n << 3;
  for (let i = 0; i < n; i += 8) {
    const rows = a + <usize>i * step;
    for (let k = 0; k < i; k++) {
      const to = x + (<usize>k << 6);
      const from = rows + (<usize>k << 3);
      for (let r = 0; r < 8; r++) store<f64>(to + (<usize>r << 3), load<f64>(from + <usize>r * step));
    }
    forward(a, step, i, x);
    for (let k = 0; k < i; k++) {
      const from = x + (<usize>k << 6);
      const to = rows + (<usize>k << 3);
      for (let r = 0; r < 8; r++) store<f64>(to + <usize>r * step, load<f64>(from + (<usize>r << 3)));
    }
    const corner = rows + (<usize>i << 3);
    for (let r = 0; r < 8; r++) {
      const to = corner + <usize>r * step;
      let c0 = v128.load(to), c1 = v128.load(to, 16), c2 = v128.load(to, 32), c3 = v128.load(to, 48);
      for (let q = x, end = x + (<usize>i << 6); q < end; q += 64) {
        const s = v128.load64_splat(q + (<usize>r << 3));
        c0 = f64x2.sub(c0, f64x2.mul(s, v128.load(q)));
        c1 = f64x2.sub(c1, f64x2.mul(s, v128.load(q, 16)));
        c2 = f64x2.sub(c2, f64x2.mul(s, v128.load(q, 32)));
        c3 = f64x2.sub(c3, f64x2.mul(s, v128.load(q, 48)));
      }
      v128.store(to, c0);
      v128.store(to, c1, 16);
      v128.store(to, c2, 32);
      v128.store(to, c3, 48);
    }
    if (!small(corner, step)) return false;
  }
  return true;
}

/** Cholesky factor of an 8 × 8 matrix in place of its lower triangle. */
function small(a: usize, step: usize): bool {
  for (let i: usize = 0; i < 8; i++) {
    for (let j: usize = 0; j <= i; j++) {
      const p = a + i * step;
      const q = a + j * step;
      let sum = load<f64>(p + (j << 3));
      for (let k: usize = 0; k < j; k++) sum -= load<f64>(p + (k << 3)) * load<f64>(q + (k << 3));
      if (i != j) store<f64>(p + (j << 3), sum / load<f64>(q + (j << 3)));
      else if (sum > 0) store<f64>(p + (j << 3), sqrt(sum));
      else return false;
    }
  }
  return true;
}

/**
 * Lᵀ with rows and columns in reverse, which is lower triangular again: with {@link reverse} before and after, {@link
 * forward} solves Lᵀ·x = b by it.
 *
 * @param to [n][n], its upper triangle is left as it is
 */
export function reversedTranspose(l: usize, n: i32, to: usize): void {
  const step = <usize>n << 3;
  const last = to + <usize>(n - 1) * step + (<usize>(n - 1) << 3);
  for (let i = 0; i < n; i++) {
    const to = last - (<usize>i << 3);
    const from = l + <usize>i * step;
    for (let k = 0; k <= i; k++) store<f64>(to - <usize>k * step, load<f64>(from + (<usize>k << 3)));
  }
}

/** Right sides in reverse order of their rows. @param x [n][8] */
export function reverse(x: usize, n: i32): void {
  let a = x;
  let b = x + (<usize>(n - 1) << 6);
  for (; a < b; a += 64, b -= 64) {
    for (let i: usize = 0; i < 64; i += 16) {
      const v = v128.load(a + i);
      v128.store(a + i, v128.load(b + i));
      v128.store(b + i, v);
    }
  }
}
