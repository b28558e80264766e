import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expectedPointsLost, isClassifier, searchWithinBudget } from '../../../src/engine/vdqs/accuracyBudget';
import { GraphBuilder, mulberry32 } from '../../support/randomGraph';

function scores(classes: number) {
  const g = new GraphBuilder(mulberry32(1));
  return g.build([g.input({ h: 1, w: 1, c: classes })]);
}

describe('accuracy budget', () => {
  it('finds the largest reduction that keeps to the budget, up to the steps it takes', async () => {
    await fc.assert(fc.asyncProperty(fc.double({ min: 1.2, max: 3.9, noNaN: true }), async (limit) => {
      const { best, kept } = await searchWithinBudget(1, 4, (reduction) => Promise.resolve({ reduction, pointsLost: reduction <= limit ? 0.9 : 1.1 }));
      assert.ok(kept);
      assert.ok(best.reduction <= limit && best.reduction >= limit / 4 ** (1 / 32) - 1e-9, `${best.reduction} for ${limit}`);
    }));
  });

  it('says when even 8 bits lose more', async () => {
    const { best, kept } = await searchWithinBudget(0.5, 4, (reduction) => Promise.resolve({ reduction, pointsLost: reduction }));
    assert.deepEqual({ best, kept }, { best: { reduction: 1, pointsLost: 1 }, kept: false });
  });

  it('expects the loss that the float network\'s probabilities give', () => {
    const graph = scores(3);
    assert.ok(isClassifier(graph));
    const p = [0.5, 0.3, 0.2];
    const float = [Float32Array.from(p, Math.log)];
    const choosing = (k: number) => [Float32Array.from({ length: 3 }, (_, i) => (i === k ? 1 : 0))];
    const lost = (...choices: number[]): number => expectedPointsLost(graph, choices.map(() => float), choices.map(choosing));
    assert.equal(lost(0, 0), 0);
    assert.ok(Math.abs(lost(1) - 20) < 1e-4);
    assert.ok(Math.abs(lost(0, 2) - 15) < 1e-4);
  });
});
