import { decodeHead } from './decode';
import type { ResolvedHead } from './resolve';
import { suppress } from './suppress';

/** How much each pixel of a map matters on one image, ≥ 0, row by row; null where all matter alike. */
export type Interest = (height: number, width: number) => Float64Array | null;

/** Boxes down to this score count, each by its score: those near the threshold are what errors decide about. */
const LEAST_SCORE = 0.1;
/** Width of the bump around a box's centre, where its cell is, in shares of the box. */
const CENTRE = 0.15;
const CENTRE_WEIGHT = 4;

/**
 * Where the objects are that a detector sees, on maps of any size: inside the boxes, and most around their centres,
 * whose cells find them.
 *
 * @param outputs of the float network, HWC
 */
export function interestOf(head: ResolvedHead, outputs: readonly Float32Array[]): Interest {
  const boxes = suppress(decodeHead(head, outputs, LEAST_SCORE), head.head);
  const { width: inputWidth, height: inputHeight } = head.input;
  return (height, width) => {
    if (boxes.length === 0) return null;
    const result = new Float64Array(height * width);
    for (const { x1, y1, x2, y2, score } of boxes) {
      const [sx, sy] = [width / inputWidth, height / inputHeight];
      const [cx, cy] = [((x1 + x2) / 2) * sx, ((y1 + y2) / 2) * sy];
      // At least as wide as a pixel, or small boxes would fall between the pixels of coarse maps.
      const w = Math.max((x2 - x1) * sx, 1);
      const h = Math.max((y2 - y1) * sy, 1);
      for (let y = Math.max(0, Math.floor(cy - h / 2)); y < Math.min(height, Math.ceil(cy + h / 2)); y++) {
        for (let x = Math.max(0, Math.floor(cx - w / 2)); x < Math.min(width, Math.ceil(cx + w / 2)); x++) {
          const d = ((x + 0.5 - cx) / (CENTRE * w + 0.5)) ** 2 + ((y + 0.5 - cy) / (CENTRE * h + 0.5)) ** 2;
          result[y * width + x] += (score * (1 + CENTRE_WEIGHT * Math.exp(-d / 2))) / Math.sqrt(w * h);
        }
      }
    }
    return result.some((v) => v > 0) ? result : null;
  };
}
