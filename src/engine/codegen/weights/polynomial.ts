import { maxCode, shiftBias } from '../../program/arithmetic';
import type { Access, KernelOf, Program } from '../../program/types';

/** Half of the range of a coefficient, and what biases are taken modulo, see `qmcu_depthwise2d_dsp_polynomial.h`. */
const HALF = 2 ** 15;
/** Sums beyond which numbers of 32 bits might not do: none is anywhere near. */
const LARGEST_SUM = 2 ** 30;

type Depthwise = KernelOf<'depthwise2d'>;

/**
 * Whether a depthwise convolution may be computed by polynomials: a 3 × 3 kernel with stride 1, whose padding is 0, and
 * weights and biases with which no sum of some of a channel's products leaves a coefficient, and no output the 32 bits
 * of its requantization. Signed codes count from 0 on there. Weights of 4 bits nearly always fit.
 */
export function fitsPolynomial(
  { buffers, constants }: Program,
  input: Access,
  output: Access,
  { window, padCodes, weights, requant }: Depthwise,
): boolean {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  if (
    kernelH !== 3 ||
    kernelW !== 3 ||
    strideH !== 1 ||
    strideW !== 1 ||
    dilationH !== 1 ||
    dilationW !== 1 ||
    padCodes !== null
  )
    return false;
  const { bits, signed } = buffers[input.buffer];
  const { channels } = input;
  const shift = requant.shift + 16 - requant.preShift;
  if (channels % 2 !== 0 || shift < 1 || shift > 31) return false;
  const { values } = constants[weights];
  const format = buffers[output.buffer];
  for (let c = 0; c < channels; c++) {
    let least = 0;
    let largest = 0;
    let sum = 0;
    for (let tap = c; tap < values.length; tap += channels) {
      least += Math.min(0, values[tap]) * (2 ** bits - 1);
      largest += Math.max(0, values[tap]) * (2 ** bits - 1);
      sum += values[tap];
    }
    const bias = shiftBias(constants[requant.bias].values[c], requant.biasShift) - (signed ? sum * 2 ** (bits - 1) : 0);
    const above =
      maxCode(format.bits, format.signed) -
      (typeof requant.max === 'number' ? requant.max : constants[requant.max.constant].values[c]);
    if (!fitsChannel(least, largest, bias, above, constants[requant.multiplier].values[c], shift)) return false;
  }
  return true;
}

/** Whether sums [least, largest] + bias do, for one channel: qmcu_depthwise2d_dsp_weights.c, put_polynomial. */
function fitsChannel(
  least: number,
  largest: number,
  bias: number,
  above: number,
  multiplier: number,
  shift: number,
): boolean {
  if (Math.abs(bias) > LARGEST_SUM) return false;
  const steps = Math.floor((bias + HALF / 2) / HALF);
  const rest = bias - steps * HALF;
  if (rest + least < -HALF || rest + largest >= HALF) return false;
  const odd = multiplier % 2 !== 0 && steps % 2 !== 0;
  const even = odd ? multiplier - 1 : multiplier;
  const added = 2 ** (shift - 1) + above * 2 ** shift + (steps * even) / 2;
  const ends = [0, Math.floor(((rest + least) * even) / 2 ** 16), Math.floor(((rest + largest) * even) / 2 ** 16)];
  if (!ends.every((y) => isInt32(added) && isInt32(added + y))) return false;
  return !odd || sameCodes(bias + least, bias + largest, multiplier, even, shift);
}

/** Whether two multipliers make the same codes of sums [least, largest], bounds aside. */
function sameCodes(least: number, largest: number, a: number, b: number, shift: number): boolean {
  const n = BigInt(16 + shift);
  const half = 1n << (n - 1n);
  for (let sum = BigInt(least), s = least; s <= largest; s++, sum++) {
    if ((sum * BigInt(a) + half) >> n !== (sum * BigInt(b) + half) >> n) return false;
  }
  return true;
}

function isInt32(value: number): boolean {
  return value >= -(2 ** 31) && value < 2 ** 31;
}
