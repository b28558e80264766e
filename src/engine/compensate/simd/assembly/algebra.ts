// AssemblyScript. `npm run kernels` compiles it into ../module.ts.
//
// The dense sums of error compensation. Arrays are laid out by the caller; nothing is allocated here. Rows of int16 are
// padded with zeros to multiples of 8, rows of float32 to multiples of 4.

export { center, gather, lessZero, predict, sum, translate } from './codes';
export { cholesky, forward, reverse, reversedTranspose } from './triangular';

/** Rows that are summed in 32-bit floating point before they are added to a 64-bit sum. */
const CHUNK: i32 = 512;

/** Sum of the four lanes. */
@inline
function sumI32(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

@inline
function sumF32(v: v128): f64 {
  const low = <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1);
  return low + (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3));
}

/**
 * Lower triangle of A·Aᵀ, and of the 2 × 4 blocks on it.
 *
 * @param a    int16 [n][length], n a multiple of 4, length of 8
 * @param out  int32 [n][n]
 */
export function gram(a: usize, n: i32, length: i32, out: usize): void {
  const step = <usize>length << 1;
  const outStep = <usize>n << 2;
  for (let i = 0; i < n; i += 2) {
    const p0 = a + <usize>i * step;
    const p1 = p0 + step;
    for (let j = 0; j <= i; j += 4) {
      let q0 = a + <usize>j * step;
      let q1 = q0 + step;
      let q2 = q1 + step;
      let q3 = q2 + step;
      let s00 = i32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
      for (let t: usize = 0; t < step; t += 16) {
        const x = v128.load(p0 + t);
        const y = v128.load(p1 + t);
        let z = v128.load(q0 + t);
        s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, z));
        s10 = i32x4.add(s10, i32x4.dot_i16x8_s(y, z));
        z = v128.load(q1 + t);
        s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, z));
        s11 = i32x4.add(s11, i32x4.dot_i16x8_s(y, z));
        z = v128.load(q2 + t);
        s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, z));
        s12 = i32x4.add(s12, i32x4.dot_i16x8_s(y, z));
        z = v128.load(q3 + t);
        s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, z));
        s13 = i32x4.add(s13, i32x4.dot_i16x8_s(y, z));
      }
      const o = out + <usize>i * outStep + (<usize>j << 2);
      store<i32>(o, sumI32(s00));
      store<i32>(o, sumI32(s01), 4);
      store<i32>(o, sumI32(s02), 8);
      store<i32>(o, sumI32(s03), 12);
      store<i32>(o + outStep, sumI32(s10));
      store<i32>(o + outStep, sumI32(s11), 4);
      store<i32>(o + outStep, sumI32(s12), 8);
      store<i32>(o + outStep, sumI32(s13), 12);
    }
  }
}

/**
 * A·Bᵀ.
 *
 * @param a   float32 [rows][length], rows a multiple of 2, length of 4
 * @param b   float32 [n][length], n a multiple of 4
 * @param out float64 [rows][n]
 */
export function products(a: usize, rows: i32, b: usize, n: i32, length: i32, out: usize): void {
  const step = <usize>length << 2;
  const outStep = <usize>n << 3;
  memory.fill(out, 0, <usize>rows * outStep);
  for (let begin = 0; begin < length; begin += CHUNK) {
    const from = <usize>begin << 2;
    const to = <usize>min(length, begin + CHUNK) << 2;
    for (let j = 0; j < n; j += 4) {
      const q0 = b + <usize>j * step;
      const q1 = q0 + step;
      const q2 = q1 + step;
      const q3 = q2 + step;
      for (let i = 0; i < rows; i += 2) {
        const p0 = a + <usize>i * step;
        const p1 = p0 + step;
        let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        for (let t = from; t < to; t += 16) {
          const x = v128.load(p0 + t);
          const y = v128.load(p1 + t);
          let z = v128.load(q0 + t);
          s00 = f32x4.add(s00, f32x4.mul(x, z));
          s10 = f32x4.add(s10, f32x4.mul(y, z));
          z = v128.load(q1 + t);
          s01 = f32x4.add(s01, f32x4.mul(x, z));
          s11 = f32x4.add(s11, f32x4.mul(y, z));
          z = v128.load(q2 + t);
          s02 = f32x4.add(s02, f32x4.mul(x, z));
          s12 = f32x4.add(s12, f32x4.mul(y, z));
          z = v128.load(q3 + t);
          s03 = f32x4.add(s03, f32x4.mul(x, z));
          s13 = f32x4.add(s13, f32x4.mul(y, z));
        }
        const o = out + <usize>i * outStep + (<usize>j << 3);
        store<f64>(o, load<f64>(o) + sumF32(s00));
        store<f64>(o, load<f64>(o, 8) + sumF32(s01), 8);
        store<f64>(o, load<f64>(o, 16) + sumF32(s02), 16);
        store<f64>(o, load<f64>(o, 24) + sumF32(s03), 24);
        const u = o + outStep;
        store<f64>(u, load<f64>(u) + sumF32(s10));
        store<f64>(u, load<f64>(u, 8) + sumF32(s11), 8);
        store<f64>(u, load<f64>(u, 16) + sumF32(s12), 16);
        store<f64>(u, load<f64>(u, 24) + sumF32(s13), 24);
      }
    }
  }
}

/**
 * W·X.
 *
 * @param w   float32 [rows][n], rows a multiple of 2
 * @param x   float32 [n][length], length a multiple of 4
 * @param out float32 [rows][length]
 */
export function combine(w: usize, rows: i32, x: usize, n: i32, length: i32, out: usize): void {
  const step = <usize>length << 2;
  const wStep = <usize>n << 2;
  for (let t: usize = 0; t < step; t += 64) {
    const left = step - t;
    const d1: usize = left > 16 ? 16 : 0;
    const d2: usize = left > 32 ? 32 : 0;
    const d3: usize = left > 48 ? 48 : 0;
    for (let i = 0; i < rows; i += 2) {
      let p = w + <usize>i * wStep;
      let q = x + t;
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      for (let k = 0; k < n; k++, p += 4, q += step) {
        const u = v128.load32_splat(p);
        const v = v128.load32_splat(p + wStep);
        let z = v128.load(q);
        a0 = f32x4.add(a0, f32x4.mul(u, z));
        b0 = f32x4.add(b0, f32x4.mul(v, z));
        z = v128.load(q + d1);
        a1 = f32x4.add(a1, f32x4.mul(u, z));
        b1 = f32x4.add(b1, f32x4.mul(v, z));
        z = v128.load(q + d2);
        a2 = f32x4.add(a2, f32x4.mul(u, z));
        b2 = f32x4.add(b2, f32x4.mul(v, z));
        z = v128.load(q + d3);
        a3 = f32x4.add(a3, f32x4.mul(u, z));
        b3 = f32x4.add(b3, f32x4.mul(v, z));
      }
      const o = out + <usize>i * step + t;
      const r = o + step;
      if (d3) {
        v128.store(o + d3, a3);
        v128.store(r + d3, b3);
      }
      if (d2) {
        v128.store(o + d2, a2);
        v128.store(r + d2, b2);
      }
      if (d1) {
        v128.store(o + d1, a1);
        v128.store(r + d1, b1);
      }
      v128.store(o, a0);
      v128.store(r, b0);
    }
  }
}

/**
 * What a fit aims at (leastSquares.ts): targets beyond a bound are replaced by predictions that lie beyond, too, or by
 * the bound. All less an offset.
 *
 * @param targets float32 [rows][stride], changed
 * @param predicted float32 [rows][stride], less the offset
 * @param length values of a row that count; stride is a multiple of 4
 * @param offsets float32 [rows]
 * @param sums float64 [rows], written: sums of the results
 */
export function aim(
  targets: usize,
  predicted: usize,
  rows: i32,
  length: i32,
  stride: i32,
  offsets: usize,
  low: f32,
  high: f32,
  sums: usize,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (let o = 0; o < rows; o++) {
    const row = <usize>o * (<usize>stride << 2);
    const offset = v128.load32_splat(offsets + (<usize>o << 2));
    let sum: f64 = 0;
    for (let begin = 0; begin < length; begin += CHUNK) {
      const end = row + (<usize>min(length, begin + CHUNK) << 2);
      const whole = end & ~15;
      let part = f32x4.splat(0);
      let t = row + (<usize>begin << 2);
      for (; t < whole; t += 16) {
        const value = aimed(v128.load(targets + t), f32x4.add(v128.load(predicted + t), offset), lows, highs);
        const rest = f32x4.sub(value, offset);
        v128.store(targets + t, rest);
        part = f32x4.add(part, rest);
      }
      sum += sumF32(part);
      if (t < end) {
        const guess = f32x4.add(v128.load(predicted + t), offset);
        const rest = f32x4.sub(aimed(v128.load(targets + t), guess, lows, highs), offset);
        v128.store(targets + t, rest);
        sum += <f64>f32x4.extract_lane(rest, 0);
        if (t + 4 < end) sum += <f64>f32x4.extract_lane(rest, 1);
        if (t + 8 < end) sum += <f64>f32x4.extract_lane(rest, 2);
      }
    }
    store<f64>(sums + (<usize>o << 3), sum);
  }
}

@inline
function aimed(target: v128, predicted: v128, low: v128, high: v128): v128 {
  const raised = v128.bitselect(f32x4.min(predicted, low), target, f32x4.le(target, low));
  return v128.bitselect(f32x4.max(predicted, high), raised, f32x4.ge(target, high));
}

/**
 * Rounds four rows of weights to −top…top with error feedback, from the last tap to the first (roundRows.ts).
 *
 * @param weights float32 [n][4], taps in the order of `factor`
 * @param factor  float32 [n][n]: row b holds L[a][b] for a ≥ b, L the Cholesky factor of H
 * @param scales  float32 [4]
 * @param codes   float32 [n][4], written
 * @param error   float32 [n][4], scratch
 * @param total   float32 [4], written: e·H·eᵀ of each row
 */
export function feedback(
  weights: usize,
  factor: usize,
  n: i32,
  scales: usize,
  top: f32,
  codes: usize,
  error: usize,
  total: usize,
): void {
  const scale = v128.load(scales);
  const high = f32x4.splat(top);
  const low = f32x4.splat(-top);
  let sum = f32x4.splat(0);
  for (let b = n - 1; b >= 0; b--) {
    const row = factor + (<usize>b * <usize>n << 2);
    let c0 = f32x4.splat(0), c1 = c0;
    let a = b + 1;
    for (; a + 1 < n; a += 2) {
      const e = error + (<usize>a << 4);
      const l = row + (<usize>a << 2);
      c0 = f32x4.add(c0, f32x4.mul(v128.load(e), v128.load32_splat(l)));
      c1 = f32x4.add(c1, f32x4.mul(v128.load(e, 16), v128.load32_splat(l, 4)));
    }
    if (a < n) {
      c0 = f32x4.add(c0, f32x4.mul(v128.load(error + (<usize>a << 4)), v128.load32_splat(row + (<usize>a << 2))));
    }
    const carried = f32x4.add(c0, c1);
    const diagonal = v128.load32_splat(row + (<usize>b << 2));
    const w = v128.load(weights + (<usize>b << 4));
    const nearest = f32x4.nearest(f32x4.div(f32x4.add(w, f32x4.div(carried, diagonal)), scale));
    const code = f32x4.min(f32x4.max(nearest, low), high);
    const e = f32x4.sub(w, f32x4.mul(scale, code));
    v128.store(codes + (<usize>b << 4), code);
    v128.store(error + (<usize>b << 4), e);
    const term = f32x4.add(carried, f32x4.mul(e, diagonal));
    sum = f32x4.add(sum, f32x4.mul(term, term));
  }
  v128.store(total, sum);
}

/**
 * Coordinate descent on the codes of one row (roundRows.ts).
 *
 * @param weights float32 [n]
 * @param hessian float32 [n][length], length a multiple of 4, zeros past n
 * @param codes   float32 [n], changed
 * @param slope   float32 [length], scratch
 */
export function descend(
  weights: usize,
  hessian: usize,
  n: i32,
  length: i32,
  scale: f32,
  top: f32,
  sweeps: i32,
  codes: usize,
  slope: usize,
): void {
  const bytes = <usize>length << 2;
  memory.fill(slope, 0, bytes);
  for (let k = 0; k < n; k++) {
    const at = <usize>k << 2;
    move(slope, hessian + <usize>k * bytes, bytes, load<f32>(weights + at) - scale * load<f32>(codes + at));
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let moved = false;
    for (let k = 0; k < n; k++) {
      const at = <usize>k << 2;
      const row = hessian + <usize>k * bytes;
      const code = load<f32>(codes + at);
      const next = max(-top, min(top, code + nearest(load<f32>(slope + at) / (scale * load<f32>(row + at)))));
      const change = next - code;
      if (change == 0) continue;
      store<f32>(codes + at, next);
      moved = true;
      move(slope, row, bytes, -scale * change);
    }
    if (!moved) return;
  }
}

/** to += factor·row, float32. */
@inline
function move(to: usize, row: usize, bytes: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let t: usize = 0; t < bytes; t += 16) {
    v128.store(to + t, f32x4.add(v128.load(to + t), f32x4.mul(f, v128.load(row + t))));
  }
}
