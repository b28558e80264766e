import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import {
  FIT_ERROR,
  instructionsMs,
  latencyError,
  PACKED_FIT_ERROR,
  PLAN_ERROR,
} from '../../../src/engine/cost/latency';
import { targets } from '../../../src/engine/targets/targets';
import { CORE_COSTS } from '../../../src/engine/cost/coreCosts';
import { countedPlans, estimate, parseKernel, parsePacked, sumsOf, type CountedPlan } from '../../bench/latency';
import { projectRoot } from '../../support/paths';

function rowsOf(file: string): string[] {
  return readFileSync(path.join(projectRoot, 'test/bench', file), 'utf8')
    .trim()
    .split('\n');
}

describe('latency', () => {
  it('estimates convolutions and depthwise layers as they were counted on the emulated Cortex-M4', () => {
    const counted = rowsOf('kernels-m4.tsv')
      .slice(1)
      .flatMap((row) => parseKernel(row, CORE_COSTS['cortex-m4']) ?? [])
      .filter((c) => /^(pw|conv|dw)/.test(c.name));
    for (const c of counted)
      assert.ok(
        Math.abs(estimate(c) / c.instructions - 1) <= FIT_ERROR,
        `${c.name}: ${Math.round(estimate(c))} of ${c.instructions}`,
      );
    assert.ok(counted.length >= 19);
  });

  it('estimates convolutions with packed weights as they were counted in a whole network', () => {
    const counted = rowsOf('packed-m4.tsv').slice(1).map(parsePacked);
    for (const c of counted)
      assert.ok(
        Math.abs(estimate(c) / c.instructions - 1) <= PACKED_FIT_ERROR,
        `${c.name}: ${Math.round(estimate(c))}`,
      );
    assert.ok(counted.length > 20);
  });

  for (const [core, name] of [
    ['cortex-m0plus', 'm0plus'],
    ['cortex-m3', 'm3'],
    ['cortex-m4', 'm4'],
    ['cortex-m55', 'm55'],
    ['riscv32', 'rv32imac'],
  ] as const) {
    const costs = CORE_COSTS[core];
    const errors = (plans: readonly CountedPlan[]): number[] =>
      plans.map((plan) => {
        const { counted, estimated } = sumsOf(plan, costs);
        return estimated / counted - 1;
      });

    it(`estimates whole networks on ${core} that its costs are fitted to`, () => {
      const plans = countedPlans(name).filter(({ isHeldOut }) => !isHeldOut);
      for (const [p, error] of errors(plans).entries())
        assert.ok(Math.abs(error) <= PLAN_ERROR, `${plans[p].plan}: ${error}`);
      assert.ok(plans.length >= 1);
    });

    it(`tells how far networks on ${core} are off that nothing is fitted to, most of their layers within 20 %`, () => {
      const plans = countedPlans(name).filter(({ isHeldOut }) => isHeldOut);
      const mean = Math.sqrt(errors(plans).reduce((sum, error) => sum + error ** 2, 0) / plans.length);
      assert.ok(mean <= costs.instructionError, `${mean}`);
      // Nor is it told much worse than it is.
      assert.ok(costs.instructionError <= mean + 0.025, `${costs.instructionError} for ${mean}`);
      const runs = plans.flatMap((plan) => plan.runs);
      const work = (some: typeof runs): number => some.reduce((sum, run) => sum + run.times * run.instructions, 0);
      const near = runs.filter((run) => Math.abs(estimate(run, costs) / run.instructions - 1) <= 0.2);
      assert.ok(work(near) >= 0.85 * work(runs), `${work(near)} of ${work(runs)}`);
      assert.ok(plans.length >= 4);
    });
  }

  it('tells times on every board of the table, and how far they may be off', () => {
    for (const target of targets) {
      assert.ok(instructionsMs(1e6, target)! > 0, target.id);
      assert.ok(latencyError(target) > 0.03 && latencyError(target) < 0.6, target.id);
      assert.ok(target.memory && target.memory.source !== '', target.id);
    }
  });
});
