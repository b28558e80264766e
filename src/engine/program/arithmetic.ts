/**
 * The integer operations that every execution of a Program shares (see types.ts). All arguments and results are 32-bit
 * integers held in doubles, and all results are exact.
 */

/**
 * High half of a signed 32 × 32 bit product, ⌊a·m / 2³²⌋.
 *
 * The product has up to 62 bits, a double only 53; with m = mh·2¹⁶ + ml both partial products have at most 47 bits, and
 * ⌊⌊x/p⌋/q⌋ = ⌊x/(p·q)⌋ lets the two halves of the shift be floored one after the other.
 */
export function mulhi(a: number, m: number): number {
  return mulhiSplit(a, m >> 16, m & 0xffff);
}

/** {@link mulhi} with the multiplier already split: high = m >> 16, low = m & 0xffff. */
export function mulhiSplit(a: number, high: number, low: number): number {
  return Math.floor((a * high + Math.floor((a * low) / 65536)) / 65536);
}

/**
 * (y + 2^(shift−1)) >> shift with floor: y / 2^shift rounded to nearest, halves towards +∞. shift 1…31; the sum must
 * fit 32 bits.
 */
export function roundingShift(y: number, shift: number): number {
  return (y + (1 << (shift - 1))) >> shift;
}

/** min(max(y, min), max): the upper bound wins where the two contradict each other. */
export function saturate(y: number, min: number, max: number): number {
  const low = y < min ? min : y;
  return low > max ? max : low;
}

/** The bias of a branch whose accumulator is 2^biasShift times as fine as the layer's table; see `Requantization`. */
export function shiftBias(bias: number, biasShift: number): number {
  return biasShift >= 0 ? bias << biasShift : roundingShift(bias, -biasShift);
}

/**
 * How many times the codes of a sum's inputs count: 128 times where another input has 16 bits and they have at most 8,
 * so that one shift gives the 16-bit multipliers of both their precision.
 */
export function sumFactors(bits: readonly number[]): number[] {
  return bits.map((b) => (b <= 8 && bits.includes(16) ? 128 : 1));
}

/** Smallest code of a format. */
export function minCode(bits: number, signed: boolean): number {
  return signed ? -(2 ** (bits - 1)) : 0;
}

/** Largest code of a format. */
export function maxCode(bits: number, signed: boolean): number {
  return signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
}
