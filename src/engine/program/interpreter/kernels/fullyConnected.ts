import type { KernelOf } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';
import { Requantizer } from '../requantizer';
import { prepareSimdFullyConnected } from '../simd/convolution';

/** `fullyConnected` of types.ts: acc = Σ over the input region in HWC order, then requantization. */
export function prepareFullyConnected(kernel: KernelOf<'fullyConnected'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output, constants } = context;
  check(output.h === 1 && output.w === 1, 'A fully connected layer writes one pixel.');
  const length = input.h * input.w * input.channels;
  const values = constants.values(kernel.weights, output.channels * length);
  const requantizer = new Requantizer(kernel.requant, context);
  const simd = prepareSimdFullyConnected(kernel.weights, { length, weights: values, requantizer }, context);
  if (simd !== null) return simd;
  const weights = constants.once(`fullyConnected ${kernel.weights}`, () => Int16Array.from(values));
  return (inputs, out) => multiply(inputs[0], length, weights, output.channels, requantizer, out);
}

function multiply(
  x: Int16Array,
  length: number,
  weights: Int16Array,
  channels: number,
  requantizer: Requantizer,
  out: Int16Array,
): void {
  const last = channels - 1;
  for (let o = 0; o < channels; o += 4) {
    // Rows past the last one are computed from the last one and not stored.
    const r0 = o * length;
    const r1 = Math.min(o + 1, last) * length;
    const r2 = Math.min(o + 2, last) * length;
    const r3 = Math.min(o + 3, last) * length;
    let a0 = 0,
      a1 = 0,
      a2 = 0,
      a3 = 0;
    for (let k = 0; k < length; k++) {
      const v = x[k];
      a0 = (a0 + v * weights[r0 + k]) | 0;
      a1 = (a1 + v * weights[r1 + k]) | 0;
      a2 = (a2 + v * weights[r2 + k]) | 0;
      a3 = (a3 + v * weights[r3 + k]) | 0;
    }
    out[o] = requantizer.code(a0, o);
    if (o + 1 <= last) out[o + 1] = requantizer.code(a1, o + 1);
    if (o + 2 <= last) out[o + 2] = requantizer.code(a2, o + 2);
    if (o + 3 <= last) out[o + 3] = requantizer.code(a3, o + 3);
  }
}
