import assert from 'node:assert/strict';
import type { LayerId } from '../../../src/engine/graph/types';
import type { Bits, WeightBits } from '../../../src/engine/plan/types';
import { outputDivergence } from '../../../src/engine/vdqs/divergence';
import { searchTradeOff, type TradeOffChoices } from '../../../src/engine/vdqs/searchTradeOff';
import type { Sensitivities } from '../../../src/engine/vdqs/sensitivity';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/randomGraph';

function chain() {
  const g = new GraphBuilder(mulberry32(1));
  let map = g.input({ h: 8, w: 8, c: 3 });
  for (let i = 0; i < 4; i++) map = g.conv(map, 8, squareWindow(3), 1, relu);
  return g.build([map]);
}

const free: TradeOffChoices = { bits: () => [8, 4], weightBits: () => [8, 4] };

describe('bits by measured sensitivity', () => {
  const graph = chain();
  const units = decisionUnits(graph);
  const measured = (mapLoss: readonly number[], weightLoss: readonly number[]): Sensitivities => ({
    units: units.map((_, i) => new Map<Bits, number>([[8, 0], [4, mapLoss[i]]])),
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

  it('leaves alone what is fixed and comes as close as it can', () => {
    const fixed: TradeOffChoices = { bits: () => [8], weightBits: (id): readonly WeightBits[] => (id === 1 ? [4] : [8]) };
    const result = searchTradeOff(graph, units, losses, fixed, 4);
    assert.ok(result.units.every((b) => b === 8));
    assert.deepEqual([0, 1, 2, 3].map((id) => result.weights.get(id)), [8, 4, 8, 8]);
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
    assert.ok(Math.abs(outputDivergence(graph, logits(p), logits(q)) - expected) < 1e-5);
    assert.equal(outputDivergence(graph, logits(p), logits(p)), 0);
  });

  it('is the relative squared error elsewhere', () => {
    const g = new GraphBuilder(mulberry32(1));
    const graph = g.build([g.input({ h: 2, w: 1, c: 2 })]);
    assert.equal(outputDivergence(graph, [Float32Array.of(2, 0, 0, 0)], [Float32Array.of(2, 1, 0, 0)]), 0.25);
  });
});
