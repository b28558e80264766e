import { UserError } from '../common/errors';
import type { AveragePoolLayer, MaxPoolLayer, Shape, Window } from '../graph/types';
import type { Attribute } from './onnxWriter';

/** Window geometry as attributes of Conv and the pools. */
export function windowAttributes({
  kernelH,
  kernelW,
  strideH,
  strideW,
  dilationH,
  dilationW,
  padding,
}: Window): Record<string, Attribute> {
  return {
    kernel_shape: [kernelH, kernelW],
    strides: [strideH, strideW],
    pads: [padding.top, padding.left, padding.bottom, padding.right],
    // onnxruntime fuses AveragePool into an operator that does not know the attribute.
    ...(dilationH * dilationW > 1 ? { dilations: [dilationH, dilationW] } : {}),
  };
}

/**
 * As {@link windowAttributes}, with ceil_mode where windows begin inside the map but end behind its padding.
 * @throws UserError for windows that onnxruntime does not pool quantized maps with
 */
export function poolAttributes(
  layer: MaxPoolLayer | AveragePoolLayer,
  input: Shape,
  output: Shape,
): Record<string, Attribute> {
  const { window, kind, name } = layer;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = window;
  if (Math.max(padding.top, padding.bottom) >= kernelH || Math.max(padding.left, padding.right) >= kernelW) {
    throw new UserError(
      `Layer "${name}" cannot be exported: onnxruntime pools only with less padding than the kernel's size. ` +
        'Pad the map in a separate node.',
    );
  }
  if (kind === 'averagePool' && dilationH * dilationW > 1)
    throw new UserError(
      `Layer "${name}" cannot be exported: onnxruntime does not average quantized maps with dilation. Use a ` +
        'convolution instead.',
    );
  const rows = Math.floor((input.h + padding.top + padding.bottom - (kernelH - 1) * dilationH - 1) / strideH) + 1;
  const columns = Math.floor((input.w + padding.left + padding.right - (kernelW - 1) * dilationW - 1) / strideW) + 1;
  return { ...windowAttributes(window), ceil_mode: rows < output.h || columns < output.w ? 1 : 0 };
}
