// AssemblyScript. `npm run kernels` compiles it into ../module.ts.
//
// Convolution and depthwise convolution with requantization on dense 16-bit codes: the arithmetic of requantization.ts,
// eight products per instruction. Memory is laid out by the caller (../memory.ts); nothing is allocated here. Reads may
// go up to 14 bytes past what they need: those products meet a weight of 0, or lanes that are not stored.

/**
 * Bytes of the requantization table per 8 channels: twice four biases, four multipliers and four upper bounds, 32 bits
 * each.
 */
const TABLE_BYTES: usize = 96;

/** Codes of four channels; `table` points at their biases. */
@inline
function requantize(acc: v128, table: usize, preShift: i32, rounding: v128, shift: i32, min: v128): v128 {
  const a = i32x4.shl(i32x4.add(acc, v128.load(table)), preShift);
  const multiplier = v128.load(table, 16);
  // The upper halves of the four 64-bit products.
  const below = i64x2.extmul_low_i32x4_s(a, multiplier);
  const above = i64x2.extmul_high_i32x4_s(a, multiplier);
  const high = v128.shuffle<i32>(below, above, 1, 3, 5, 7);
  const y = i32x4.shr_s(i32x4.add(high, rounding), shift);
  return i32x4.min_s(i32x4.max_s(y, min), v128.load(table, 32));
}

/** Two vectors requantized and saturated to 16 bits. */
@inline
function narrowed(
  a: v128,
  b: v128,
  tableA: usize,
  tableB: usize,
  preShift: i32,
  rounding: v128,
  shift: i32,
  min: v128,
): v128 {
  return i16x8.narrow_i32x4_s(
    requantize(a, tableA, preShift, rounding, shift, min),
    requantize(b, tableB, preShift, rounding, shift, min),
  );
}

/** Stores the first n of eight codes, or all of them. */
@inline
function store(to: usize, codes: v128, n: i32): void {
  if (n >= 8) {
    v128.store(to, codes);
    return;
  }
  if (n & 4) {
    v128.store64_lane(to, codes, 0);
    to += 8;
    codes = v128.shuffle<i64>(codes, codes, 1, 1);
  }
  if (n & 2) {
    v128.store32_lane(to, codes, 0);
    to += 4;
    codes = v128.shuffle<i32>(codes, codes, 1, 1, 1, 1);
  }
  if (n & 1) v128.store16_lane(to, codes, 0);
}

/**
 * Convolution of one group: four pixels × eight channels at a time, sums in registers, input codes taken two by two.
 *
 * @param x code that the first tap of the first output pixel reads; steps are in bytes
 * @param weights per 8 output channels, tap row, run and quad of codes: two pairs × eight channels × 2 codes, missing
 *   ones 0
 * @param tapRows rows of taps; in each, `runs` runs of `quads`·4 codes beside each other
 * @param outStep bytes from one output pixel to the next, row after row
 */
export function convolve(
  x: usize, out: usize, weights: usize, table: usize,
  rows: i32, columns: i32, rowStep: usize, pixelStep: usize,
  tapRows: i32, tapRowStep: usize, runs: i32, runStep: usize, quads: i32,
  channels: i32, outStep: usize,
  preShift: i32, shift: i32, min: i32,
): void {
  const minimum = i32x4.splat(min);
  const rounding = i32x4.splat(1 << (shift - 1));
  const blockBytes = <usize>(tapRows * runs * quads) * 64;
  for (let oy = 0; oy < rows; oy++, x += rowStep, out += <usize>columns * outStep) {
    let block = weights;
    let t = table;
    for (let c = 0; c < channels; c += 8, block += blockBytes, t += TABLE_BYTES) {
      const n = channels - c;
      let to = out + (<usize>c << 1);
      let origin = x;
      for (let ox = 0; ox < columns; ox += 4, origin += pixelStep << 2, to += outStep << 2) {
        const left = columns - ox;
        let w = block;
        if (left == 1) {
          let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0;
          for (let ky = 0, row = origin; ky < tapRows; ky++, row += tapRowStep) {
            for (let r = 0, start = row; r < runs; r++, start += runStep) {
              let p = start;
              for (let q = quads; q > 0; q--) {
                let s = v128.load32_splat(p);
                a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v128.load(w)));
                a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v128.load(w, 16)));
                s = v128.load32_splat(p, 4);
                b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, v128.load(w, 32)));
                b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, v128.load(w, 48)));
                p += 8;
                w += 64;
              }
            }
          }
          a0 = requantize(i32x4.add(a0, b0), t, preShift, rounding, shift, minimum);
          a1 = requantize(i32x4.add(a1, b1), t + 48, preShift, rounding, shift, minimum);
          store(to, i16x8.narrow_i32x4_s(a0, a1), n);
          continue;
        }
        // Pixels past the last one are computed from the first and not stored.
        const d1 = pixelStep;
        const d2 = left > 2 ? pixelStep << 1 : 0;
        const d3 = left > 3 ? pixelStep * 3 : 0;
        let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, e0 = a0, e1 = a0;
        for (let ky = 0, row = origin; ky < tapRows; ky++, row += tapRowStep) {
          for (let r = 0, start = row; r < runs; r++, start += runStep) {
            let p = start;
            let p1 = start + d1;
            let p2 = start + d2;
            let p3 = start + d3;
            for (let q = quads; q > 0; q--) {
              let w0 = v128.load(w);
              let w1 = v128.load(w, 16);
              let s = v128.load32_splat(p);
              a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, w0));
              a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p1);
              b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, w0));
              b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p2);
              c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, w0));
              c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p3);
              e0 = i32x4.add(e0, i32x4.dot_i16x8_s(s, w0));
              e1 = i32x4.add(e1, i32x4.dot_i16x8_s(s, w1));
              w0 = v128.load(w, 32);
              w1 = v128.load(w, 48);
              s = v128.load32_splat(p, 4);
              a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, w0));
              a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p1, 4);
              b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, w0));
              b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p2, 4);
              c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, w0));
              c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, w1));
              s = v128.load32_splat(p3, 4);
              e0 = i32x4.add(e0, i32x4.dot_i16x8_s(s, w0));
              e1 = i32x4.add(e1, i32x4.dot_i16x8_s(s, w1));
              p += 8;
              p1 += 8;
              p2 += 8;
              p3 += 8;
              w += 64;
            }
          }
        }
        const t1 = t + 48;
        store(to, narrowed(a0, a1, t, t1, preShift, rounding, shift, minimum), n);
        store(to + outStep, narrowed(b0, b1, t, t1, preShift, rounding, shift, minimum), n);
        if (left > 2) store(to + (outStep << 1), narrowed(c0, c1, t, t1, preShift, rounding, shift, minimum), n);
        if (left > 3) store(to + outStep * 3, narrowed(e0, e1, t, t1, preShift, rounding, shift, minimum), n);
      }
    }
  }
}

/**
 * Depthwise convolution: eight channels of one pixel at a time, taps taken two by two.
 *
 * @param offsets byte offsets of the taps from the first, 32 bits each, two per pair
 * @param weights per 8 channels and pair of taps: eight channels × 2 taps, missing ones 0
 */
export function depthwise(
  x: usize, out: usize, weights: usize, table: usize, offsets: usize, pairs: i32,
  rows: i32, columns: i32, rowStep: usize, pixelStep: usize, channels: i32,
  preShift: i32, shift: i32, min: i32,
): void {
  const minimum = i32x4.splat(min);
  const rounding = i32x4.splat(1 << (shift - 1));
  const last = offsets + (<usize>pairs << 3);
  for (let oy = 0; oy < rows; oy++, x += rowStep) {
    for (let ox = 0, origin = x; ox < columns; ox++, origin += pixelStep, out += <usize>channels << 1) {
      let w = weights;
      let t = table;
      for (let c = 0; c < channels; c += 8, t += TABLE_BYTES) {
        const p = origin + (<usize>c << 1);
        let a0 = i32x4.splat(0), a1 = a0;
        for (let o = offsets; o < last; o += 8, w += 32) {
          const u = v128.load(p + load<u32>(o));
          const v = v128.load(p + load<u32>(o, 4));
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(w)));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(w, 16)));
        }
        a0 = requantize(a0, t, preShift, rounding, shift, minimum);
        a1 = requantize(a1, t + 48, preShift, rounding, shift, minimum);
        store(out + (<usize>c << 1), i16x8.narrow_i32x4_s(a0, a1), channels - c);
      }
    }
  }
}
