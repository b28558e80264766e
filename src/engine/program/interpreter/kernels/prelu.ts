import { saturate } from '../../arithmetic';
import type { KernelOf } from '../../types';
import { checkClamp, check, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `prelu` of types.ts: two slopes in 16 bits. */
export function preparePrelu(kernel: KernelOf<'prelu'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { channels } = input;
  const { offset, shift, min, max } = kernel;
  requireSameShape(input, context.output);
  checkClamp(context.output, min, max);
  check(shift >= 0 && shift <= 31, `Shift ${shift} is out of range.`);
  const positive = context.constants.perChannel(kernel.positive, channels);
  const negative = context.constants.int32(kernel.negative, channels);
  const pixels = input.h * input.w;
  return ([x], out) => {
    for (let p = 0, i = 0; p < pixels; p++) {
      for (let c = 0; c < channels; c++, i++) {
        out[i] = saturate((x[i] * (x[i] >= 0 ? positive[c] : negative[c]) + offset) >> shift, min, max);
      }
    }
  };
}
