/**
 * Two weights in one double: low + high·2²⁷. A code times it and a sum of such products are exact while both sums stay
 * below 2²⁶, since 2²⁶·2²⁷ + 2²⁶ needs no more than a double's 53 bits; so one multiplication does the work of two.
 * Engines run it at twice the speed of 32-bit integers, which they check and spill more often.
 */
export const PAIR = 2 ** 27;

/** The high one of two sums; the low one is `sum − high·PAIR`. */
export function splitPair(sum: number): number {
  return Math.floor((sum + PAIR / 2) / PAIR);
}

/** Rows of weights, packed and interleaved. */
export interface PackedRows {
  /** [group][blocks][taps][2] doubles of `perDouble` output channels each; missing channels are 0. */
  readonly values: Float64Array;
  /** Of one group. */
  readonly blocks: number;
  /** Doubles of one block. */
  readonly blockLength: number;
  /** 2, or 1 where a sum could leave 26 bits. */
  readonly perDouble: 1 | 2;
}

/**
 * @param weights [group][groupOut][taps]
 * @param largest largest magnitude of a code
 */
export function packRows(
  weights: ArrayLike<number>,
  group: number,
  groupOut: number,
  taps: number,
  largest: number,
): PackedRows {
  const perDouble = largestRowSum(weights, taps) * largest < PAIR / 2 ? 2 : 1;
  const perBlock = perDouble * 2;
  const blocks = Math.ceil(groupOut / perBlock);
  const values = new Float64Array(group * blocks * taps * 2);
  for (let g = 0; g < group; g++) {
    for (let o = 0; o < groupOut; o++) {
      const from = (g * groupOut + o) * taps;
      const to = (g * blocks + Math.floor(o / perBlock)) * taps * 2 + Math.floor((o % perBlock) / perDouble);
      const factor = o % perDouble === 0 ? 1 : PAIR;
      for (let k = 0; k < taps; k++) values[to + k * 2] += weights[from + k] * factor;
    }
  }
  return { values, blocks, blockLength: taps * 2, perDouble };
}

/** Largest sum of magnitudes of a row. */
function largestRowSum(weights: ArrayLike<number>, taps: number): number {
  let largest = 0;
  for (let from = 0; from < weights.length; from += taps) {
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += Math.abs(weights[from + k]);
    largest = Math.max(largest, sum);
  }
  return largest;
}
