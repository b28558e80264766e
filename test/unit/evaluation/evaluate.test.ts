import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { evaluate, type EvaluateOptions, type Evaluation } from '../../../src/engine/run/evaluate';
import { threadCount } from '../../../src/engine/evaluation/threads';
import { type OpenedPlan } from '../../../src/engine/planned/open';
import { silentProgress, type Progress } from '../../../src/engine/common/progress';
import { nodeBundle } from '../../support/nodeBundle.mjs';
import { projectRoot } from '../../support/paths';
import { copyPictures, planSample } from '../../support/sample';
import { scratchForAll } from '../../support/scratch';

describe('evaluate', function () {
  this.timeout(300_000);
  const folder = scratchForAll('evaluate');
  let images: string;
  let opened: OpenedPlan;
  let threadFile: string;

  before(async () => {
    images = path.join(folder, 'images');
    copyPictures('fresh', 24, images);
    opened = await planSample(path.join(folder, 'gauge.quantmcu.json'), {
      target: { id: 'custom', sramBytes: 1 << 20, flashBytes: 1 << 22 },
      grid: { rows: 2, cols: 2 },
      weights: 8,
      limit: 8,
      bits: [8, 4],
    });
    threadFile = path.join(projectRoot, 'out', 'tests', `evaluator-${process.pid}.cjs`);
    await build({ ...nodeBundle, entryPoints: [path.join(projectRoot, 'src/evaluator.ts')], outfile: threadFile });
  });
  after(() => {
    rmSync(threadFile, { force: true });
  });

  const run = (
    options: EvaluateOptions = {},
    progress: Progress = silentProgress,
    location = images,
  ): Promise<Evaluation> =>
    evaluate(opened.graph, opened.modelPath, opened.program, opened.plan.preprocess, location, 0, progress, {
      threadFile,
      task: opened.plan.task,
      ...options,
    });

  it('gives the same numbers whatever the number of threads', async () => {
    const options = { predictions: true, layers: { formats: opened.parameters.formats, images: 3 } };
    const [one, three] = [await run({ ...options, threads: 1 }), await run({ ...options, threads: 3 })];
    assert.deepEqual({ ...three, imagesPerSecond: 0 }, { ...one, imagesPerSecond: 0 });
    assert.equal(one.images, readdirSync(images).length);
    assert.ok(one.agreement! > 80, `agreement ${one.agreement}`);
    assert.equal(one.float.top1, null);
  });

  it('says what was predicted for each image, in the order of the samples', async () => {
    const { predictions, agreement } = await run({ predictions: true, threads: 2 });
    assert.deepEqual(
      predictions!.map((p) => p.sample),
      readdirSync(images).sort(),
    );
    const same = predictions!.filter((p) => p.float === p.quantized).length;
    assert.equal(agreement, (100 * same) / predictions!.length);
  });

  it('measures top-1 against labels and skips damaged files with a note', async () => {
    const { predictions } = await run({ predictions: true, threads: 1 });
    const labelled = path.join(folder, 'labelled');
    cpSync(images, labelled, { recursive: true });
    const [broken, ...rest] = predictions!;
    writeFileSync(path.join(labelled, broken.sample), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5]));
    writeFileSync(
      path.join(labelled, 'labels.csv'),
      ['file,class_index', ...predictions!.map((p) => `${p.sample},${p.float}`)].join('\n'),
    );
    const result = await run({ threads: 2 }, silentProgress, labelled);
    assert.equal(result.images, rest.length);
    assert.equal(result.float.top1, 100);
    assert.equal(result.quantized.top1, result.agreement);
    assert.ok(
      result.notes.some((n) => n.startsWith('Skipped') && n.includes(broken.sample)),
      result.notes.join('\n'),
    );
  });

  it('compares the output of every layer that computes, with more noise where codes have fewer bits', async () => {
    const { layers } = await run({ threads: 1, layers: { formats: opened.parameters.formats, images: 2 } });
    const computed = new Set(opened.program.steps.filter((s) => s.macs > 0).map((s) => s.layer));
    for (const id of computed)
      assert.ok(
        layers!.some((l) => l.layer === id),
        opened.graph.layers[id].name,
      );
    // Halves of a code of 8 bits give some 50 dB, of 4 bits some 25; a wrong scale or region gives less than 10.
    assert.ok(
      layers!.every((l) => l.snr > 10 && l.snr < 70),
      JSON.stringify(layers),
    );
  });

  it('says when a thread dies', async () => {
    const dying = path.join(folder, 'dying.cjs');
    writeFileSync(
      dying,
      "require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of luck'); });",
    );
    await assert.rejects(
      run({ threads: 2, threadFile: dying }),
      (error) => error instanceof UserError && /thread stopped: out of luck/.test(error.message),
    );
    writeFileSync(dying, "require('node:worker_threads').parentPort.on('message', () => process.exit(3));");
    await assert.rejects(
      run({ threads: 2, threadFile: dying }),
      (error) => error instanceof UserError && /code 3/.test(error.message),
    );
  });

  it('stops when it is cancelled, also while a thread is silent', async () => {
    const silent = path.join(folder, 'silent.cjs');
    writeFileSync(silent, "require('node:worker_threads').parentPort.on('message', () => undefined);");
    let cancelled = false;
    setTimeout(() => {
      cancelled = true;
    }, 300);
    await assert.rejects(
      run({ threads: 2, threadFile: silent }, { report: () => undefined, isCancelled: () => cancelled }),
      CancelledError,
    );
  });

  it('starts threads where they pay', () => {
    assert.equal(threadCount(3, undefined), 1);
    assert.equal(threadCount(1000, 3), 3);
    assert.ok(threadCount(1000, undefined) <= 16);
  });
});
