import { mulhi, roundingShift, saturate } from '../../arithmetic';
import type { KernelOf } from '../../types';
import { byPixel, check, checkClamp, requireSameShape, type KernelContext, type PreparedKernel } from '../context';

/** `normalize` of types.ts. Sums stay below 2⁵³ and are exact in doubles. */
export function prepareNormalize(kernel: KernelOf<'normalize'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output } = context;
  const { centered, zeroIn, zeroOut, epsilon, multiplier, preShift, shift, min, max } = kernel;
  requireSameShape(input, output);
  checkClamp(output, min, max);
  check(input.channels <= 65536, 'Norms take at most 65536 channels.');
  check(epsilon >= 0 && epsilon <= 2 ** 52, 'ε has at most 52 bits.');
  const { channels } = input;
  return byPixel(input, (x, out, begin, end) => {
    let sum = 0;
    let squares = 0;
    for (let i = begin; i < end; i++) {
      const d = centered ? x[i] : x[i] - zeroIn;
      sum += d;
      squares += d * d;
    }
    const { root, halvings } = rootOf((centered ? channels * squares - sum * sum : squares) + epsilon);
    const m = Math.min(65535, Math.floor(2 ** 31 / root)) * multiplier;
    const s = Math.max(1, Math.min(31, shift + halvings));
    for (let i = begin; i < end; i++) {
      const d = centered ? channels * x[i] - sum : x[i] - zeroIn;
      out[i] = saturate(roundingShift(mulhi(d * 2 ** preShift, m), s) + zeroOut, min, max);
    }
  });
}

/** ⌊√⌊V / 4^t⌋⌋ in [2¹⁵, 2¹⁶), and t. */
function rootOf(value: number): { root: number; halvings: number } {
  let v = Math.max(1, value);
  let halvings = 0;
  for (; v >= 2 ** 32; halvings++) v = Math.floor(v / 4);
  for (; v < 2 ** 30; halvings--) v *= 4;
  return { root: Math.floor(Math.sqrt(v)), halvings };
}
