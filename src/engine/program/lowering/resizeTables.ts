import { resizeTaps } from '../../graph/evaluateWindow';
import type { ResizeLayer, Shape } from '../../graph/types';

/**
 * Both axes of a resize as the kernel takes them: per output element the index of the first source element, and the
 * weight of the next one in 1/256.
 */
export function resizeTables(layer: ResizeLayer, from: Shape, to: Shape): { rows: Int16Array; columns: Int16Array } {
  if (!layer.pick)
    return {
      rows: resizeAxis(layer, layer.scaleH, from.h, to.h),
      columns: resizeAxis(layer, layer.scaleW, from.w, to.w),
    };
  const picked = (list: Int32Array): Int16Array =>
    Int16Array.from({ length: 2 * list.length }, (_, i) => (i % 2 === 0 ? list[i >> 1] : 0));
  return { rows: picked(layer.pick.rows), columns: picked(layer.pick.columns) };
}

function resizeAxis(layer: ResizeLayer, scale: number, inSize: number, outSize: number): Int16Array {
  const table = new Int16Array(outSize * 2);
  resizeTaps(layer, scale, inSize, outSize).forEach(({ near, far, t }, o) => {
    const weight = Math.round(t * 256);
    // A weight of 256 is the next element itself, and at the border there is none.
    table[2 * o] = weight === 256 ? far : near;
    table[2 * o + 1] = weight === 256 || far === near ? 0 : weight;
  });
  return table;
}
