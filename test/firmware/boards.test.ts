import assert from 'node:assert/strict';
import { randomProgram } from '../support/randomProgram';
import { cores } from './board/board';
import { runGeneratedOnBoard } from './support/boardBuild';
import { removeFolder, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

describe('generated C on emulated boards', function () {
  this.timeout(600_000);

  for (const core of cores) {
    it(`equals the interpreter byte for byte and passes its self-test: ${core}`, () => {
      for (const seed of [1, 2, 3]) {
        const { program, inputs, outputs, files } = reference(randomProgram(seed), 4);
        const folder = scratchFolder(core);
        const result = runGeneratedOnBoard(folder, core, program, files, inputs);
        assert.deepEqual(toHex(result.outputs), toHex(outputs), `seed ${seed}, sources in ${folder}`);
        assert.equal(result.selftest, 0, `self-test of seed ${seed}`);
        removeFolder(folder);
      }
    });
  }
});
