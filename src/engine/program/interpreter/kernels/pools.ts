import { mulhi, saturate } from '../../arithmetic';
import type { KernelOf, StepWindow } from '../../types';
import { checkClamp, check, type KernelContext, type PreparedKernel } from '../context';
import { checkWindow, endTap, firstTap, requireTapsInside } from '../window';

/** `maxPool` of types.ts. */
export function prepareMaxPool(kernel: KernelOf<'maxPool'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  checkPool(kernel.window, context);
  check(input.bits === context.output.bits && input.signed === context.output.signed, 'Max pooling keeps the format.');
  const { channels } = input;
  return ([x], out) => {
    eachWindow(kernel.window, context, (window) => {
      for (let c = 0; c < channels; c++) {
        let largest = -Infinity;
        for (let y = window.y0, i = 0; i < window.rows; i++, y += window.dy) {
          for (let p = y + c, j = 0; j < window.columns; j++, p += window.dx) largest = Math.max(largest, x[p]);
        }
        out[window.to + c] = largest;
      }
    });
  };
}

/** `averagePool` of types.ts. */
export function prepareAveragePool(kernel: KernelOf<'averagePool'>, context: KernelContext): PreparedKernel {
  const { perChannel, preShift, shift, min, max } = kernel;
  checkPool(kernel.window, context);
  checkClamp(context.output, min, max);
  check(preShift >= 0 && preShift <= 31 && shift >= 0 && shift <= 31, `Shifts ${preShift}, ${shift} are out of range.`);
  const { channels } = context.output;
  const entries = perChannel ? channels : kernel.window.kernelH * kernel.window.kernelW;
  const multiplier = context.constants.int32(kernel.multiplier, entries);
  const offset = context.constants.int32(kernel.offset, entries);
  return ([x], out) => {
    eachWindow(kernel.window, context, (window) => {
      const entry = (window.rows - 1) * kernel.window.kernelW + window.columns - 1;
      for (let c = 0; c < channels; c++) {
        let acc = 0;
        for (let y = window.y0, i = 0; i < window.rows; i++, y += window.dy) {
          for (let p = y + c, j = 0; j < window.columns; j++, p += window.dx) acc += x[p];
        }
        const e = perChannel ? c : entry;
        out[window.to + c] = saturate((mulhi(acc << preShift, multiplier[e]) + offset[e]) >> shift, min, max);
      }
    });
  };
}

function checkPool(window: StepWindow, context: KernelContext): void {
  const [input] = context.inputs;
  const { output } = context;
  checkWindow(window);
  check(input.channels === output.channels, 'Pooling keeps the channels.');
  requireTapsInside(output.h, window.strideH, window.padTop, window.kernelH, window.dilationH, input.h);
  requireTapsInside(output.w, window.strideW, window.padLeft, window.kernelW, window.dilationW, input.w);
}

/** The part of one window inside the input, in codes. */
interface InnerWindow {
  /** First code of its first pixel. */
  readonly y0: number;
  readonly rows: number;
  readonly columns: number;
  /** From one row, one column of taps to the next. */
  readonly dy: number;
  readonly dx: number;
  /** First code of the output pixel. */
  readonly to: number;
}

function eachWindow(window: StepWindow, context: KernelContext, visit: (inner: InnerWindow) => void): void {
  const [input] = context.inputs;
  const { output } = context;
  const { channels } = output;
  for (let oy = 0; oy < output.h; oy++) {
    const y = oy * window.strideH - window.padTop;
    const ky = firstTap(y, window.dilationH);
    const rows = endTap(y, window.kernelH, window.dilationH, input.h) - ky;
    for (let ox = 0; ox < output.w; ox++) {
      const x = ox * window.strideW - window.padLeft;
      const kx = firstTap(x, window.dilationW);
      const columns = endTap(x, window.kernelW, window.dilationW, input.w) - kx;
      visit({
        y0: ((y + ky * window.dilationH) * input.w + x + kx * window.dilationW) * channels,
        rows,
        columns,
        dy: window.dilationH * input.w * channels,
        dx: window.dilationW * channels,
        to: (oy * output.w + ox) * channels,
      });
    }
  }
}
