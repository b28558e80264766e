import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detection } from '../../../src/engine/detection/head';
import { overlapLost } from '../../../src/engine/vdqs/detectionLoss';

const box = (x1: number, y1: number, x2: number, y2: number): Detection => ({ x1, y1, x2, y2, score: 0.5, label: 0 });

describe('the loss of a detector', () => {
  it('counts what boxes lack of overlapping', () => {
    assert.equal(overlapLost(box(0, 0, 4, 4), box(0, 0, 4, 4)), 0);
    assert.ok(Math.abs(overlapLost(box(0, 0, 4, 4), box(0, 0, 4, 2)) - 0.5) < 1e-6);
    assert.equal(overlapLost(box(0, 0, 4, 4), box(5, 5, 6, 6)), 1);
    assert.equal(overlapLost(box(3, 3, 3, 9), box(3, 3, 3, 9)), 0);
  });

  it('is a share for boxes of any numbers, and nothing for equal ones', () => {
    const any = fc.tuple(fc.float(), fc.float(), fc.float(), fc.float()).map((edges) => box(...edges));
    fc.assert(
      fc.property(any, any, (a, b) => {
        const lost = overlapLost(a, b);
        assert.ok(lost >= 0 && lost <= 1, String(lost));
        assert.ok(overlapLost(a, a) === 0);
      }),
    );
  });
});
