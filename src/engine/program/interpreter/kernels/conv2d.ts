import { maxCode, minCode } from '../../arithmetic';
import type { Constant, ConstantId, KernelOf, StepWindow } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';
import { padInput, type PaddedInput } from '../paddedInput';
import { Requantizer } from '../requantizer';
import { prepareSimdConvolution } from '../simd/convolution';
import { checkWindow } from '../window';
import { packRows, PAIR, splitPair, type PackedRows } from './packedRows';

export interface Geometry {
  readonly window: StepWindow;
  /** Output pixels from one row to the next, and in all. */
  readonly w: number;
  readonly pixels: number;
  readonly group: number;
  /** Channels of the whole input and output, and of one group. */
  readonly inC: number;
  readonly outC: number;
  readonly groupIn: number;
  readonly groupOut: number;
  readonly rowStride: number;
  /**
   * Adjacent taps are one run of codes unless channels or columns are skipped: runs per row of taps, and codes
   * of each.
   */
  readonly runs: number;
  readonly run: number;
}

/** A checked convolution. */
export interface Convolution {
  readonly geometry: Geometry;
  /** [outC][kernelH][kernelW][inC/group] */
  readonly weights: Constant['values'];
  readonly requantizer: Requantizer;
  readonly padded: PaddedInput;
}

/** `conv2d` of types.ts: acc = Σ w[o, ky, kx, i]·x[…], padding included, then requantization. */
export function prepareConv2d(kernel: KernelOf<'conv2d'>, context: KernelContext): PreparedKernel {
  const convolution = checkConvolution(kernel, context);
  return (
    prepareSimdConvolution(kernel.weights, convolution, context) ??
    prepareReference(kernel.weights, convolution, context)
  );
}

function checkConvolution(kernel: KernelOf<'conv2d'>, context: KernelContext): Convolution {
  const [input] = context.inputs;
  const { output, constants } = context;
  const { window, group } = kernel;
  checkWindow(window);
  check(
    group >= 1 && input.channels % group === 0 && output.channels % group === 0,
    `Group ${group} does not divide the channels.`,
  );
  const weights = constants.values(
    kernel.weights,
    output.channels * window.kernelH * window.kernelW * (input.channels / group),
  );
  const requantizer = new Requantizer(kernel.requant, context);
  const padded = padInput(window, kernel.padCodes, context);
  return { geometry: geometryOf(kernel, context, padded), weights, requantizer, padded };
}

function prepareReference(
  id: ConstantId,
  { geometry, weights: values, requantizer, padded }: Convolution,
  context: KernelContext,
): PreparedKernel {
  const {
    constants,
    scratch,
    inputs: [input],
  } = context;
  const { group, groupIn, groupOut, window } = geometry;
  const largest = Math.max(maxCode(input.bits, input.signed), -minCode(input.bits, input.signed));
  const weights = constants.once(`conv ${id} ${group} ${largest}`, () =>
    packRows(values, group, groupOut, window.kernelH * window.kernelW * groupIn, largest),
  );
  return ([dense], out) => {
    const x = scratch.float64(padded.length);
    padded.lay(dense, x);
    convolve(geometry, x, weights, requantizer, out);
  };
}

/**
 * Rows of the output; those of a pointwise convolution are split again, so that none is short of a multiple of four
 * pixels but the last.
 */
function geometryOf(kernel: KernelOf<'conv2d'>, context: KernelContext, padded: PaddedInput): Geometry {
  const [input] = context.inputs;
  const { output } = context;
  const { window, group } = kernel;
  const pixels = output.h * output.w;
  const groupIn = input.channels / group;
  const oneRun = group === 1 && window.dilationW === 1;
  const shared = {
    window,
    pixels,
    group,
    inC: input.channels,
    outC: output.channels,
    groupIn,
    groupOut: output.channels / group,
    runs: oneRun ? 1 : window.kernelW,
    run: oneRun ? window.kernelW * groupIn : groupIn,
  };
  const everyPixel =
    window.kernelH * window.kernelW * window.strideH * window.strideW === 1 &&
    input.h === output.h &&
    input.w === output.w;
  if (padded.plain && everyPixel) return { ...shared, w: 64, rowStride: 64 * input.channels };
  return { ...shared, w: output.w, rowStride: padded.rowStride };
}

/** Four pixels × two doubles of packed output channels at a time, sums in registers. */
function convolve(g: Geometry, x: Float64Array, weights: PackedRows, requantizer: Requantizer, out: Int16Array): void {
  const { kernelH, strideH, strideW, dilationH, dilationW } = g.window;
  const { w, pixels, inC, outC, groupIn, groupOut, rowStride, runs, run } = g;
  const { values, blocks, blockLength, perDouble } = weights;
  const next = strideW * inC;
  for (let oy = 0; oy * w < pixels; oy++) {
    const columns = Math.min(w, pixels - oy * w);
    for (let block = 0; block < g.group * blocks; block++) {
      const group = Math.floor(block / blocks);
      const first = (block % blocks) * perDouble * 2;
      const channel = group * groupOut + first;
      const channels = Math.min(perDouble * 2, groupOut - first);
      for (let ox = 0; ox < columns; ox += 4) {
        // Pixels past the last one are computed from the first and not stored.
        const d1 = ox + 1 < columns ? next : 0;
        const d2 = ox + 2 < columns ? next * 2 : 0;
        const d3 = ox + 3 < columns ? next * 3 : 0;
        let a0 = 0,
          a1 = 0,
          b0 = 0,
          b1 = 0,
          c0 = 0,
          c1 = 0,
          e0 = 0,
          e1 = 0;
        let k = block * blockLength;
        for (let ky = 0; ky < kernelH; ky++) {
          let p = (oy * strideH + ky * dilationH) * rowStride + ox * next + group * groupIn;
          for (let r = 0; r < runs; r++, p += dilationW * inC) {
            for (let i = p, end = p + run; i < end; i++, k += 2) {
              const w0 = values[k],
                w1 = values[k + 1];
              const s = x[i],
                t = x[i + d1],
                u = x[i + d2],
                v = x[i + d3];
              a0 += s * w0;
              a1 += s * w1;
              b0 += t * w0;
              b1 += t * w1;
              c0 += u * w0;
              c1 += u * w1;
              e0 += v * w0;
              e1 += v * w1;
            }
          }
        }
        const to = (oy * w + ox) * outC + channel;
        store(requantizer, perDouble, channel, channels, out, to, a0, a1);
        if (d1 > 0) store(requantizer, perDouble, channel, channels, out, to + outC, b0, b1);
        if (d2 > 0) store(requantizer, perDouble, channel, channels, out, to + outC * 2, c0, c1);
        if (d3 > 0) store(requantizer, perDouble, channel, channels, out, to + outC * 3, e0, e1);
      }
    }
  }
}

/** Requantizes the sums of one pixel's `n` channels, starting at c. */
function store(
  requantizer: Requantizer,
  perDouble: number,
  c: number,
  n: number,
  out: Int16Array,
  to: number,
  sum0: number,
  sum1: number,
): void {
  if (perDouble === 1) {
    out[to] = requantizer.code(sum0, c);
    if (n > 1) out[to + 1] = requantizer.code(sum1, c + 1);
    return;
  }
  const high0 = splitPair(sum0);
  out[to] = requantizer.code(sum0 - high0 * PAIR, c);
  if (n > 1) out[to + 1] = requantizer.code(high0, c + 1);
  if (n > 2) {
    const high1 = splitPair(sum1);
    out[to + 2] = requantizer.code(sum1 - high1 * PAIR, c + 2);
    if (n > 3) out[to + 3] = requantizer.code(high1, c + 3);
  }
}
