import type { Access, Kernel, Program } from '../program/types';

/** Half of the range of a coefficient, and the largest code of 4 bits, see `qmcu_poly.h`. */
const HALF = 2048;
const LARGEST_CODE = 15;
/** Largest weight that a word of three has room for beside its neighbors. */
const LARGEST_WEIGHT = 127;

/**
 * Whether a depthwise convolution may be computed by polynomials: a 3 × 3 kernel with stride 1 over 4-bit codes, whose padding is 0, and weights with which no
 * sum of some of a channel's products leaves a coefficient. Signed codes count from 0 to 15 there.
 */
export function fitsPolynomial({ buffers, constants }: Program, input: Access, { window, padCodes, weights }: Extract<Kernel, { op: 'depthwise2d' }>): boolean {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  if (kernelH !== 3 || kernelW !== 3 || strideH !== 1 || strideW !== 1 || dilationH !== 1 || dilationW !== 1 || padCodes !== null) return false;
  if (buffers[input.buffer].bits !== 4 || input.channels % 2 !== 0) return false;
  const { values } = constants[weights];
  for (let c = 0; c < input.channels; c++) {
    let least = 0;
    let largest = 0;
    for (let tap = c; tap < values.length; tap += input.channels) {
      if (Math.abs(values[tap]) > LARGEST_WEIGHT) return false;
      least += Math.min(0, values[tap]) * LARGEST_CODE;
      largest += Math.max(0, values[tap]) * LARGEST_CODE;
    }
    if (least < -HALF || largest >= HALF) return false;
  }
  return true;
}
