import type { KernelOf, StepWindow } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';
import { padInput } from '../paddedInput';
import { Requantizer } from '../requantizer';
import { prepareSimdDepthwise } from '../simd/depthwise';
import { checkWindow } from '../window';

/** `depthwise2d` of types.ts: acc = Σ w[ky, kx, c]·x[…, c], padding included, then requantization. */
export function prepareDepthwise2d(kernel: KernelOf<'depthwise2d'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output, constants } = context;
  const { window } = kernel;
  checkWindow(window);
  check(input.channels === output.channels, 'A depthwise convolution has as many output as input channels.');
  const values = constants.values(kernel.weights, window.kernelH * window.kernelW * output.channels);
  const requantizer = new Requantizer(kernel.requant, context);
  const padded = padInput(window, kernel.padCodes, context);
  const simd = prepareSimdDepthwise(kernel.weights, { window, weights: values, requantizer, padded }, context);
  if (simd !== null) return simd;
  const weights = constants.once(`depthwise ${kernel.weights}`, () => Int16Array.from(values));
  return ([dense], out) => {
    const x = padded.plain ? dense : context.scratch.int16(padded.length);
    if (!padded.plain) padded.lay(dense, x);
    convolve(window, output.h, output.w, output.channels, padded.rowStride, x, weights, requantizer, out);
  };
}

/** Four channels at a time, sums in registers. */
function convolve(
  window: StepWindow,
  h: number,
  w: number,
  channels: number,
  rowStride: number,
  x: Int16Array,
  weights: Int16Array,
  requantizer: Requantizer,
  out: Int16Array,
): void {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  const tapStride = dilationW * channels;
  const whole = channels - (channels % 4);
  for (let oy = 0; oy < h; oy++) {
    for (let ox = 0; ox < w; ox++) {
      const origin = oy * strideH * rowStride + ox * strideW * channels;
      const to = (oy * w + ox) * channels;
      for (let c = 0; c < whole; c += 4) {
        let a0 = 0,
          a1 = 0,
          a2 = 0,
          a3 = 0;
        let k = c;
        for (let ky = 0; ky < kernelH; ky++) {
          let p = origin + ky * dilationH * rowStride + c;
          for (let kx = 0; kx < kernelW; kx++, p += tapStride, k += channels) {
            a0 = (a0 + x[p] * weights[k]) | 0;
            a1 = (a1 + x[p + 1] * weights[k + 1]) | 0;
            a2 = (a2 + x[p + 2] * weights[k + 2]) | 0;
            a3 = (a3 + x[p + 3] * weights[k + 3]) | 0;
          }
        }
        out[to + c] = requantizer.code(a0, c);
        out[to + c + 1] = requantizer.code(a1, c + 1);
        out[to + c + 2] = requantizer.code(a2, c + 2);
        out[to + c + 3] = requantizer.code(a3, c + 3);
      }
      for (let c = whole; c < channels; c++) {
        let acc = 0;
        let k = c;
        for (let ky = 0; ky < kernelH; ky++) {
          let p = origin + ky * dilationH * rowStride + c;
          for (let kx = 0; kx < kernelW; kx++, p += tapStride, k += channels) acc = (acc + x[p] * weights[k]) | 0;
        }
        out[to + c] = requantizer.code(acc, c);
      }
    }
  }
}
