import assert from 'node:assert/strict';
import { OPTIMIZE_LEVELS } from '../../src/engine/targets/types';
import { randomProgram } from '../support/randomProgram';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

/** The first seed; others find more: `SEED=100 node test/firmware/run.mjs test/firmware/uses.test.ts`. */
const FIRST = Number(process.env.SEED ?? 1);

describe('the runtime compiled for what a program uses', function () {
  this.timeout(600_000);

  OPTIMIZE_LEVELS.forEach((optimize, i) => {
    it(`computes the same, and never comes where it was told that no layer does: ${optimize}`, () => {
      const program = randomProgram(FIRST + i);
      const target = { core: 'cortex-m4', flashBytes: 1 << 20 } as const;
      const { inputs, outputs, files } = reference(program, 4, 2, undefined, { optimize, target, cores: ['dsp'] });
      const folder = scratchFolder('uses');
      const flags = ['-O1', ...sanitizerFlags];
      const result = buildForHost(folder, program, files, { compiler: 'gcc', flags }).run(inputs);
      assert.deepEqual(toHex(result.outputs), toHex(outputs), `seed ${FIRST + i}, sources in ${folder}`);
      assert.equal(result.selftest, 0, `self-test in ${folder}`);
      removeFolder(folder);
    });
  });
});
