import type { Detection } from './head';
import { intersectionOverUnion } from './suppress';

/** How the boxes of two networks on one image agree: sums that add up over images. */
export interface BoxAgreement {
  /** Boxes of either network. */
  readonly boxes: number;
  /** Twice the pairs of boxes of one label that overlap by at least one half. */
  readonly paired: number;
  /** Twice the sum of their overlaps. */
  readonly overlap: number;
}

const LEAST_OVERLAP = 0.5;

/** Pairs boxes by falling score: each box of the one network with the free box of the other that it overlaps most. */
export function compareBoxes(reference: readonly Detection[], others: readonly Detection[]): BoxAgreement {
  const free = new Set(others);
  let pairs = 0;
  let overlap = 0;
  for (const box of reference) {
    let best: Detection | null = null;
    let most = 0;
    for (const other of free) {
      if (other.label !== box.label) continue;
      const share = intersectionOverUnion(box, other);
      if (share > most) {
        most = share;
        best = other;
      }
    }
    if (best === null || most < LEAST_OVERLAP) continue;
    free.delete(best);
    pairs++;
    overlap += most;
  }
  return { boxes: reference.length + others.length, paired: 2 * pairs, overlap: 2 * overlap };
}

/** Percent of the boxes that have a partner; 100 where neither network finds any. */
export function agreementPercent(list: readonly BoxAgreement[]): { paired: number; overlap: number } {
  const sum = (key: keyof BoxAgreement): number => list.reduce((total, a) => total + a[key], 0);
  const boxes = sum('boxes');
  return boxes === 0
    ? { paired: 100, overlap: 100 }
    : { paired: (100 * sum('paired')) / boxes, overlap: (100 * sum('overlap')) / boxes };
}
