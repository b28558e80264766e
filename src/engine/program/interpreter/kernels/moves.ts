import { countersOf, permutationOf } from '../../lowering/counters';
import type { KernelOf } from '../../types';
import { checkCodes, check, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `copy` of types.ts. The bits are what is copied, so the sign of the two formats may differ. */
export function prepareCopy(context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  requireSameShape(input, context.output);
  check(input.bits === context.output.bits, 'A copy keeps the bits.');
  const length = input.h * input.w * input.channels;
  return ([x], out) => {
    for (let i = 0; i < length; i++) out[i] = x[i];
  };
}

/** `fill` of types.ts. */
export function prepareFill(kernel: KernelOf<'fill'>, context: KernelContext): PreparedKernel {
  const { output } = context;
  const codes = Int16Array.from(context.constants.values(kernel.codes, output.channels));
  checkCodes(output, codes);
  const pixels = output.h * output.w;
  return (_inputs, out) => {
    for (let p = 0; p < pixels; p++) out.set(codes, p * codes.length);
  };
}

/** `permute` of types.ts. */
export function preparePermute(kernel: KernelOf<'permute'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output } = context;
  const length = input.h * input.w * input.channels;
  check(
    input.bits >= 8 && output.bits === input.bits && input.signed === output.signed,
    'Permutations move codes of whole bytes.',
  );
  const count = output.h * output.w * output.channels;
  const permutation =
    kernel.counters > 0
      ? permutationOf(countersOf(context.constants.int32(kernel.permutation, 2 * kernel.counters)), kernel.first)
      : context.constants.int32(kernel.permutation, count);
  check(permutation.length === count, 'The counters of a permutation count its elements.');
  check(
    permutation.every((i) => i >= 0 && i < length),
    'A permutation points outside its input.',
  );
  return ([x], out) => {
    for (let i = 0; i < count; i++) out[i] = x[permutation[i]];
  };
}
