import assert from 'node:assert/strict';
import fc from 'fast-check';
import { layerMacs } from '../../../src/engine/graph/macs';
import type { LayerId } from '../../../src/engine/graph/types';
import type { Bits, WeightBits } from '../../../src/engine/graph/bits';
import { answerOf, errorShare, outputDivergence } from '../../../src/engine/vdqs/divergence';
import { foreseenLoss, searchTradeOff, type TradeOffChoices } from '../../../src/engine/vdqs/searchTradeOff';
import type { Sensitivities as Measured } from '../../../src/engine/vdqs/sensitivity';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

function chain() {
  const g = new GraphBuilder(mulberry32(1));
  let map = g.input({ h: 8, w: 8, c: 3 });
  for (let i = 0; i < 4; i++) map = g.conv(map, 8, squareWindow(3), 1, relu);
  return g.build([map]);
}

const free: TradeOffChoices = { bits: () => [8, 4], weightBits: () => [8, 4] };

type Sensitivities = Pick<Measured, 'units' | 'weights'>;

describe('bits by measured sensitivity', () => {
  const graph = chain();
  const units = decisionUnits(graph);
  const measured = (mapLoss: readonly number[], weightLoss: readonly number[]): Sensitivities => ({
    units: units.map(
      (_, i) =>
        new Map<Bits, number>([
          [8, 0],
          [4, mapLoss[i]],
        ]),
    ),
    weights: new Map<LayerId, number>(graph.layers.map((l, i) => [l.id, weightLoss[i]])),
  });
  const losses = measured([0.3, 0.01, 0.02, 0.04], [0.5, 0.02, 0.01, 0.03]);

  it('keeps 8 bits where nothing is asked', () => {
    const result = searchTradeOff(graph, units, losses, free, 1);
    assert.ok(result.units.every((b) => b === 8));
    assert.equal(result.loss, 0);
    assert.ok(Math.abs(result.reduction - 1) < 1e-9);
  });

  it('reaches the reduction, and gives up the least sensitive first', () => {
    let loss = 0;
    for (const target of [1.2, 1.6, 2, 2.5, 3]) {
      const result = searchTradeOff(graph, units, losses, free, target);
      assert.ok(result.reduction >= target, `${result.reduction} for ${target}`);
      assert.ok(result.loss >= loss, 'more reduction cannot lose less');
      loss = result.loss;
    }
    const cautious = searchTradeOff(graph, units, losses, free, 1.6);
    assert.equal(cautious.weights.get(0), 8, 'the most sensitive weights stay');
  });

  it('loses no more than any other choice within the BitOPs', () => {
    const one = (low: number, weights: number, read: number): number => (low * weights * read) / 64;
    const macs = graph.layers.map((l) => layerMacs(graph, l));
    const total = macs.reduce((a, b) => a + b, 0);
    // Decision i is the map that layer i + 1 reads, see chain(); the last map is the output.
    const readUnit = graph.layers.map((l) => units.findIndex((u) => u.readers.includes(l.id)));
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        fc.double({ min: 1.1, max: 3, noNaN: true }),
        (values, target) => {
          const sensitivities = measured(values.slice(0, 4), values.slice(4));
          const found = searchTradeOff(graph, units, sensitivities, free, target);
          let least = Infinity;
          for (let code = 0; code < 1 << (units.length + 4); code++) {
            const bits = units.map((_, i) => ((code >> i) & 1 ? 4 : 8));
            const weights = graph.layers.map((_, i) => ((code >> (units.length + i)) & 1 ? 4 : 8));
            const cost =
              macs.reduce((sum, m, i) => sum + one(m, weights[i], readUnit[i] < 0 ? 8 : bits[readUnit[i]]), 0) / total;
            // Costs are counted in whole steps: a choice within a thousandth of the limit may be missed.
            if (cost > 0.999 / target) continue;
            const loss =
              bits.reduce((sum, b, i) => sum + (b === 4 ? values[i] : 0), 0) +
              weights.reduce((sum, b, i) => sum + (b === 4 ? values[4 + i] : 0), 0);
            least = Math.min(least, loss);
          }
          if (least === Infinity) return;
          assert.ok(found.reduction >= target);
          // Steps are counted differently: what is foreseen for a target lies between the losses of targets next to it.
          const foreseen = foreseenLoss(graph, units, sensitivities, free)(target);
          assert.ok(
            foreseen >= searchTradeOff(graph, units, sensitivities, free, target * 0.995).loss - 1e-12 &&
              foreseen <= searchTradeOff(graph, units, sensitivities, free, target * 1.005).loss + 1e-12,
          );
          assert.ok(found.loss <= least + 1e-12, `${found.loss} where ${least} is possible`);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reaches targets of networks with hundreds of layers, losing no more for less', () => {
    const g = new GraphBuilder(mulberry32(1));
    let map = g.input({ h: 4, w: 4, c: 2 });
    for (let i = 0; i < 400; i++) map = g.conv(map, 2, squareWindow(1), 1, relu);
    const long = g.build([map]);
    const decisions = decisionUnits(long);
    const random = mulberry32(7);
    const sensitivities: Sensitivities = {
      units: decisions.map(
        () =>
          new Map<Bits, number>([
            [8, 0],
            [4, 1 + random()],
          ]),
      ),
      weights: new Map<LayerId, number>(long.layers.map((l) => [l.id, 1 + random()])),
    };
    let before = 0;
    for (const target of [1.1, 1.5, 2.2, 3]) {
      const { reduction, loss, weights } = searchTradeOff(long, decisions, sensitivities, free, target);
      assert.ok(reduction >= target && reduction < target * 1.01, `${reduction} for ${target}`);
      assert.ok(loss >= before);
      assert.equal(foreseenLoss(long, decisions, sensitivities, free)(target), loss);
      assert.equal(weights.size, 400);
      before = loss;
    }
  });

  it('leaves alone what is fixed and comes as close as it can', () => {
    const fixed: TradeOffChoices = {
      bits: () => [8],
      weightBits: (id): readonly WeightBits[] => (id === 1 ? [4] : [8]),
    };
    const result = searchTradeOff(graph, units, losses, fixed, 4);
    assert.ok(result.units.every((b) => b === 8));
    assert.deepEqual(
      [0, 1, 2, 3].map((id) => result.weights.get(id)),
      [8, 4, 8, 8],
    );
  });
});

describe('divergence of outputs', () => {
  it('is the Kullback-Leibler divergence of the classes for a classifier', () => {
    const g = new GraphBuilder(mulberry32(1));
    const graph = g.build([g.input({ h: 1, w: 1, c: 2 })]);
    const p = [0.75, 0.25];
    const q = [0.5, 0.5];
    const logits = (v: number[]): Float32Array[] => [Float32Array.from(v, (x) => Math.log(x) + 5)];
    const expected = p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]), 0);
    assert.ok(Math.abs(outputDivergence(graph, 'classify', [logits(p)], [logits(q)]) - expected) < 1e-5);
    assert.equal(outputDivergence(graph, 'classify', [logits(p)], [logits(p)]), 0);
  });

  it('is the share of the power that is error elsewhere, over all images and as the mean of the outputs', () => {
    const graph = new GraphBuilder(mulberry32(1));
    const g = graph.build([graph.input({ h: 2, w: 1, c: 2 })]);
    const reference = [[Float32Array.of(2, 0, 0, 0)], [Float32Array.of(0, 0, 0.01, 0)]];
    const outputs = [[Float32Array.of(2, 1, 0, 0)], [Float32Array.of(0, 0, 0, 0)]];
    const share = (1 + 1e-4) / (4 + 1e-4);
    assert.ok(Math.abs(outputDivergence(g, 'regress', reference, outputs) - share) < 1e-9);
    const twice = (images: Float32Array[][]): Float32Array[][] => images.map(([o]) => [o, reference[0][0]]);
    assert.ok(Math.abs(errorShare(twice(reference), twice(outputs)) - share / 2) < 1e-9);
  });

  it('is that of no and yes for one score', () => {
    const g = new GraphBuilder(mulberry32(1));
    const graph = g.build([g.input({ h: 1, w: 1, c: 1 })]);
    const logit = (p: number): Float32Array[] => [Float32Array.of(Math.log(p / (1 - p)))];
    const expected = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
    assert.ok(Math.abs(outputDivergence(graph, 'binary', [logit(0.75)], [logit(0.5)]) - expected) < 1e-6);
    assert.deepEqual([answerOf(graph, 'binary', logit(0.75)), answerOf(graph, 'binary', logit(0.4))], [1, 0]);
  });
});
