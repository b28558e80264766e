import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { FIT_ERROR, PACKED_FIT_ERROR, PLAN_ERROR } from '../../../src/engine/cost/latency';
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
      .flatMap((row) => parseKernel(row) ?? [])
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
});
