import type { StepWindow } from '../types';
import type { KernelContext } from './context';
import { checkCodes } from './context';

/** Dense codes in which every tap of every window exists. */
export interface PaddedInput {
  /** Codes from one row to the next. */
  readonly rowStride: number;
  /** The dense input itself where no window leaves it, otherwise a copy with padding in the executor's scratch. */
  lay(input: Int16Array): Int16Array;
}

/** Lays padding around the input of a convolution once, so that its inner loops need not ask where they are. */
export function padInput(window: StepWindow, padCodes: number | null, context: KernelContext): PaddedInput {
  const [input] = context.inputs;
  const { output, scratch } = context;
  const { h, w, channels } = input;
  const rows = (output.h - 1) * window.strideH + (window.kernelH - 1) * window.dilationH + 1;
  const columns = (output.w - 1) * window.strideW + (window.kernelW - 1) * window.dilationW + 1;
  const codes = padCodes === null ? null : Int16Array.from(context.constants.values(padCodes, channels));
  if (codes !== null) checkCodes(input, codes);
  const { padTop, padLeft } = window;
  if (padTop === 0 && padLeft === 0 && rows <= h && columns <= w) return { rowStride: w * channels, lay: (dense) => dense };

  const rowStride = columns * channels;
  const x0 = Math.max(0, padLeft);
  const x1 = Math.max(x0, Math.min(columns, w + padLeft));
  return {
    rowStride,
    lay(dense) {
      const padded = scratch.int16(rows * rowStride);
      if (codes === null) padded.fill(0, 0, rows * rowStride);
      else for (let p = 0; p < rows * columns; p++) padded.set(codes, p * channels);
      for (let y = Math.max(0, padTop); y < Math.min(rows, h + padTop); y++) {
        const from = ((y - padTop) * w + x0 - padLeft) * channels;
        padded.set(dense.subarray(from, from + (x1 - x0) * channels), y * rowStride + x0 * channels);
      }
      return padded;
    },
  };
}
