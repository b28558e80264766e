import type { KernelOf } from '../../types';
import { byPixel, check, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `softmax` of types.ts. Sums stay below 2³² and are exact in doubles. */
export function prepareSoftmax(kernel: KernelOf<'softmax'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output } = context;
  requireSameShape(input, output);
  check(output.bits === 8 && !output.signed, 'Softmax writes unsigned 8-bit codes.');
  check(input.channels <= 65536, 'Softmax takes at most 65536 channels.');
  const { one } = kernel;
  check(Number.isInteger(one) && one >= 256 && one <= 32768, 'The code of 1 is not from 256 to 32768.');
  const table = Float64Array.from(context.constants.values(kernel.table, 2 ** input.bits));
  check(
    table[0] === 65535 && table.every((e) => e >= 0 && e <= 65535),
    'The table of exponentials is not one of 16 bits.',
  );
  return byPixel(input, (x, out, begin, end) => {
    let largest = x[begin];
    for (let i = begin; i < end; i++) largest = Math.max(largest, x[i]);
    let sum = 0;
    for (let i = begin; i < end; i++) sum += table[largest - x[i]];
    const half = Math.floor(sum / 2);
    for (let i = begin; i < end; i++) out[i] = Math.min(255, Math.floor((table[largest - x[i]] * one + half) / sum));
  });
}
