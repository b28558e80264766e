import type { StepWindow } from '../../../../../src/engine/program/types';
import type { Format, Size } from './programBuilder';

/**
 * How far after its input an output may begin so that a kernel which keeps exactly the order promised in types.ts is
 * still right. Both maps are whole buffers.
 */
export function windowedDelta(input: Size & Format, output: Size & Format, firstRow: (oy: number) => number): number {
  const inRow = input.w * pixelBytes(input);
  const outRow = output.w * pixelBytes(output);
  let delta = input.h * inRow;
  for (let oy = 0; oy < output.h; oy++) delta = Math.min(delta, firstRow(oy) * inRow - (oy + 1) * outRow);
  return delta;
}

/** First input row that may still be read when output row oy is written. */
export function firstRowOf(window: StepWindow): (oy: number) => number {
  return (oy) => Math.max(0, oy * window.strideH - window.padTop);
}

/** The same for element-wise kernels: pixel by pixel, and all codes of an output byte are read before it is written. */
export function elementwiseDelta(input: Size & Format, output: Size & Format): number {
  const inPixel = pixelBytes(input);
  const outPixel = pixelBytes(output);
  let delta = input.h * input.w * inPixel;
  for (let p = 0; p < input.h * input.w; p++) {
    for (let byte = 0; byte < outPixel; byte++) {
      const nextCode = ((byte + 1) * 8) / output.bits;
      const nextUnread =
        nextCode < input.channels ? p * inPixel + Math.floor((nextCode * input.bits) / 8) : (p + 1) * inPixel;
      if (nextUnread < input.h * input.w * inPixel) delta = Math.min(delta, nextUnread - (p * outPixel + byte + 1));
    }
  }
  return delta;
}

function pixelBytes(map: Size & Format): number {
  return Math.ceil((map.channels * map.bits) / 8);
}
