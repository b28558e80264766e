import { UserError } from '../common/errors';

/** Integers of a requantization at the layer's base formats; see {@link Requantization} in types.ts for the formula. */
export interface RequantTable {
  /** int32 [C], in accumulator units. */
  readonly bias: Int32Array;
  /** int32 [C]. */
  readonly multiplier: Int32Array;
  readonly preShift: number;
  readonly shift: number;
}

/**
 * Fractional bits that the result of the high multiply keeps where the accumulator leaves room; its floor then costs
 * less than 1/64 of a code.
 */
const FRACTION_BITS = 6;
const MAX_SHIFT = 30;
/** Of branches; what is shifted further is 0 in any case. */
const LARGEST_BRANCH_SHIFT = 31;
const INT32 = 2 ** 31;

/**
 * Turns real factors into 32-bit multipliers with one shift for all channels.
 *
 * @param factors  real output codes per accumulator unit, > 0, [C]
 * @param bias     in accumulator units, real, [C]
 * @param accBound largest magnitude of Σ w·x without bias, [C] or [1]
 * @param where    what to name in an error
 * @throws UserError if an accumulator could overflow 32 bits
 */
export function requantTable(
  factors: Float64Array,
  bias: Float64Array,
  accBound: Float64Array,
  where: string,
): RequantTable {
  let largest = 0;
  let bound = 0;
  const rounded = new Int32Array(bias.length);
  for (let c = 0; c < factors.length; c++) {
    largest = Math.max(largest, factors[c]);
    const b = Math.round(bias[c]);
    const reach = accBound[accBound.length === 1 ? 0 : c] + Math.abs(b);
    if (!(reach < INT32)) {
      throw new UserError(
        Number.isFinite(reach) && reach < 1e12
          ? `${where}: the sums of output channel ${c} could reach ${reach.toExponential(2)} and overflow 32 bits. ` +
              'Split the layer, or check its weights and bias for extreme values.'
          : `${where}: weights or bias of output channel ${c} are so large compared with its inputs and the ` +
              'other channels that no 32-bit sum can hold them. Training may have diverged: check these weights, ' +
              'and export a sound checkpoint or rescale the channel to match the others.',
      );
    }
    bound = Math.max(bound, reach);
    rounded[c] = b;
  }
  if (!(largest > 0) || !Number.isFinite(largest))
    throw new UserError(`${where}: scales are zero or not finite; check the weights and the sample images.`);
  const room = Math.max(0, Math.floor(31 - Math.log2(bound + 1)));
  // An output whose whole range is less than one step of its accumulator was (nearly) 0 on all samples; a coarser scale
  // keeps it so.
  largest = Math.min(largest, 2 ** (room - 2));
  // Largest s with largest·2^(32+s) < 2^31.
  const base = Math.min(MAX_SHIFT, Math.floor(-1 - Math.log2(largest)));
  const preShift = Math.min(room, Math.max(0, FRACTION_BITS - base));
  const shift = Math.min(base + preShift, MAX_SHIFT);
  const scale = 2 ** (32 + shift - preShift);
  const multiplier = Int32Array.from(factors, (m) => Math.min(INT32 - 1, Math.round(m * scale)));
  // The high multiply rounds down. With few fractional bits half a unit of its result, brought back to accumulator
  // units, makes it round to nearest; with enough of them it does not matter, and branches at finer codes, which share
  // the bias, are better off without.
  if (shift < FRACTION_BITS) {
    for (let c = 0; c < rounded.length; c++) {
      const half = Math.round(2 ** 31 / multiplier[c] / 2 ** preShift);
      if (half < 2 ** 24) rounded[c] += half;
    }
  }
  return { bias: rounded, multiplier, preShift, shift };
}

/**
 * The same table for a branch whose input codes are 2^−inputExponent and output codes 2^−outputExponent times as fine
 * as the base formats: only shifts change.
 *
 * @param accBound largest magnitude of the accumulator in this branch, bias included
 */
export function branchShifts(
  table: RequantTable,
  inputExponent: number,
  outputExponent: number,
  accBound: number,
  where: string,
): { biasShift: number; preShift: number; shift: number } {
  const net = table.shift - table.preShift - inputExponent + outputExponent;
  const room = Math.max(0, Math.floor(31 - Math.log2(accBound + 1)));
  const preShift = Math.min(room, Math.max(0, Math.max(FRACTION_BITS, 1) - net));
  if (!(accBound < INT32))
    throw new UserError(`${where}: the accumulator could overflow 32 bits in a branch of the outlier class.`);
  // Of an output that was (nearly) 0 on all samples a step of the accumulator is many codes, here as in the base table.
  const shift = Math.min(LARGEST_BRANCH_SHIFT, Math.max(1, net + preShift));
  return { biasShift: inputExponent === 0 ? 0 : -inputExponent, preShift, shift };
}

/** Multipliers of a {@link ScaledSum}: int16 per input and channel with one shift, and the offset with rounding. */
export interface ScaledSumTable {
  /** [inputs][C or 1] */
  readonly multipliers: Int32Array[];
  /** [C or 1] */
  readonly offset: Int32Array;
  readonly shift: number;
}

/** What an error in a channel of a sum is worth. */
export interface SumErrors {
  /** Real value of one output code, [C]. */
  readonly outputScales: Float64Array;
  /** Distance between the lowest and the highest output code: no error is larger. */
  readonly outputCodes: number;
  /** Largest magnitude of a code, per input. */
  readonly inputReach: readonly number[];
}

/**
 * One shift serves all channels. Where ratios lie far apart, as of a channel that was nearly 0 on all samples beside
 * ordinary ones, the largest multipliers are limited if that costs less than the small ones' lost fraction bits: the
 * shift is the one with the least sum of squared errors in real values.
 *
 * @param ratios output codes per input code, signed, per input [C]
 * @param zeroPoints per input [C]
 * @param outputZero [C]
 */
export function scaledSumTable(
  ratios: readonly Float64Array[],
  zeroPoints: readonly Int32Array[],
  outputZero: Int32Array,
  errors: SumErrors,
): ScaledSumTable {
  const channels = ratios[0].length;
  let largest = 0;
  let integral = true;
  for (const row of ratios) {
    for (const r of row) {
      largest = Math.max(largest, Math.abs(r));
      if (Math.abs(r - Math.round(r)) > 1e-9 || Math.abs(r) > 256) integral = false;
    }
  }
  const most = largestSumShift(ratios, outputZero, errors);
  const whole = Math.max(0, Math.min(most, Math.floor(Math.log2(32767 / Math.max(largest, 1e-30)))));
  const shift = integral ? 0 : bestSumShift(ratios, whole, most, errors);
  const multipliers = ratios.map((row) => Int32Array.from(row, (r) => sumMultiplier(r, shift)));
  const offset = new Int32Array(channels);
  for (let c = 0; c < channels; c++) {
    let value = (shift > 0 ? 2 ** (shift - 1) : 0) + outputZero[c] * 2 ** shift;
    multipliers.forEach((row, i) => (value -= row[c] * zeroPoints[i][c]));
    offset[c] = value;
  }
  return { multipliers, offset, shift };
}

const MAX_SUM_SHIFT = 22;

function sumMultiplier(ratio: number, shift: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(ratio * 2 ** shift)));
}

/** The largest shift with which no sum leaves 32 bits: {@link MAX_SUM_SHIFT} but where inputs have 16. */
function largestSumShift(ratios: readonly Float64Array[], outputZero: Int32Array, { inputReach }: SumErrors): number {
  const fits = (shift: number): boolean =>
    outputZero.every((zero, c) => {
      const products = ratios.reduce((sum, row, i) => sum + Math.abs(sumMultiplier(row[c], shift)) * inputReach[i], 0);
      return products + (Math.abs(zero) + 1) * 2 ** shift < INT32;
    });
  let shift = MAX_SUM_SHIFT;
  while (shift > 0 && !fits(shift)) shift--;
  return shift;
}

/**
 * @param whole the largest shift at which no multiplier is limited
 * @param most the largest that may be chosen
 */
function bestSumShift(
  ratios: readonly Float64Array[],
  whole: number,
  most: number,
  { outputScales, outputCodes, inputReach }: SumErrors,
): number {
  const errorAt = (shift: number): number =>
    outputScales.reduce((sum, scale, c) => {
      const codes = ratios.reduce(
        (total, row, i) => total + Math.abs(sumMultiplier(row[c], shift) / 2 ** shift - row[c]) * inputReach[i],
        0,
      );
      return sum + (scale * Math.min(codes, outputCodes)) ** 2;
    }, 0);
  let best = whole;
  let least = errorAt(whole);
  for (let shift = whole + 1; shift <= most; shift++) {
    const error = errorAt(shift);
    if (error >= least) continue;
    least = error;
    best = shift;
  }
  return best;
}
