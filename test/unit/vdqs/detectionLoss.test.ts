import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detection } from '../../../src/engine/detection/head';
import { headPreset } from '../../../src/engine/detection/presets';
import { resolveHead } from '../../../src/engine/detection/resolve';
import { detectionDivergence, overlapLost } from '../../../src/engine/vdqs/detectionLoss';
import { families, headGraph } from '../../support/headFamilies';

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

  it('takes objectness times class for the chance, whatever powers the score has of them', () => {
    const family = families.find((f) => f.head === 'fastestdet')!;
    const graph = headGraph(family);
    const head = resolveHead(graph, headPreset(graph, family.head, 'model.onnx'), 'model.onnx');
    assert.deepEqual(head.levels[0].level.score.powers, [0.6, 0.4]);
    /** An image with one object, and the chances of the four classes in its cell. */
    const image = (...classes: readonly number[]): Float32Array[] => {
      const outputs = family.outputs.map(([, h, w, c]) => new Float32Array(h * w * c));
      outputs[0].set([0.8, 0, 0, 0.5, 0.5, ...classes], 7 * 9);
      return outputs;
    };
    const from = (quantized: Float32Array[]): number =>
      detectionDivergence(head, [image(0.99, 0.001, 0.001, 0.001)], [quantized]);
    // A class of one in a thousand has a score of 0.055, and is background all the same.
    assert.equal(from(image(0.99, 0, 0, 0)), 0);
    // Half the class is half the chance.
    const [p, q] = [0.8 * 0.99, 0.4 * 0.99];
    const expected = (p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))) / Math.max(1, p);
    assert.ok(Math.abs(from(image(0.495, 0, 0, 0)) - expected) < 1e-6);
  });
});
