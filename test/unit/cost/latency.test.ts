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
import { estimate, parseKernel, parsePacked, parseRun } from '../../bench/latency';
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

  it('estimates whole networks, layer by layer and in many small patches', () => {
    const [header, ...rows] = rowsOf('runs-m4.tsv');
    const plans = header.split('\t')[3].split(' ');
    for (const [p, plan] of plans.entries()) {
      let counted = 0;
      let estimated = 0;
      for (const row of rows) {
        const times = Number(row.split('\t')[3].split(' ')[p]);
        const run = parseRun(row);
        counted += times * run.instructions;
        estimated += times * estimate(run);
      }
      assert.ok(Math.abs(estimated / counted - 1) <= PLAN_ERROR, `${plan}: ${Math.round(estimated)} of ${counted}`);
    }
    assert.ok(plans.length >= 4);
  });

  for (const [core, file] of [
    ['cortex-m0plus', 'runs-m0plus.tsv'],
    ['cortex-m3', 'runs-m3.tsv'],
    ['cortex-m55', 'runs-m55.tsv'],
    ['riscv32', 'runs-rv32imac.tsv'],
  ] as const)
    it(`estimates whole networks on ${core} as far as its costs say, and most of their layers within 20 %`, () => {
      const costs = CORE_COSTS[core];
      const [header, ...rows] = rowsOf(file);
      const plans = header.split('\t')[3].split(' ');
      const runs = rows.map((row) => ({ ...parseRun(row), of: row.split('\t')[3].split(' ').map(Number) }));
      plans.forEach((plan, p) => {
        const counted = runs.reduce((sum, run) => sum + run.of[p] * run.instructions, 0);
        const estimated = runs.reduce((sum, run) => sum + run.of[p] * estimate(run, costs), 0);
        assert.ok(
          Math.abs(estimated / counted - 1) <= costs.instructionError,
          `${plan}: ${Math.round(estimated)} of ${counted}`,
        );
      });
      const work = (some: typeof runs): number => some.reduce((sum, run) => sum + run.times * run.instructions, 0);
      const near = runs.filter((run) => Math.abs(estimate(run, costs) / run.instructions - 1) <= 0.2);
      assert.ok(work(near) >= 0.85 * work(runs), `${work(near)} of ${work(runs)}`);
      assert.ok(plans.length >= 4);
    });

  it('tells times on every board of the table, and how far they may be off', () => {
    for (const target of targets) {
      assert.ok(instructionsMs(1e6, target)! > 0, target.id);
      assert.ok(latencyError(target) > 0.03 && latencyError(target) < 0.6, target.id);
      assert.ok(target.memory && target.memory.source !== '', target.id);
    }
  });
});
