import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detection } from '../../../src/engine/detection/head';
import { intersectionOverUnion, suppress } from '../../../src/engine/detection/suppress';

/** The definition: a box stays if no better one that stays, of its class or of all, overlaps it by more. */
function byDefinition(boxes: readonly Detection[], iou: number, ofClass: boolean): Detection[] {
  const sorted = [...boxes].sort((a, b) => b.score - a.score);
  return sorted.reduce<Detection[]>(
    (kept, box) =>
      kept.some((other) => (!ofClass || other.label === box.label) && intersectionOverUnion(other, box) > iou)
        ? kept
        : [...kept, box],
    [],
  );
}

describe('suppression of boxes that overlap better ones', () => {
  const box = fc.record({
    x1: fc.integer({ min: 0, max: 12 }),
    y1: fc.integer({ min: 0, max: 12 }),
    x2: fc.integer({ min: 0, max: 16 }),
    y2: fc.integer({ min: 0, max: 16 }),
    score: fc.integer({ min: 1, max: 9 }),
    label: fc.nat({ max: 2 }),
  });

  it('is that of its definition', () => {
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 40 }),
        fc.constantFrom(0, 0.3, 0.5, 1),
        fc.boolean(),
        (boxes, iou, all) => {
          const head = { iou, suppress: all ? 'all' : 'class', candidates: 1000, detections: 1000 } as const;
          const kept = suppress(boxes, head);
          assert.deepEqual(kept, byDefinition(boxes, iou, !all));
        },
      ),
    );
  });

  it('keeps the best boxes alone where there are too many', () => {
    const boxes = [1, 2, 3].map((score) => ({ x1: 0, y1: 0, x2: 1, y2: 1, score, label: score }));
    const head = { iou: 0.5, suppress: 'class', candidates: 2, detections: 1 } as const;
    assert.deepEqual(suppress(boxes, head), [boxes[2]]);
  });
});
