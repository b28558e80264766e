import type { KernelOf } from '../../types';
import { checkCodes, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `lookup` of types.ts: a table of output codes, indexed by the bits of the input code, or its knots at 16 bits. */
export function prepareLookup(kernel: KernelOf<'lookup'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  requireSameShape(input, context.output);
  const length = input.h * input.w * input.channels;
  if (input.bits === 16) return interpolate(context, kernel, length);
  const table = context.constants.int32(kernel.table, 2 ** input.bits);
  checkCodes(context.output, table);
  const mask = 2 ** input.bits - 1;
  return ([x], out) => {
    for (let i = 0; i < length; i++) out[i] = table[x[i] & mask];
  };
}

function interpolate(context: KernelContext, kernel: KernelOf<'lookup'>, length: number): PreparedKernel {
  const knots = context.constants.int32(kernel.table, 513);
  checkCodes(context.output, knots);
  return ([x], out) => {
    for (let i = 0; i < length; i++) {
      const k = (x[i] + 32768) >> 7;
      out[i] = knots[k] + (((knots[k + 1] - knots[k]) * (x[i] & 127) + 64) >> 7);
    }
  };
}
