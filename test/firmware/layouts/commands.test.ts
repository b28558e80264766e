import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { commands } from '../../../src/cli/commandLine';
import { quantize } from '../../../src/engine/run/quantize';
import { silentProgress } from '../../../src/engine/common/progress';
import { projectRoot } from '../../support/paths';
import { removeFolder, scratchFolder } from '../support/hostBuild';

const sample = path.join(projectRoot, 'media/sample');

describe('generate, remove and selftest on the command line', function () {
  this.timeout(300_000);
  let folder: string;
  let project: string;
  let plan: string;
  const list = 'project(firmware C)\nadd_executable(firmware main.c)\n';
  const run = async (
    name: string,
    positionals: string[],
    values: Record<string, string | boolean>,
  ): Promise<{ text: string; json: Record<string, unknown> }> =>
    (await commands.get(name)!.run(positionals, values, silentProgress)) as {
      text: string;
      json: Record<string, unknown>;
    };

  before(async () => {
    folder = scratchFolder('commands');
    project = path.join(folder, 'firmware');
    plan = path.join(folder, 'gauge.quantmcu.json');
    mkdirSync(project);
    writeFileSync(path.join(project, 'CMakeLists.txt'), list);
    cpSync(path.join(sample, 'gauge.onnx'), path.join(folder, 'gauge.onnx'));
    await quantize(
      {
        modelPath: path.join(folder, 'gauge.onnx'),
        planPath: plan,
        imagesPath: path.join(sample, 'images'),
        target: { id: 'custom', sramBytes: 256 * 1024, flashBytes: 1 << 20 },
        grid: 'none',
        weights: 8,
        classes: 'static',
        preprocess: presetPreprocess('unit'),
        limit: 4,
        cachePath: null,
        compensate: false,
      },
      silentProgress,
    );
  });
  after(() => removeFolder(folder));

  it('says what generating would change, and changes nothing', async () => {
    const { text, json } = await run('generate', [plan], { project, 'dry-run': true });
    assert.deepEqual([json.layout, json.evidence, json.dryRun], ['cmake', 'CMakeLists.txt', true]);
    assert.match(text, /^create {3}lib\/gauge\/gauge\.h$/m);
    const edit = [
      'edit     CMakeLists.txt (with --edit-build)',
      '  + # >>> quantmcu quantmcu',
      '  + add_subdirectory(lib/quantmcu)',
    ];
    assert.ok(`\n${text}`.includes(`\n${edit.join('\n')}\n`), text);
    assert.deepEqual(readdirSync(project), ['CMakeLists.txt']);
  });

  it('generates with the build file left alone, then with it edited, and removes both', async () => {
    const first = await run('generate', [plan], { project });
    const advice = ['quantmcu', 'gauge'].map((name) => `Add to CMakeLists.txt:\n  add_subdirectory(lib/${name})`);
    assert.ok(first.text.includes(advice.join('\n')), first.text);
    assert.equal(readFileSync(path.join(project, 'CMakeLists.txt'), 'utf8'), list);
    const second = await run('generate', [plan], { project, 'edit-build': true });
    assert.deepEqual([second.json.written, second.json.edited, second.json.instructions], [[], ['CMakeLists.txt'], []]);
    assert.deepEqual((await run('generate', [plan], { project, 'dry-run': true })).json.edits, []);
    const dry = await run('remove', [], { project, name: 'gauge.onnx', 'dry-run': true });
    assert.ok(existsSync(path.join(project, 'lib/gauge/gauge.h')));
    const { json } = await run('remove', [], { project, name: 'gauge' });
    assert.deepEqual({ ...json, dryRun: true }, dry.json);
    assert.deepEqual(readdirSync(project), ['CMakeLists.txt']);
    assert.equal(readFileSync(path.join(project, 'CMakeLists.txt'), 'utf8'), list);
    assert.match((await run('remove', [], { project, name: 'gauge' })).text, /contains nothing generated for gauge/);
  });

  it('takes the layout that is asked for', async () => {
    const { json } = await run('generate', [plan], { project, layout: 'esp-idf', 'dry-run': true });
    assert.deepEqual([json.layout, json.evidence], ['esp-idf', null]);
    await assert.rejects(run('generate', [plan], { project, layout: 'keil' }), /Unknown layout "keil"/);
  });

  it('runs the self-test', async () => {
    const { text, json } = await run('selftest', [plan], { core: 'm4' });
    assert.equal(json.passed, true);
    assert.match(text, /^Self-test of gauge on m4 passed/);
    await assert.rejects(
      run('selftest', [plan], { core: 'm85' }),
      /--core must be one of m0plus, m3, m4, m7, m33, m55, host, not "m85"/,
    );
  });
});
