/* What the emulated board counts for each layer, beside QEMU's own counting of instructions. */
import assert from 'node:assert/strict';
import { countingSource, layerCounts } from '../../../src/engine/emulator/stepCounts';
import { runSelftest } from '../../../src/engine/emulator/selftest';
import { silentProgress } from '../../../src/engine/common/progress';
import { stepNumbers } from '../../../src/engine/codegen/checkpoints';
import { randomProgram } from '../../support/randomProgram';
import { reference } from '../support/reference';

describe('instructions of layers on an emulated board', function () {
  this.timeout(120_000);
  const { program, files } = reference(randomProgram(9), 2);
  const { name } = program;
  const printed = (runs: number, ticks: number): string => {
    const numbers = stepNumbers(program);
    const steps = numbers[numbers.length - 1] + 1;
    return `x\nsteps of ${runs} ${ticks}\n${Array.from({ length: steps }, (_, i) => `${100 * (i + 1)}\n`).join('')}`;
  };

  it('are the ticks of its steps in instructions, for one inference', () => {
    const layers = layerCounts(program, printed(2, 50_000))!;
    const numbers = stepNumbers(program);
    const expected: number[] = [];
    new Map(numbers.map((number, i) => [number, program.steps[i].layer])).forEach((layer, number) => {
      // 40 instructions a tick, two inferences.
      expected[layer] = (expected[layer] ?? 0) + 100 * (number + 1) * 20;
    });
    assert.deepEqual(
      layers,
      Array.from(expected, (n) => n ?? 0),
    );
  });

  it('are none where the program printed none, or not all', () => {
    for (const output of ['', 'passed\n', 'steps of 0 50000\n', printed(1, 50_000).slice(0, 20), printed(1, 0)])
      assert.equal(layerCounts(program, output), null);
  });

  it('are the same in every run, and fewer on a core that computes two products at once', async () => {
    const run = async (core: 'm0plus' | 'm4'): Promise<readonly number[]> =>
      (await runSelftest(name, files, core, silentProgress, program)).layers!;
    const [first, again, small] = [await run('m4'), await run('m4'), await run('m0plus')];
    assert.deepEqual(first, again);
    const total = (layers: readonly number[]): number => layers.reduce((sum, n) => sum + n, 0);
    assert.ok(total(first) < total(small), `${total(first)} on M4, ${total(small)} on M0+`);
    assert.match(countingSource(program, name), new RegExp(`__wrap_${name}_invoke_watched\\(`));
  });
});
