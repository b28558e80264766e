import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from '../support/paths';
import { removeFolder, runCommand, scratchFolder } from './support/hostBuild';

const M4 = ['__arm__=1', '__ARM_ARCH=7', '__ARM_FEATURE_DSP=1'];
const M55 = ['__arm__=1', '__ARM_ARCH=8', '__ARM_FEATURE_DSP=1', '__ARM_FEATURE_MVE=1'];
const ARMCLANG = ['__clang__=1', '__GNUC__=4', '__ARMCC_VERSION=6220000'];
const OPTIMIZED = ['__OPTIMIZE__=1'];
const IAR = ['__ICCARM__=1', '__VER__=9050001'];

/** What compilers that are not here define, by their manuals, and the kernels that are compiled there. */
const COMPILERS: Readonly<Record<string, readonly [readonly string[], 'DSP' | 'MVE' | 'PLAIN']>> = {
  'armclang for Cortex-M4': [[...ARMCLANG, ...M4, ...OPTIMIZED], 'DSP'],
  'armclang for Cortex-M55': [[...ARMCLANG, ...M55, ...OPTIMIZED], 'MVE'],
  'armclang for Cortex-M4 at -O0': [[...ARMCLANG, ...M4], 'PLAIN'],
  // Its inline assembler was never tried, and it does not tell whether it optimizes.
  'IAR for Cortex-M4': [[...IAR, ...M4], 'PLAIN'],
};

const runtime = path.join(projectRoot, 'src/firmware/common');

describe('kernels by the macros of compilers that are not here', () => {
  let folder: string;
  before(() => {
    folder = scratchFolder('compilers');
    // Nothing of this computer's headers: they ask for its own macros.
    const standard = path.join(folder, 'standard');
    mkdirSync(standard);
    for (const header of ['stdint', 'stddef', 'string']) writeFileSync(path.join(standard, `${header}.h`), '');
  });
  after(() => removeFolder(folder));

  for (const [compiler, [macros, expected]] of Object.entries(COMPILERS))
    it(`${compiler}: ${expected}`, () => {
      const source = path.join(folder, 'probe.c');
      writeFileSync(source, '#include "qmcu_core.h"\nprobe DSP QMCU_DSP MVE QMCU_MVE PLAIN QMCU_PLAIN\n');
      const include = ['-nostdinc', `-I${runtime}`, `-I${path.join(folder, 'standard')}`];
      const text = runCommand('gcc', ['-E', '-P', '-undef', ...macros.map((m) => `-D${m}`), ...include, source]);
      const kinds = [...text.matchAll(/(DSP|MVE|PLAIN) ([01])/g)].filter(([, , on]) => on === '1');
      assert.deepEqual(
        kinds.map(([, kind]) => kind),
        [expected],
      );
    });
});
