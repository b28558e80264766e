import type { KernelOf } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';

/** `classify` of types.ts; its output is the one byte of the flag (see Executor). */
export function prepareClassify(kernel: KernelOf<'classify'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { low, high, limit } = kernel;
  const length = input.h * input.w * input.channels;
  check(context.output.channels === 1, 'A classification writes one byte.');
  return ([x], out) => {
    let outside = 0;
    for (let i = 0; i < length; i++) if (x[i] < low || x[i] > high) outside++;
    out[0] = outside > limit ? 1 : 0;
  };
}
