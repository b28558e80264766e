import { saturate, sumFactors } from '../../arithmetic';
import type { ScaledSum } from '../../types';
import { checkClamp, check, requireSameShape, type KernelContext, type PreparedKernel } from '../context';
import { requireBroadcastable } from './broadcast';

/** `add` (two inputs) and `requantize` (one input) of types.ts. */
export function prepareScaledSum(sum: ScaledSum, context: KernelContext): PreparedKernel {
  const { inputs, output, constants } = context;
  const { shift, min, max } = sum;
  const { channels } = output;
  checkClamp(output, min, max);
  check(shift >= 0 && shift <= 31, `Shift ${shift} is out of range.`);
  check(
    sum.multipliers.length === inputs.length && (inputs.length === 1 || inputs.length === 2),
    'A scaled sum has one or two inputs with a multiplier each.',
  );
  const offset = constants.perChannel(sum.offset, channels);
  const factors = sumFactors(inputs.map(({ bits }) => bits));
  const [m0, m1] = sum.multipliers.map((m, i) => constants.perChannel(m, channels).map((v) => v * factors[i]));
  const pixels = output.h * output.w;

  if (inputs.length === 1) {
    requireSameShape(inputs[0], output);
    return ([x], out) => {
      for (let p = 0, i = 0; p < pixels; p++) {
        for (let c = 0; c < channels; c++, i++) out[i] = saturate((x[i] * m0[c] + offset[c]) >> shift, min, max);
      }
    };
  }
  const [step0, step1] = inputs.map((input) => requireBroadcastable(input, output));
  return ([x0, x1], out) => {
    for (let p = 0, i = 0, i0 = 0, i1 = 0; p < pixels; p++, i0 += step0, i1 += step1) {
      for (let c = 0; c < channels; c++, i++)
        out[i] = saturate((x0[i0 + c] * m0[c] + x1[i1 + c] * m1[c] + offset[c]) >> shift, min, max);
    }
  };
}
