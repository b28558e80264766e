import type { Shape, Window } from './types';

/** Pixels that a dilated kernel spans. */
export function kernelExtent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * Positions of a window along one axis: floor((size + before + after − extent) / stride) + 1; below 1 when it does not
 * fit.
 */
function windowPositions(
  size: number,
  before: number,
  after: number,
  kernel: number,
  dilation: number,
  stride: number,
): number {
  return Math.floor((size + before + after - kernelExtent(kernel, dilation)) / stride) + 1;
}

/** Rows and columns that a sliding window produces over an h×w map. */
export function windowOutput(window: Window, h: number, w: number): { h: number; w: number } {
  const { padding } = window;
  return {
    h: windowPositions(h, padding.top, padding.bottom, window.kernelH, window.dilationH, window.strideH),
    w: windowPositions(w, padding.left, padding.right, window.kernelW, window.dilationW, window.strideW),
  };
}

export function shapeText({ h, w, c }: Shape): string {
  return `${h}×${w}×${c}`;
}
