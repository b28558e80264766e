import type { Detection, DetectionHead } from './head';

/** Area that two boxes share over the area of both together; 0 for boxes without area. */
export function intersectionOverUnion(a: Detection, b: Detection): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (!(w > 0 && h > 0)) return 0;
  return (w * h) / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h + 1e-9);
}

/**
 * Greedy non-maximum suppression: boxes by falling score (equal ones in their order), without those that overlap a
 * better one by more than `head.iou`.
 */
export function suppress(
  boxes: readonly Detection[],
  head: Pick<DetectionHead, 'iou' | 'suppress' | 'candidates' | 'detections'>,
): Detection[] {
  const sorted = boxes
    .map((box, order) => ({ box, order }))
    .sort((a, b) => b.box.score - a.box.score || a.order - b.order)
    .slice(0, head.candidates)
    .map(({ box }) => box);
  if (head.suppress === 'none') return sorted.slice(0, head.detections);
  const kept: Detection[] = [];
  const byLabel = new Map<number, Detection[]>();
  for (const box of sorted) {
    const rivals = head.suppress === 'all' ? kept : (byLabel.get(box.label) ?? []);
    if (rivals.some((other) => intersectionOverUnion(other, box) > head.iou)) continue;
    kept.push(box);
    if (head.suppress !== 'all') {
      rivals.push(box);
      byLabel.set(box.label, rivals);
    }
    if (kept.length === head.detections) break;
  }
  return kept;
}
