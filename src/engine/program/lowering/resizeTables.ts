import type { ResizeLayer } from '../../graph/types';

/**
 * One axis of a resize as (index of the first source element, weight of the next one in 1/256) per output element; see ONNX Resize,
 * coordinate_transformation_mode and nearest_mode. Edges are clamped.
 */
export function resizeAxis(layer: ResizeLayer, scale: number, inSize: number, outSize: number): Int16Array {
  const table = new Int16Array(outSize * 2);
  for (let o = 0; o < outSize; o++) {
    const x = sourceCoordinate(layer.coordinates, o, scale, inSize, outSize);
    let index: number;
    let weight = 0;
    if (layer.mode === 'nearest') index = Math.max(0, Math.min(inSize - 1, roundCoordinate(x, layer.rounding)));
    else {
      const clamped = Math.max(0, Math.min(inSize - 1, x));
      index = Math.floor(clamped);
      weight = Math.round((clamped - index) * 256);
      if (weight === 256) {
        index++;
        weight = 0;
      }
      if (index >= inSize - 1) {
        index = inSize - 1;
        weight = 0;
      }
    }
    table[2 * o] = index;
    table[2 * o + 1] = weight;
  }
  return table;
}

function sourceCoordinate(mode: ResizeLayer['coordinates'], o: number, scale: number, inSize: number, outSize: number): number {
  switch (mode) {
    case 'asymmetric':
      return o / scale;
    case 'half_pixel':
      return (o + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return outSize > 1 ? (o + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return outSize > 1 ? (o * (inSize - 1)) / (outSize - 1) : 0;
  }
}

function roundCoordinate(x: number, rounding: ResizeLayer['rounding']): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
  }
}
