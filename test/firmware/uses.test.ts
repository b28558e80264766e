import assert from 'node:assert/strict';
import { OPTIMIZE_LEVELS } from '../../src/engine/targets/types';
import type { KernelOp } from '../../src/engine/program/types';
import { randomByteProgram } from '../support/randomProgram';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

/** The first seed; others find more: `SEED=100 node test/firmware/run.mjs test/firmware/uses.test.ts`. */
const FIRST = Number(process.env.SEED ?? 1);

/** What the programs have together of the kernels that depend on what is used. */
const KERNELS: readonly (readonly KernelOp[])[] = [
  ['conv2d', 'depthwise2d'],
  ['conv2d', 'fullyConnected', 'add'],
  ['depthwise2d', 'maxPool', 'add'],
  ['conv2d', 'averagePool', 'depthwise2d'],
];

describe('the runtime compiled for what a program uses', function () {
  this.timeout(600_000);

  KERNELS.forEach((kernels, i) => {
    const optimize = OPTIMIZE_LEVELS[i % OPTIMIZE_LEVELS.length];
    it(`computes the same, and never comes where it was told that no layer does: ${kernels.join()}, ${optimize}`, () => {
      const program = randomByteProgram(FIRST + 100 * i, kernels);
      const target = { core: 'cortex-m4', flashBytes: 1 << 20 } as const;
      const { inputs, outputs, files } = reference(program, 4, 2, undefined, { optimize, target, cores: ['dsp'] });
      assert.ok(
        files.some(({ text }) => text.includes('#define QMCU_CONV2D_PIXELS ')),
        'compiled whole',
      );
      const folder = scratchFolder('uses');
      const flags = ['-O1', ...sanitizerFlags];
      const result = buildForHost(folder, program, files, { compiler: 'gcc', flags }).run(inputs);
      assert.deepEqual(toHex(result.outputs), toHex(outputs), `seed ${FIRST + 100 * i}, sources in ${folder}`);
      assert.equal(result.selftest, 0, `self-test in ${folder}`);
      removeFolder(folder);
    });
  });
});
