/**
 * Functions of fixed-point values, as the firmware's qmcu_detect.c has them. Arguments have 12 bits behind the point
 * unless another number is named.
 */

/** σ(k/32), k = 0 … 256, 15 bits behind the point. */
export const SIGMOID = Int16Array.from({ length: 257 }, (_, k) => Math.round(32768 / (1 + Math.exp(-k / 32))));
/** 2^(k/64), k = 0 … 64, 14 bits behind the point. */
export const POWER = Uint16Array.from({ length: 65 }, (_, k) => Math.round(16384 * 2 ** (k / 64)));
/** log2(1 + k/64), k = 0 … 64, 12 bits behind the point. */
export const LOGARITHM = Int16Array.from({ length: 65 }, (_, k) => Math.round(4096 * Math.log2(1 + k / 64)));

/** log2(e), 14 bits behind the point. */
const LOG2_E = 23637;
const LEAST_EXPONENT = -16 * 4096;
const MOST_EXPONENT = 9 * 4096;

/** 1/(1 + e^−v), 15 bits behind the point. */
export function sigmoid(v: number): number {
  const t = Math.min(Math.abs(v), 32767);
  const low = SIGMOID[t >> 7];
  const y = low + (((SIGMOID[(t >> 7) + 1] - low) * (t & 127)) >> 7);
  return v < 0 ? 32768 - y : y;
}

/** factor·2^u, rounded down, for a factor of at most 2^15 and u below 14. */
function timesPower(factor: number, u: number): number {
  const n = u >> 12;
  const f = u & 4095;
  const low = POWER[f >> 6];
  const y = low + (((POWER[(f >> 6) + 1] - low) * (f & 63)) >> 6);
  return n < -16 ? 0 : (factor * y) >>> (14 - n);
}

/** factor·e^v. */
export function timesExp(factor: number, v: number): number {
  const t = Math.max(LEAST_EXPONENT, Math.min(MOST_EXPONENT, v));
  return timesPower(factor, (t * LOG2_E) >> 14);
}

/** log2 of a chance of 15 bits behind the point, 1 … 32768; 0 or less. */
export function logarithm(chance: number): number {
  const n = 31 - Math.clz32(chance);
  const f = (chance << (15 - n)) - 32768;
  const low = LOGARITHM[f >> 9];
  return (n - 15) * 4096 + low + ((((LOGARITHM[(f >> 9) + 1] ?? 4096) - low) * (f & 511)) >> 9);
}

/** objectness^a·class^b of chances of 15 bits behind the point. */
export function combine(objectness: number, chance: number, [a, b]: readonly [number, number]): number {
  if (a === 4096 && b === 4096) return (objectness * chance + 16384) >> 15;
  if (objectness <= 0 || chance <= 0) return 0;
  return timesPower(32768, Math.max(-65536, (a * logarithm(objectness) + b * logarithm(chance)) >> 12));
}

/** A value that is a chance already, with 15 bits behind the point. */
export function chanceOf(v: number): number {
  return v <= 0 ? 0 : v >= 4096 ? 32768 : v << 3;
}
