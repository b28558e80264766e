import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { selftestCores } from '../../../src/engine/emulator/boards';
import { runSelftest } from '../../../src/engine/emulator/selftest';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { silentProgress } from '../../../src/engine/common/progress';
import { randomProgram } from '../../support/randomProgram';
import { reference } from '../support/reference';

describe('run on emulator', function () {
  this.timeout(300_000);
  const { program, files } = reference(randomProgram(9), 2);
  const { name } = program;

  for (const core of selftestCores) {
    it(`${core}: passes, and fails when one stored output byte is another`, async () => {
      const good = await runSelftest(name, files, core, silentProgress, program);
      assert.deepEqual([good.passed, good.core], [true, core], good.output);
      if (core === 'host') assert.equal(good.layers, null);
      else
        for (const { layer } of program.steps)
          assert.ok(good.layers![layer] > 0, `layer ${layer}: ${good.layers!.join(' ')}`);
      assert.match(good.output, new RegExp(`^${name}_selftest: passed$`, 'm'));
      let changed = 0;
      const wrong = files.map((file) => ({
        ...file,
        text: file.text.replace(
          /(output\w*\[[^\]]*\](?:\[[^\]]*\])*\s*=\s*\{[\s{]*)(0x)?([0-9a-f]+)/i,
          (_all, before: string, hex: string | undefined, value: string) => {
            changed++;
            return `${before}${hex ?? ''}${value === '1' || value === '01' ? '2' : '1'}`;
          },
        ),
      }));
      assert.equal(changed, 1, 'the golden output was not found');
      const bad = await runSelftest(name, wrong, core, silentProgress);
      assert.deepEqual(
        [bad.passed, bad.message],
        [false, 'failed: it computes something else than the editor simulates'],
        bad.output,
      );
    });
  }

  it('says when there is no self-test, and in one line when something does not compile or fit', async () => {
    assert.match(
      (await runSelftest(name, reference(program, 1, 0).files, 'm4', silentProgress)).message,
      /contain no self-test/,
    );
    const broken = [...files, { path: 'broken.c', text: 'int x = ;\n' }];
    await assert.rejects(
      runSelftest(name, broken, 'm4', silentProgress),
      (error) => error instanceof UserError && /does not compile: .*broken\.c:1:9: error/.test(error.message),
    );
    const tooLarge = files.map((file) =>
      file.path === `${name}.h` ? { ...file, text: file.text.replace(/(_ARENA_BYTES) \d+/, '$1 5000000') } : file,
    );
    await assert.rejects(runSelftest(name, tooLarge, 'm4', silentProgress), /does not fit the emulated board/);
  });

  it('stops when it is cancelled, and leaves nothing behind', async () => {
    const left = (): string[] => readdirSync(tmpdir()).filter((file) => file.startsWith('quantmcu-selftest-'));
    const before = left();
    await assert.rejects(
      runSelftest(name, files, 'm4', { report: () => undefined, isCancelled: () => true }),
      CancelledError,
    );
    assert.deepEqual(left(), before);
  });
});
