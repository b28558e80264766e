import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { CancelledError, UserError } from '../../src/engine/common/errors';
import { openPlan } from '../../src/engine/planned/open';
import type { Progress } from '../../src/engine/common/progress';
import { cliPath } from './commandLine';
import { SmallFolder, failureOf, quantizeSmall, smallModel } from './fixtures';

/** A progress that is cancelled when it is polled for the n-th time, and counts the polls. */
function cancelledAt(n: number): Progress & { polls: number } {
  return {
    polls: 0,
    report: () => undefined,
    isCancelled() {
      return ++this.polls >= n;
    },
  };
}

describe('interrupted quantizing', function () {
  this.timeout(300_000);
  let work: SmallFolder;
  const pair = (): string[] =>
    [work.planPath, work.planPath.replace('.json', '.params')].map((f) =>
      fs.existsSync(f) ? fs.readFileSync(f, 'latin1') : '',
    );
  beforeEach(() => (work = new SmallFolder(3)));
  afterEach(() => work.remove());

  it('cancelled at every poll that occurs: no plan, no part of one, no part of a cache', async () => {
    const before = work.snapshot();
    let n = 1;
    for (; ; n++) {
      const progress = cancelledAt(n);
      const failure = await failureOf(quantizeSmall({ ...work.paths, cachePath: work.path(`cache-${n}`) }, progress));
      for (const file of fs.existsSync(work.path(`cache-${n}`)) ? fs.readdirSync(work.path(`cache-${n}`)) : [])
        assert.match(file, /\.calibration$/);
      fs.rmSync(work.path(`cache-${n}`), { recursive: true, force: true });
      if (progress.polls < n) {
        assert.equal(failure, null, String(failure?.stack));
        break;
      }
      assert.ok(failure instanceof CancelledError, `poll ${n}: ${String(failure?.stack)}`);
      assert.deepEqual(work.snapshot(), before, `poll ${n}`);
    }
    assert.ok(n > 8, `only ${n} polls`);
    await openPlan(work.planPath);
  });

  it('cancelled over an earlier plan, at polls of the whole run and at all of its end: that plan stays', async () => {
    const requantize = (progress: ReturnType<typeof cancelledAt>): Promise<Error | null> =>
      failureOf(quantizeSmall({ ...work.paths, weights: 8 }, progress));
    const whole = cancelledAt(Infinity);
    assert.equal(await requantize(whole), null);
    const after = work.snapshot();
    await quantizeSmall({ ...work.paths, weights: 4 });
    const before = work.snapshot();
    assert.notDeepEqual(after, before);
    // Files are written at the end.
    for (let n = 1; n <= whole.polls; n += n < whole.polls - 12 ? 5 : 1) {
      const progress = cancelledAt(n);
      const failure = await requantize(progress);
      if (progress.polls < n) break;
      assert.ok(failure instanceof CancelledError, `poll ${n}`);
      assert.deepEqual(work.snapshot(), before, `poll ${n}`);
    }
    await openPlan(work.planPath);
  });

  it('killed at any moment: the plan is the earlier one or the new one, whole', async function () {
    if (process.platform === 'win32') this.skip();
    await quantizeSmall({ ...work.paths, weights: 4 });
    const earlier = pair();
    const args = [
      'quantize',
      work.modelPath,
      '--images',
      work.imagesPath,
      '--target',
      'stm32h743',
      '--weights',
      '8',
      '--no-cache',
      '--out',
      work.planPath,
    ];
    const run = (kill: boolean, when: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [cliPath(), ...args], { stdio: 'ignore' });
        const timer = setInterval(() => {
          if (kill && when()) child.kill('SIGKILL');
        }, 1);
        child.on('close', () => {
          clearInterval(timer);
          resolve();
        });
      });
    const assertWhole = async (): Promise<void> => {
      const now = pair();
      if (now[0] === earlier[0]) assert.deepEqual(now, earlier);
      else await openPlan(work.planPath);
    };
    // At fixed moments of its work, and when the first temporary file appears: the moment that matters.
    for (let i = 0; i < 6; i++) {
      const begun = Date.now();
      await run(true, () => Date.now() - begun > i * 120);
      await assertWhole();
    }
    await run(true, () => fs.readdirSync(work.folder).some((f) => f.endsWith('.tmp')));
    await assertWhole();
    // What it left behind does not stand in the way of the next run.
    await run(false, () => false);
    assert.notEqual(pair()[0], earlier[0]);
    await openPlan(work.planPath);
  });

  it('model replaced while it is quantized: nothing is written', async () => {
    let replaced = false;
    const progress: Progress = {
      report: (stage) => {
        if (stage === 'Calibrating' && !replaced) {
          replaced = true;
          fs.writeFileSync(work.modelPath, smallModel(2));
        }
      },
      isCancelled: () => false,
    };
    const failure = await failureOf(quantizeSmall({ ...work.paths }, progress));
    assert.ok(replaced && failure instanceof UserError, String(failure?.stack));
    assert.match(failure.message, /changed while it was being quantized/);
    assert.deepEqual(pair(), ['', '']);
  });

  it('two runs at once on one model: both finish, the plan is one of theirs, whole', async () => {
    for (let round = 0; round < 4; round++) {
      const runs = ([4, 8] as const).map((weights) => quantizeSmall({ ...work.paths, weights }));
      await Promise.all(runs);
      const { plan, parameters } = await openPlan(work.planPath);
      const { weights } = plan.search;
      assert.ok(weights === 4 || weights === 8);
      for (const layer of parameters.layers.values()) assert.equal(layer.weightBits, weights);
      assert.deepEqual(fs.readdirSync(work.folder).sort(), [
        'images',
        'model.onnx',
        'model.quantmcu.json',
        'model.quantmcu.params',
      ]);
    }
  });
});
