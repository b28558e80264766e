import type { BoxView } from '../../src/protocol/detections';

/** A box of the float network, one of the firmware, or one of each that belong together. */
export interface BoxPair {
  readonly float: BoxView | null;
  readonly firmware: BoxView | null;
  /** Intersection over union of the two; 0 where there is one only. */
  readonly overlap: number;
}

/** Least overlap of boxes that are the same object. */
const LEAST_OVERLAP = 0.5;

/**
 * Pairs boxes of one label by falling score of the float network's: each with the free box that it overlaps most. Pairs
 * first, then boxes without a partner, both by falling score.
 */
export function pairBoxes(float: readonly BoxView[], firmware: readonly BoxView[]): BoxPair[] {
  const free = new Set(firmware);
  const pairs = float.map((box): BoxPair => {
    let best: BoxView | null = null;
    let most = LEAST_OVERLAP;
    for (const other of free) {
      const share = other.label === box.label ? overlapOf(box, other) : 0;
      if (share >= most) [best, most] = [other, share];
    }
    if (best !== null) free.delete(best);
    return { float: box, firmware: best, overlap: best === null ? 0 : most };
  });
  const score = ({ float: a, firmware: b }: BoxPair): number => a?.score ?? b!.score;
  const lone = (pair: BoxPair): number => (pair.float !== null && pair.firmware !== null ? 0 : 1);
  return [...pairs, ...[...free].map((box): BoxPair => ({ float: null, firmware: box, overlap: 0 }))].sort(
    (a, b) => lone(a) - lone(b) || score(b) - score(a),
  );
}

function overlapOf(a: BoxView, b: BoxView): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: BoxView): number => (box.x2 - box.x1) * (box.y2 - box.y1);
  return (width * height) / (area(a) + area(b) - width * height);
}
