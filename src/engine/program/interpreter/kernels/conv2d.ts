import type { Kernel, StepWindow } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';
import { padInput } from '../paddedInput';
import { Requantizer } from '../requantizer';
import { checkWindow } from '../window';

interface Geometry {
  readonly window: StepWindow;
  readonly h: number;
  readonly w: number;
  readonly group: number;
  /** Channels of the whole input and output, and of one group. */
  readonly inC: number;
  readonly outC: number;
  readonly groupIn: number;
  readonly groupOut: number;
  readonly rowStride: number;
}

/** `conv2d` of types.ts: acc = Σ w[o, ky, kx, i]·x[…], padding included, then requantization. */
export function prepareConv2d(kernel: Extract<Kernel, { op: 'conv2d' }>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output, constants } = context;
  const { window, group } = kernel;
  checkWindow(window);
  check(group >= 1 && input.channels % group === 0 && output.channels % group === 0, `Group ${group} does not divide the channels.`);
  const groupIn = input.channels / group;
  const groupOut = output.channels / group;
  const taps = window.kernelH * window.kernelW * groupIn;
  const values = constants.values(kernel.weights, output.channels * taps);
  const weights = constants.once(`conv ${kernel.weights} ${group}`, () => blockRows(values, group, groupOut, taps));
  const requantizer = new Requantizer(kernel.requant, context);
  const padded = padInput(window, kernel.padCodes, context);
  const geometry: Geometry = {
    window, group, groupIn, groupOut, h: output.h, w: output.w, inC: input.channels, outC: output.channels, rowStride: padded.rowStride,
  };
  return (inputs, out) => convolve(geometry, padded.lay(inputs[0]), weights, requantizer, out);
}

/** Weights [group][⌈groupOut / 4⌉][taps][4]: four output channels side by side, missing ones 0. */
function blockRows(values: ArrayLike<number>, group: number, groupOut: number, taps: number): Int16Array {
  const blocks = Math.ceil(groupOut / 4);
  const blocked = new Int16Array(group * blocks * taps * 4);
  for (let g = 0; g < group; g++) {
    for (let o = 0; o < groupOut; o++) {
      const from = (g * groupOut + o) * taps;
      const to = (g * blocks + (o >> 2)) * taps * 4 + (o & 3);
      for (let k = 0; k < taps; k++) blocked[to + k * 4] = values[from + k];
    }
  }
  return blocked;
}

/**
 * Two pixels × four output channels at a time. The sums stay in registers: products of 16-bit loads are known to fit 32 bits, so
 * `(a + x * w) | 0` compiles to integer instructions.
 */
function convolve(g: Geometry, x: Int16Array, weights: Int16Array, requantizer: Requantizer, out: Int16Array): void {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = g.window;
  const { w, inC, outC, groupIn, groupOut, rowStride } = g;
  // Taps beside each other are one run of codes unless channels or columns are skipped.
  const oneRun = g.group === 1 && dilationW === 1;
  const runs = oneRun ? 1 : kernelW;
  const run = oneRun ? kernelW * inC : groupIn;
  const blocks = Math.ceil(groupOut / 4);
  const blockSize = kernelH * kernelW * groupIn * 4;
  for (let oy = 0; oy < g.h; oy++) {
    for (let block = 0; block < g.group * blocks; block++) {
      const group = (block / blocks) | 0;
      const first = (block % blocks) * 4;
      const channel = group * groupOut + first;
      const channels = Math.min(4, groupOut - first);
      for (let ox = 0; ox < w; ox += 2) {
        const second = ox + 1 < w ? strideW * inC : 0;
        let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
        let k = block * blockSize;
        for (let ky = 0; ky < kernelH; ky++) {
          let p = (oy * strideH + ky * dilationH) * rowStride + ox * strideW * inC + group * groupIn;
          for (let r = 0; r < runs; r++, p += dilationW * inC) {
            for (let i = p, end = p + run; i < end; i++, k += 4) {
              const w0 = weights[k], w1 = weights[k + 1], w2 = weights[k + 2], w3 = weights[k + 3];
              const u = x[i], v = x[i + second];
              a0 = (a0 + u * w0) | 0;
              a1 = (a1 + u * w1) | 0;
              a2 = (a2 + u * w2) | 0;
              a3 = (a3 + u * w3) | 0;
              b0 = (b0 + v * w0) | 0;
              b1 = (b1 + v * w1) | 0;
              b2 = (b2 + v * w2) | 0;
              b3 = (b3 + v * w3) | 0;
            }
          }
        }
        const to = (oy * w + ox) * outC + channel;
        store(requantizer, channel, channels, out, to, a0, a1, a2, a3);
        if (second > 0) store(requantizer, channel, channels, out, to + outC, b0, b1, b2, b3);
      }
    }
  }
}

function store(requantizer: Requantizer, c: number, n: number, out: Int16Array, to: number, a0: number, a1: number, a2: number, a3: number): void {
  out[to] = requantizer.code(a0, c);
  if (n > 1) out[to + 1] = requantizer.code(a1, c + 1);
  if (n > 2) out[to + 2] = requantizer.code(a2, c + 2);
  if (n > 3) out[to + 3] = requantizer.code(a3, c + 3);
}
