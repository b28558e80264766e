import type { KernelOf } from '../../types';
import type { KernelContext, PreparedKernel } from '../context';
import { Requantizer } from '../requantizer';
import { requireBroadcastable } from './broadcast';

/** `mul` of types.ts: acc = (x₀ − zeros[0])·(x₁ − zeros[1]), then requantization. */
export function prepareMul(kernel: KernelOf<'mul'>, context: KernelContext): PreparedKernel {
  const { inputs, output } = context;
  const [zero0, zero1] = kernel.zeros;
  const [step0, step1] = inputs.map((input) => requireBroadcastable(input, output));
  const requantizer = new Requantizer(kernel.requant, context);
  const pixels = output.h * output.w;
  const { channels } = output;
  return ([x0, x1], out) => {
    for (let p = 0, i = 0, i0 = 0, i1 = 0; p < pixels; p++, i0 += step0, i1 += step1) {
      for (let c = 0; c < channels; c++, i++) out[i] = requantizer.code((x0[i0 + c] - zero0) * (x1[i1 + c] - zero1), c);
    }
  };
}
