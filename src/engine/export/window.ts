import type { Shape, Window } from '../graph/types';
import type { Attribute } from './onnxWriter';

/** Window geometry as attributes of Conv and the pools. */
export function windowAttributes({ kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding }: Window): Record<string, Attribute> {
  return {
    kernel_shape: [kernelH, kernelW], strides: [strideH, strideW], dilations: [dilationH, dilationW],
    pads: [padding.top, padding.left, padding.bottom, padding.right],
  };
}

/** As {@link windowAttributes}, with ceil_mode where windows begin inside the map but end behind its padding. */
export function poolAttributes(window: Window, input: Shape, output: Shape): Record<string, Attribute> {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = window;
  const rows = Math.floor((input.h + padding.top + padding.bottom - (kernelH - 1) * dilationH - 1) / strideH) + 1;
  const columns = Math.floor((input.w + padding.left + padding.right - (kernelW - 1) * dilationW - 1) / strideW) + 1;
  return { ...windowAttributes(window), ceil_mode: rows < output.h || columns < output.w ? 1 : 0 };
}
