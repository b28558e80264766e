import * as assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import type { Overall, Progress } from '../../../src/engine/common/progress';
import { readPlan } from '../../../src/engine/plan/files';
import { PhasedProgress } from '../../../src/engine/run/phases';
import type { QuantizeOptions } from '../../../src/engine/run/options';
import { quantize, type QuantizeOutcome } from '../../../src/engine/run/quantize';
import { projectRoot } from '../../support/paths';

const sample = path.join(projectRoot, 'media/sample');

describe('a result in seconds, better by the minute', () => {
  let folder: string;
  let planPath: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-live-'));
    planPath = path.join(folder, 'gauge.quantmcu.json');
  });
  afterEach(() => fs.rm(folder, { recursive: true, force: true }));

  const run = (progress: Progress, options: Partial<QuantizeOptions> = {}): Promise<QuantizeOutcome> =>
    quantize(
      {
        modelPath: path.join(sample, 'gauge.onnx'),
        planPath,
        imagesPath: path.join(sample, 'images'),
        target: { id: 'nano33ble', sramBytes: 256 * 1024, flashBytes: 1024 * 1024 },
        grid: 'auto',
        weights: 'auto',
        classes: 'static',
        preprocess: null,
        limit: 24,
        cachePath: null,
        early: true,
        ...options,
      },
      progress,
    );

  /** Cancels once the run has come to a step, and keeps what there is or not. */
  const until = (step: number, keep: boolean, seen: (overall: Overall) => void = () => undefined): Progress => {
    let cancelled = false;
    return {
      report: (_stage, _done, _total, overall) => {
        if (!overall) return;
        seen(overall);
        cancelled ||= overall.step >= step;
      },
      isCancelled: () => cancelled,
      isKept: () => keep,
    };
  };

  it('has the plan at 8 bits on disk before it measures anything', async () => {
    await assert.rejects(run(until(3, false)), CancelledError);
    const plan = await readPlan(planPath);
    assert.deepEqual([plan.maps, plan.search.bitOpsTarget], [{}, 1]);
  });

  it('gives what it has when it is stopped and kept', async () => {
    const { summary } = await run(until(3, true));
    assert.equal(summary.bitOps.reduction, 1);
    assert.match(summary.notes.join('\n'), /stopped before its end/);
    assert.equal((await readPlan(planPath)).target.id, 'nano33ble');
  });

  it('stops while maps are raised to 16 bits, with the plan that was found before or with none', async () => {
    const bits = [16, 8] as const;
    await assert.rejects(run(until(5, false), { bits }), CancelledError);
    const { summary } = await run(until(5, true), { bits, force: true });
    assert.match(summary.notes.join('\n'), /stopped before its end/);
    const plan = await readPlan(planPath);
    assert.deepEqual([plan.maps, plan.search.bits], [{}, [16, 8]]);
  });

  it('tells steps and a share that only grows, and finds fewer bits in the end, with an interval', async () => {
    const shares: number[] = [];
    const steps = new Set<number>();
    const { summary } = await run(
      until(9, false, ({ share, step }) => {
        shares.push(share);
        steps.add(step);
      }),
    );
    assert.deepEqual(
      shares,
      [...shares].sort((a, b) => a - b),
    );
    assert.deepEqual([...steps], [1, 2, 3, 4]);
    assert.ok(summary.bitOps.reduction > 1);
    assert.ok(summary.loss !== null && summary.loss.expected <= summary.loss.budget!);
  });

  it('leaves a plan alone that somebody changes meanwhile', async () => {
    let changed = false;
    const progress: Progress = {
      report: (_stage, _done, _total, overall) => {
        if (changed || overall?.step !== 4) return;
        changed = true;
        // Between two awaits of the run, as an editor's save comes.
        void fs.appendFile(planPath, '\n');
      },
      isCancelled: () => false,
    };
    await assert.rejects(
      run(progress),
      (error: Error) => error instanceof UserError && /your change kept/.test(error.message),
    );
    assert.ok((await fs.readFile(planPath, 'utf8')).endsWith('\n\n'));
  });
});

describe('progress of phases', () => {
  it('foresees the end by what the phases so far took', () => {
    let now = 0;
    const told: (Overall | undefined)[] = [];
    const progress = new PhasedProgress(
      { report: (_stage, _done, _total, overall) => told.push(overall), isCancelled: () => false },
      [25, 75],
      () => now,
    );
    progress.report('one', 0, 0);
    now = 10_000;
    progress.enter(1);
    progress.report('two', 0, 0);
    assert.equal(told[0]?.msLeft, null);
    assert.deepEqual(told[1], { step: 2, steps: 2, share: 0.25, msLeft: 30_000 });
  });

  it('tell the plans that were tried, all of them with every report', () => {
    const told: (Overall | undefined)[] = [];
    const progress = new PhasedProgress(
      { report: (_stage, _done, _total, overall) => told.push(overall), isCancelled: () => false },
      [1],
    );
    const plan = { instructions: 2e6, ms: 20, loss: 0.4, budget: 1 };
    progress.report('before', 0, 0);
    progress.tried(plan);
    progress.report('after', 0, 0);
    progress.tried({ ...plan, loss: 2 });
    progress.report('later', 0, 0);
    assert.deepEqual(
      told.map((overall) => overall?.tried?.map(({ loss }) => loss)),
      [undefined, [0.4], [0.4, 2]],
    );
  });
});
