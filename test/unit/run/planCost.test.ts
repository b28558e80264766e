import assert from 'node:assert/strict';
import * as path from 'node:path';
import type { Graph } from '../../../src/engine/graph/types';
import { isWeighted } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { BITOPS_WORTH, planCost } from '../../../src/engine/run/planCost';
import type { PlanTarget } from '../../../src/engine/targets/types';
import { decisionCost, OBJECTIVES, type DecisionCost } from '../../../src/engine/vdqs/decisionCost';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { projectRoot } from '../../support/paths';

const target: PlanTarget = { id: 'nano33ble', sramBytes: 1 << 20, flashBytes: 1 << 20, input: 'counted' };

describe('what decisions cost on a board', () => {
  let graph: Graph;
  before(async () => {
    graph = await importModel(path.join(projectRoot, 'media/sample/gauge.onnx'));
  });

  const total = (cost: DecisionCost, weightBits: 8 | 4, inputBits: 8 | 4): number =>
    graph.layers.filter(isWeighted).reduce((sum, { id }) => sum + cost.layer(id, weightBits, inputBits), 0);

  it('is that of the objective that was named', () => {
    for (const objective of OBJECTIVES) {
      const named = planCost(graph, decisionUnits(graph), { objective, target });
      assert.equal(total(named, 4, 8), total(decisionCost(graph, objective, 'cortex-m4'), 4, 8), objective);
    }
  });

  it('is the share of time and of BitOPs where both are minimised', () => {
    const units = decisionUnits(graph);
    const both = planCost(graph, units, { objective: 'bitops', asFast: true, target });
    assert.ok(Math.abs(total(both, 8, 8) - (1 + BITOPS_WORTH)) < 1e-9);
    // A quarter of the BitOPs, but for the classifier, in less time.
    const share = total(both, 4, 4);
    assert.ok(share > BITOPS_WORTH / 4 && share < 1 + BITOPS_WORTH / 4 + 0.1, `${share}`);
    assert.ok(total(both, 4, 8) < total(both, 8, 8));
  });
});
