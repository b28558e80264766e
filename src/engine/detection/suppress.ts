import type { Detection, DetectionHead } from './head';

/** Area that two boxes share over the area of both together; 0 for boxes without area. */
export function intersectionOverUnion(a: Detection, b: Detection): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (!(w > 0 && h > 0)) return 0;
  return (w * h) / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h + 1e-9);
}

/** Boxes that others may overlap too much, as edges: 80 classes make millions of pairs an image. */
class Rivals {
  private readonly edges: number[] = [];

  push({ x1, y1, x2, y2 }: Detection): void {
    this.edges.push(x1, y1, x2, y2);
  }

  /** Whether a box overlaps one of them by more, as {@link intersectionOverUnion} has it. */
  overlap({ x1, y1, x2, y2 }: Detection, most: number): boolean {
    const { edges } = this;
    for (let i = 0; i < edges.length; i += 4) {
      const w = Math.min(edges[i + 2], x2) - Math.max(edges[i], x1);
      if (!(w > 0)) continue;
      const h = Math.min(edges[i + 3], y2) - Math.max(edges[i + 1], y1);
      if (!(h > 0)) continue;
      const area = (edges[i + 2] - edges[i]) * (edges[i + 3] - edges[i + 1]);
      if ((w * h) / (area + (x2 - x1) * (y2 - y1) - w * h + 1e-9) > most) return true;
    }
    return false;
  }
}

/**
 * Greedy non-maximum suppression: boxes by falling score (equal ones in their order), without those that overlap a
 * better one by more than `head.iou`.
 */
export function suppress(
  boxes: readonly Detection[],
  head: Pick<DetectionHead, 'iou' | 'suppress' | 'candidates' | 'detections'>,
): Detection[] {
  // Sorting leaves equal ones in their order.
  const sorted = [...boxes].sort((a, b) => b.score - a.score).slice(0, head.candidates);
  if (head.suppress === 'none') return sorted.slice(0, head.detections);
  const kept: Detection[] = [];
  const byLabel = new Map<number, Rivals>();
  for (const box of sorted) {
    const label = head.suppress === 'all' ? 0 : box.label;
    const rivals = byLabel.get(label) ?? new Rivals();
    byLabel.set(label, rivals);
    if (rivals.overlap(box, head.iou)) continue;
    kept.push(box);
    rivals.push(box);
    if (kept.length === head.detections) break;
  }
  return kept;
}
