import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { asFirmware } from '../support/asFirmware';
import { needSharedData } from '../support/sharedData';
import { assertSound, cliPath, runCli, type Run } from './commandLine';
import { smallModel, WorkFolder, writeImages } from './fixtures';

/** The hostile inputs beside the reference models, each as its README says what is right. */
describe('hostile inputs of the field', function () {
  this.timeout(600_000);
  let work: WorkFolder;
  beforeEach(() => (work = new WorkFolder()));
  afterEach(() => work.remove());

  const cases = (self: Mocha.Context, ...names: string[]): string =>
    path.join(needSharedData(self, '..', 'cases', 'attack'), ...names);

  const quantize = (model: string, images: string, ...more: string[]): Promise<Run> =>
    runCli([
      'quantize',
      model,
      ...['--images', images, '--target', 'stm32h743', '--no-cache', '--out', work.path('net.quantmcu.json')],
      ...more,
    ]);

  it('outputs are the ONNX tensors, whatever stands last', async function () {
    for (const name of fs.readdirSync(cases(this, 'output-order'))) {
      const folder = cases(this, 'output-order', name);
      const file = fs.readdirSync(folder).find((f) => f.endsWith('.onnx'))!;
      const { snr } = await asFirmware(path.join(folder, file), work.path(name), { compiled: true });
      assert.ok(
        snr.every((v) => v > 30),
        `${name}: ${snr.join(' ')} dB`,
      );
    }
  });

  it('maps whose patches have no extent, and windows that round up', async function () {
    const folder = cases(this, 'planner-null-extents');
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.onnx'))) {
      const run = await quantize(path.join(folder, file), path.join(folder, 'cal.npy'), '--preprocess', 'raw');
      assertOneLine(run, file);
    }
    const pooled = cases(this, 'ceil-pool-96');
    const run = await quantize(path.join(pooled, 'net.onnx'), path.join(pooled, 'cal.npy'), '--preprocess', 'raw');
    assert.equal(run.code, 0, run.stderr);
  });

  it('a map for classes beyond the stage is named where it stands', async function () {
    for (const file of fs.readdirSync(cases(this, 'runtime-map-beyond-stage')))
      fs.copyFileSync(cases(this, 'runtime-map-beyond-stage', file), work.path(file));
    fs.mkdirSync(work.path('firmware'));
    const plan = work.path('model.quantmcu.json');
    for (const args of [
      ['generate', plan, '--project', work.path('firmware')],
      ['export', plan, '--format', 'qdq', '--out', work.path('out.onnx')],
    ]) {
      const run = await runCli(args);
      assertSound(run, args[0]);
      assert.match(run.stderr, /\/patchStage\/runtime\/map/);
    }
  });

  it('pictures and arrays that unpack to far more are refused before they do', async function () {
    const model = work.write('model.onnx', smallModel());
    for (const name of ['interlaced-png', 'npz-bomb/a.npz']) {
      const run = await quantize(model, cases(this, name));
      assertSound(run, name);
      assert.notEqual(run.code, 0);
      assert.ok(run.peakBytes < 500e6, `${run.peakBytes} bytes`);
    }
  });

  it('names that steer terminals, and weights beyond all sums', async function () {
    const images = writeImages(work, 3);
    for (const name of fs.readdirSync(cases(this, 'onnx'))) {
      const model = cases(this, 'onnx', name, 'model.onnx');
      for (const run of [await runCli(['inspect', model]), await quantize(model, images)]) {
        assertOneLine(run, name);
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(run.stdout + run.stderr, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/, name);
      }
    }
    const constant = await quantize(cases(this, 'const_output.onnx'), images);
    assertOneLine(constant, 'const_output');
  });

  it('scripts that moved or wrote files outside of the project leave them alone', function () {
    if (process.platform === 'win32') this.skip();
    for (const [name, outside] of [
      ['staging-theft', 'home/.ssh/id_rsa'],
      ['symlinked-lib', null],
    ] as const) {
      const script = fs.readFileSync(cases(this, name, 'repro.sh'), 'utf8').replace(/W=\$\(mktemp -d\)/, 'W=$WORK');
      const folder = work.path(name);
      fs.mkdirSync(folder);
      const images = writeImages(work, 3);
      const env = { ...process.env, CLI: cliPath(), IMAGES: images, CASES: cases(this), WORK: folder };
      spawnSync('bash', ['-c', script], { env, encoding: 'utf8' });
      if (outside) assert.equal(fs.readFileSync(path.join(folder, outside), 'utf8'), 'SECRET\n');
      // What was written stands in the repository, and no link leads there.
      const written = fs
        .readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.[ch]$/.test(file));
      assert.ok(
        written.every((file) => file.startsWith('repo/')),
        `${name}: ${written.join(' ')}`,
      );
    }
  });
});

describe('readers that have seen enough', function () {
  this.timeout(120_000);

  it('ends quietly when its output is no longer read', async () => {
    const work = new WorkFolder();
    try {
      const model = work.write('model.onnx', smallModel());
      for (const args of [['inspect', model], ['inspect', model, '--json'], ['targets'], ['help']]) {
        const child = spawn(process.execPath, [cliPath(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.destroy();
        let errors = '';
        child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
        const code = await new Promise((resolve) => child.on('close', resolve));
        assert.equal(errors, '', args.join(' '));
        assert.equal(code, 0, args.join(' '));
      }
    } finally {
      work.remove();
    }
  });
});

/** A result, or one line; slow or not. */
function assertOneLine(run: Run, what: string): void {
  const shown = `${what}: exit ${run.code}: ${run.stderr}`;
  if (run.code === 0) return;
  assert.equal(run.code, 1, shown);
  assert.match(run.stderr, /^[^\n]{10,2000}\n$/, shown);
  assert.doesNotMatch(run.stderr, /Internal error|\bat .*\.js:\d+|\bundefined\b|TypeError|RangeError/, shown);
}
