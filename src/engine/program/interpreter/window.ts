import type { StepWindow } from '../types';
import { check } from './context';

/** Throws unless sizes are positive. Pads may be negative: the window then begins inside the region. */
export function checkWindow(window: StepWindow): void {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  check(
    Math.min(kernelH, kernelW, strideH, strideW, dilationH, dilationW) >= 1,
    'Kernel, stride and dilation must be at least 1.',
  );
}

/** First tap of a window from `origin` on that is at or after 0. */
export function firstTap(origin: number, dilation: number): number {
  return origin >= 0 ? 0 : Math.ceil(-origin / dilation);
}

/**
 * One past the last tap of a window of `kernel` taps from `origin` on that lies before `size`; may be less than the
 * first.
 */
export function endTap(origin: number, kernel: number, dilation: number, size: number): number {
  return Math.min(kernel, Math.ceil((size - origin) / dilation));
}

/** Throws unless every window of the output has a tap inside the input along this axis. */
export function requireTapsInside(
  outputs: number,
  stride: number,
  pad: number,
  kernel: number,
  dilation: number,
  size: number,
): void {
  for (let o = 0; o < outputs; o++) {
    const origin = o * stride - pad;
    check(
      endTap(origin, kernel, dilation, size) > firstTap(origin, dilation),
      'A pooling window lies wholly in the padding.',
    );
  }
}
