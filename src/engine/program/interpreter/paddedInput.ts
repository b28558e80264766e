import type { StepWindow } from '../types';
import { checkCodes, type KernelContext } from './context';

/** Dense codes in which every tap of every window exists. */
export interface PaddedInput {
  /** Codes from one row to the next. */
  readonly rowStride: number;
  /** Whether no window leaves the input, so that nothing needs to be laid around it. */
  readonly plain: boolean;
  /** Number of codes. */
  readonly length: number;
  /** Writes the input with its padding into an array of at least `length` elements. */
  lay(input: Int16Array, target: Int16Array | Float64Array): void;
}

/** Lays padding around the input of a convolution once, so that its inner loops need not ask where they are. */
export function padInput(window: StepWindow, padCodes: number | null, context: KernelContext): PaddedInput {
  const [input] = context.inputs;
  const { output } = context;
  const { h, w, channels } = input;
  const codes = padCodes === null ? null : Int16Array.from(context.constants.values(padCodes, channels));
  if (codes !== null) checkCodes(input, codes);
  const { padTop, padLeft } = window;
  const neededRows = (output.h - 1) * window.strideH + (window.kernelH - 1) * window.dilationH + 1;
  const neededColumns = (output.w - 1) * window.strideW + (window.kernelW - 1) * window.dilationW + 1;
  const plain = padTop === 0 && padLeft === 0 && neededRows <= h && neededColumns <= w;
  const rows = plain ? h : neededRows;
  const columns = plain ? w : neededColumns;
  const rowStride = columns * channels;
  const x0 = Math.max(0, padLeft);
  const x1 = Math.max(x0, Math.min(columns, w + padLeft));
  return {
    rowStride,
    plain,
    length: rows * rowStride,
    lay(dense, target) {
      if (!plain && codes === null) target.fill(0, 0, rows * rowStride);
      if (!plain && codes !== null) for (let p = 0; p < rows * columns; p++) target.set(codes, p * channels);
      for (let y = Math.max(0, padTop); y < Math.min(rows, h + padTop); y++) {
        const from = ((y - padTop) * w + x0 - padLeft) * channels;
        target.set(dense.subarray(from, from + (x1 - x0) * channels), y * rowStride + x0 * channels);
      }
    },
  };
}
