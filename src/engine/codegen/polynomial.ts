import type { Access, Kernel, Program } from '../program/types';

/** Half of the range of a coefficient, see `qmcu_poly.h`. */
const HALF = 2 ** 15;

/**
 * Whether a depthwise convolution may be computed by polynomials: a 3 × 3 kernel with stride 1, whose padding is 0, and weights with which no
 * sum of some of a channel's products leaves a coefficient. Signed codes count from 0 on there. 4-bit weights always fit, and so do 4-bit codes.
 */
export function fitsPolynomial({ buffers, constants }: Program, input: Access, { window, padCodes, weights }: Extract<Kernel, { op: 'depthwise2d' }>): boolean {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  if (kernelH !== 3 || kernelW !== 3 || strideH !== 1 || strideW !== 1 || dilationH !== 1 || dilationW !== 1 || padCodes !== null) return false;
  const { bits } = buffers[input.buffer];
  if (bits < 4 || input.channels % 2 !== 0) return false;
  const largestCode = 2 ** bits - 1;
  const { values } = constants[weights];
  for (let c = 0; c < input.channels; c++) {
    let least = 0;
    let largest = 0;
    for (let tap = c; tap < values.length; tap += input.channels) {
      least += Math.min(0, values[tap]) * largestCode;
      largest += Math.max(0, values[tap]) * largestCode;
    }
    if (least < -HALF || largest >= HALF) return false;
  }
  return true;
}
