import type { KernelOf } from '../../types';
import { checkCodes, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `lookup` of types.ts: a table of output codes, indexed by the bits of the input code. */
export function prepareLookup(kernel: KernelOf<'lookup'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  requireSameShape(input, context.output);
  const table = context.constants.int32(kernel.table, 2 ** input.bits);
  checkCodes(context.output, table);
  const mask = 2 ** input.bits - 1;
  const length = input.h * input.w * input.channels;
  return ([x], out) => {
    for (let i = 0; i < length; i++) out[i] = table[x[i] & mask];
  };
}
