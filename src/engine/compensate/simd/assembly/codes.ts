// AssemblyScript, part of algebra.ts: sampled int16 codes on their way into sums, and predictions from them.

/**
 * Codes of some pixels, of HWC as rows of one channel each.
 *
 * @param codes int16; 14 bytes past what is read must exist
 * @param at    int32 [count]: byte offsets of the pixels' first channel
 * @param added to each code
 * @param out   int16: pixel i of channel c at c·outStep + 2·i bytes
 */
export function gather(
  codes: usize,
  at: usize,
  count: i32,
  channels: i32,
  added: i32,
  out: usize,
  outStep: usize,
): void {
  const more = i16x8.splat(<i16>added);
  const whole = count & ~7;
  const blocks = channels & ~7;
  for (let i = 0; i < whole; i += 8) {
    const o = at + (<usize>i << 2);
    const p0 = codes + load<u32>(o);
    const p1 = codes + load<u32>(o, 4);
    const p2 = codes + load<u32>(o, 8);
    const p3 = codes + load<u32>(o, 12);
    const p4 = codes + load<u32>(o, 16);
    const p5 = codes + load<u32>(o, 20);
    const p6 = codes + load<u32>(o, 24);
    const p7 = codes + load<u32>(o, 28);
    let to = out + (<usize>i << 1);
    for (let c: usize = 0; c < <usize>blocks << 1; c += 16) {
      // Rows of pixels become rows of channels: pairs, then quads, then all eight.
      const a0 = v128.load(p0 + c), a1 = v128.load(p1 + c), a2 = v128.load(p2 + c), a3 = v128.load(p3 + c);
      const a4 = v128.load(p4 + c), a5 = v128.load(p5 + c), a6 = v128.load(p6 + c), a7 = v128.load(p7 + c);
      const b0 = lower16(a0, a1), b1 = lower16(a2, a3), b2 = lower16(a4, a5), b3 = lower16(a6, a7);
      const b4 = upper16(a0, a1), b5 = upper16(a2, a3), b6 = upper16(a4, a5), b7 = upper16(a6, a7);
      to = storeQuad(lower32(b0, b1), lower32(b2, b3), upper32(b0, b1), upper32(b2, b3), more, to, outStep);
      to = storeQuad(lower32(b4, b5), lower32(b6, b7), upper32(b4, b5), upper32(b6, b7), more, to, outStep);
    }
  }
  for (let i = 0; i < count; i++) {
    const p = codes + load<u32>(at + (<usize>i << 2));
    for (let c = i < whole ? blocks : 0; c < channels; c++) {
      store<i16>(out + <usize>c * outStep + (<usize>i << 1), load<i16>(p + (<usize>c << 1)) + <i16>added);
    }
  }
}

@inline
function lower16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function upper16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

@inline
function lower32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

@inline
function upper32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** Stores four channels of eight pixels: a and c hold the first four pixels, b and d the others. */
@inline
function storeQuad(a: v128, b: v128, c: v128, d: v128, more: v128, to: usize, step: usize): usize {
  v128.store(to, i16x8.add(v128.shuffle<i64>(a, b, 0, 2), more));
  to += step;
  v128.store(to, i16x8.add(v128.shuffle<i64>(a, b, 1, 3), more));
  to += step;
  v128.store(to, i16x8.add(v128.shuffle<i64>(c, d, 0, 2), more));
  to += step;
  v128.store(to, i16x8.add(v128.shuffle<i64>(c, d, 1, 3), more));
  return to + step;
}

/**
 * Codes less a zero point, 0 where there is none.
 *
 * @param codes   int16 [length], changed
 * @param padding stands for no code
 */
export function lessZero(codes: usize, length: i32, padding: i32, zero: i32): void {
  const none = i16x8.splat(<i16>padding);
  const less = i16x8.splat(<i16>zero);
  const end = codes + (<usize>length << 1);
  let p = codes;
  for (; p + 16 <= end; p += 16) {
    const code = v128.load(p);
    v128.store(p, v128.andnot(i16x8.sub(code, less), i16x8.eq(code, none)));
  }
  for (; p < end; p += 2) {
    const code = <i32>load<i16>(p);
    store<i16>(p, <i16>(code == padding ? 0 : code - zero));
  }
}

/** Replaces codes by what a table has for them. @param codes int16 [length], changed @param table int16 */
export function translate(codes: usize, length: i32, table: usize): void {
  for (let p = codes, end = codes + (<usize>length << 1); p < end; p += 2) {
    store<i16>(p, load<i16>(table + (<usize>load<u16>(p) << 1)));
  }
}

/** Sum of int16 [length], a multiple of 8. */
export function sum(codes: usize, length: i32): i32 {
  const ones = i16x8.splat(1);
  let total = i32x4.splat(0);
  for (let p = codes, end = codes + (<usize>length << 1); p < end; p += 16) {
    total = i32x4.add(total, i32x4.dot_i16x8_s(v128.load(p), ones));
  }
  return (
    i32x4.extract_lane(total, 0) +
    i32x4.extract_lane(total, 1) +
    i32x4.extract_lane(total, 2) +
    i32x4.extract_lane(total, 3)
  );
}

/** Codes less their mean, subtracted in 64 bits. @param codes int16 [length] @param out float32 [length] */
export function center(codes: usize, length: i32, mean: f64, out: usize): void {
  const means = f64x2.splat(mean);
  const whole = length & ~3;
  for (let t = 0; t < whole; t += 4) {
    const integers = v128.load_ext<i16>(codes + (<usize>t << 1));
    const low = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.convert_low_i32x4_s(integers), means));
    const others = v128.shuffle<i64>(integers, integers, 1, 1);
    const high = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.convert_low_i32x4_s(others), means));
    v128.store(out + (<usize>t << 2), v128.shuffle<i64>(low, high, 0, 2));
  }
  for (let t = whole; t < length; t++) {
    store<f32>(out + (<usize>t << 2), <f32>(<f64>load<i16>(codes + (<usize>t << 1)) - mean));
  }
}

/**
 * offset + Σ w·codes of two outputs, in 64 bits, taps in order.
 *
 * @param w       float64 [2][taps]
 * @param codes   int16 [taps][length], length a multiple of 4
 * @param offsets float64 [2]
 * @param out     float64 [2][length]
 */
export function predict(w: usize, taps: i32, codes: usize, length: i32, offsets: usize, out: usize): void {
  const step = <usize>length << 1;
  const wStep = <usize>taps << 3;
  const outStep = <usize>length << 3;
  const first = v128.load64_splat(offsets);
  const second = v128.load64_splat(offsets, 8);
  for (let t = 0; t < length; t += 4) {
    let p = codes + (<usize>t << 1);
    let a0 = first, a1 = first, b0 = second, b1 = second;
    for (let k = w; k < w + wStep; k += 8, p += step) {
      const u = v128.load64_splat(k);
      const v = v128.load64_splat(k + wStep);
      const integers = v128.load_ext<i16>(p);
      let z = f64x2.convert_low_i32x4_s(integers);
      a0 = f64x2.add(a0, f64x2.mul(u, z));
      b0 = f64x2.add(b0, f64x2.mul(v, z));
      z = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(integers, integers, 1, 1));
      a1 = f64x2.add(a1, f64x2.mul(u, z));
      b1 = f64x2.add(b1, f64x2.mul(v, z));
    }
    const o = out + (<usize>t << 3);
    v128.store(o, a0);
    v128.store(o, a1, 16);
    v128.store(o + outStep, b0);
    v128.store(o + outStep, b1, 16);
  }
}
