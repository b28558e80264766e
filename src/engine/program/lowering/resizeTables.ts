import { resizeTaps } from '../../graph/evaluateWindow';
import type { ResizeLayer } from '../../graph/types';

/**
 * One axis of a resize as the kernel takes it: per output element the index of the first source element, and the weight
 * of the next one in 1/256.
 */
export function resizeAxis(layer: ResizeLayer, scale: number, inSize: number, outSize: number): Int16Array {
  const table = new Int16Array(outSize * 2);
  resizeTaps(layer, scale, inSize, outSize).forEach(({ near, far, t }, o) => {
    const weight = Math.round(t * 256);
    // A weight of 256 is the next element itself, and at the border there is none.
    table[2 * o] = weight === 256 ? far : near;
    table[2 * o + 1] = weight === 256 || far === near ? 0 : weight;
  });
  return table;
}
