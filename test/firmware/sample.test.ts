import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess } from '../../src/engine/calibration/preprocess';
import { writeToProject } from '../../src/engine/codegen';
import { generateSources, goldenInputs } from '../../src/engine/run/generate';
import { regionHeight, regionWidth } from '../../src/engine/graph/region';
import { openPlan, type OpenedPlan } from '../../src/engine/planned/open';
import { planSample, sample } from '../support/sample';
import { runGeneratedOnBoard } from './support/boardBuild';
import { buildForHost, removeFolder, runCommand, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

describe('the sample as firmware', function () {
  this.timeout(600_000);
  let folder: string;
  let opened: OpenedPlan;

  before(async () => {
    folder = scratchFolder('sample');
    cpSync(path.join(sample, 'firmware'), path.join(folder, 'firmware'), {
      recursive: true,
      filter: (file) => !/[\\/](build|lib)$/.test(file),
    });
    cpSync(path.join(sample, 'gauge.onnx'), path.join(folder, 'gauge.onnx'));
    opened = await planSample(path.join(folder, 'gauge.quantmcu.json'), {
      modelPath: path.join(folder, 'gauge.onnx'),
      target: { id: 'custom', sramBytes: 44 * 1024, flashBytes: 400 * 1024 },
      grid: 'auto',
      weights: 'auto',
      preprocess: presetPreprocess('unit'),
      limit: 0,
    });
  });
  after(() => removeFolder(folder));

  it('needs patches, and its plan is mixed', () => {
    assert.ok(opened.stage, 'layer by layer fits: the sample is too small to show anything');
    assert.ok(new Set(opened.program.buffers.map((b) => b.bits)).size > 1, 'all maps have the same bits');
  });

  it('builds in its project with make, fits 64 KB of RAM and 512 KB of flash, and passes its self-test', async () => {
    const { name, sources } = generateSources(opened, 'speed', 'all');
    const project = path.join(folder, 'firmware');
    const written = await writeToProject(project, name, sources);
    assert.ok(written.written.length > 5);
    assert.deepEqual((await writeToProject(project, name, sources)).written, []);
    for (const args of [['run'], ['run-board', 'CORE=m4'], ['run-board', 'CORE=m0plus']]) {
      const output = runCommand('make', ['-s', ...args], { cwd: project });
      assert.match(output, /^self-test: passed$/m, args.join(' '));
      assert.match(output, /^reading: +\d+ %/m, args.join(' '));
      assert.match(output, new RegExp(`^arena: +${opened.program.arenaBytes} bytes$`, 'm'));
    }
  });

  it('runs with its picture in tiles, or where it is', async () => {
    const project = path.join(folder, 'firmware');
    for (const input of ['tiles', 'external'] as const) {
      const other = await openPlan(opened.planPath, {
        plan: { ...opened.plan, target: { ...opened.plan.target, input } },
      });
      assert.ok(other.program.arenaBytes <= opened.program.arenaBytes);
      const tiles = other.program.steps
        .filter(({ kernel }) => kernel.op === 'load')
        .map(({ output: { region } }) => regionHeight(region) * regionWidth(region));
      const { h, w } = other.program.inputs[0].shape;
      assert.equal(tiles.length > 0, input === 'tiles');
      assert.ok(
        tiles.every((pixels) => pixels < h * w),
        'nowhere is a whole picture',
      );
      const { name, sources } = generateSources(other);
      await writeToProject(project, name, sources);
      const output = runCommand('make', ['-s', 'run'], { cwd: project });
      assert.match(output, /^self-test: passed$/m, input);
      assert.match(output, new RegExp(`^arena: +${other.program.arenaBytes} bytes$`, 'm'), input);
    }
  });

  it('equals the interpreter on 20 inputs: on this computer, Cortex-M4 and Cortex-M0+', () => {
    const { program } = opened;
    const { inputs, outputs, files } = reference(program, 20, 1, (i) => goldenInputs(program, i + 1));
    const sources = path.join(folder, 'sources');
    for (const flags of [['-O2'], ['-O1', ...sanitizerFlags]]) {
      const host = buildForHost(sources, program, files, { flags }).run(inputs);
      assert.deepEqual(toHex(host.outputs), toHex(outputs));
      assert.deepEqual([host.selftest, host.guardsWhole, host.lastByteUsed], [0, true, true]);
    }
    for (const core of ['m4', 'm0plus'] as const) {
      const board = runGeneratedOnBoard(path.join(folder, core), core, program, files, inputs);
      assert.deepEqual(toHex(board.outputs), toHex(outputs), core);
      assert.equal(board.selftest, 0, core);
    }
  });

  it('is generated the same every time, from the plan alone', async () => {
    const again = generateSources(await openPlan(opened.planPath));
    assert.deepEqual(again.files, generateSources(opened).files);
    const header = again.files.find((f) => f.path === 'gauge.h')!.text;
    assert.match(header, new RegExp(`#define GAUGE_ARENA_BYTES ${opened.program.arenaBytes}\\n`));
    assert.ok(!readFileSync(opened.planPath, 'utf8').includes(folder));
    assert.ok(!header.includes(folder));
  });
});
