import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../src/engine/common/errors';
import { generateSources } from '../../src/engine/run/generate';
import { openPlan } from '../../src/engine/planned/open';
import { writeFilesWhole } from '../../src/engine/plan/files';
import { writeToProject } from '../../src/engine/codegen';
import { assertSound, runCli } from './commandLine';
import { SmallFolder, failureOf, quantizeSmall, smallModel, writeImages } from './fixtures';
import { SmallDisk } from './mounts';

const planFiles = (folder: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(folder)
      .filter((f) => f !== 'filler')
      .sort()
      .map((f) => [
        f,
        fs.statSync(path.join(folder, f)).isFile() ? fs.readFileSync(path.join(folder, f), 'latin1') : '(folder)',
      ]),
  );

describe('disks that fail', function () {
  this.timeout(300_000);
  let work: SmallFolder;
  before(() => (work = new SmallFolder(4)));
  after(() => work.remove());

  it('full disk: plan and parameters are written whole or stay as they were, whatever is left', async function () {
    const disk = SmallDisk.mount(this, work.path('disk'), 256);
    try {
      const planPath = path.join(disk.folder, 'model.quantmcu.json');
      const outcomes = new Set<string>();
      for (const first of [true, false]) {
        if (!first) {
          disk.free();
          await quantizeSmall({ ...work.paths, planPath, weights: 4 });
        }
        for (let blocks = 0; blocks <= 8; blocks++) {
          disk.fillExcept(blocks);
          const before = planFiles(disk.folder);
          const failure = await failureOf(quantizeSmall({ ...work.paths, planPath, weights: 8 }));
          outcomes.add(failure === null ? 'written' : 'refused');
          if (failure === null) {
            await openPlan(planPath);
            assert.deepEqual(Object.keys(planFiles(disk.folder)), ['model.quantmcu.json', 'model.quantmcu.params']);
            break;
          }
          assert.ok(failure instanceof UserError, String(failure.stack));
          assert.match(failure.message, /disk is full; free some space\. Nothing was changed\.$/);
          assert.deepEqual(planFiles(disk.folder), before);
        }
        disk.free();
      }
      assert.deepEqual([...outcomes].sort(), ['refused', 'written']);
    } finally {
      disk.unmount();
    }
  });

  it('full disk under the cache: quantizing works and says that nothing was cached', async function () {
    const disk = SmallDisk.mount(this, work.path('cache-disk'), 64);
    try {
      disk.fillExcept(0);
      const { summary } = await quantizeSmall({
        ...work.paths,
        planPath: work.path('cached.quantmcu.json'),
        cachePath: path.join(disk.folder, 'c'),
      });
      assert.ok(
        summary.notes.some((n) => /could not be cached/.test(n)),
        summary.notes.join('\n'),
      );
    } finally {
      disk.unmount();
    }
  });

  it('read-only file system: refused with its reason; viewing and generating elsewhere still work', async function () {
    const disk = SmallDisk.mount(this, work.path('read-only'), 1024);
    try {
      const model = path.join(disk.folder, 'model.onnx');
      const planPath = path.join(disk.folder, 'model.quantmcu.json');
      fs.copyFileSync(work.modelPath, model);
      await quantizeSmall({ modelPath: model, planPath, imagesPath: work.imagesPath });
      disk.readOnly();
      const before = planFiles(disk.folder);
      const failure = await failureOf(
        quantizeSmall({ modelPath: model, planPath, imagesPath: work.imagesPath, weights: 4 }),
      );
      assert.ok(failure instanceof UserError, String(failure?.stack));
      assert.match(
        failure.message,
        /model\.quantmcu\.json cannot be written: the file system is read-only; choose another folder/,
      );
      assert.deepEqual(planFiles(disk.folder), before);

      assertSound(await runCli(['inspect', model]), 'inspect');
      const sources = generateSources(await openPlan(planPath));
      fs.mkdirSync(work.path('elsewhere'));
      assert.ok((await writeToProject(work.path('elsewhere'), sources.name, sources.files)).written.length > 3);
      const refused = await runCli(['generate', planPath, '--project', disk.folder]);
      assertSound(refused, 'generate');
      assert.match(refused.stderr, /read-only/);
    } finally {
      disk.unmount();
    }
  });

  it('read-only folder: refused with its reason, by a user whom permissions bind', async function () {
    if (process.platform === 'win32') this.skip();
    // Permissions do not bind root: the command line runs as nobody there.
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    // Temporary folders are for their owner alone.
    fs.chmodSync(work.folder, 0o755);
    const locked = path.join(work.folder, 'locked');
    fs.mkdirSync(path.join(locked, 'project'), { recursive: true });
    fs.copyFileSync(work.modelPath, path.join(locked, 'model.onnx'));
    await quantizeSmall({
      modelPath: path.join(locked, 'model.onnx'),
      planPath: path.join(locked, 'model.quantmcu.json'),
      imagesPath: work.imagesPath,
    });
    for (const folder of [path.join(locked, 'project'), locked]) fs.chmodSync(folder, 0o555);
    const before = fs.readdirSync(locked, { recursive: true });
    try {
      const run = (...args: string[]): ReturnType<typeof runCli> =>
        runCli(args, { uid, env: { HOME: '/nonexistent', ORT_DISABLE_TELEMETRY: undefined } });
      const inspected = await run('inspect', path.join(locked, 'model.onnx'));
      if (inspected.code !== 0 && /EACCES|permission/i.test(inspected.stderr)) {
        console.log('      skipped: another user cannot read this folder');
        this.skip();
      }
      assertSound(inspected, 'inspect');
      const commands = [
        [
          'quantize',
          path.join(locked, 'model.onnx'),
          '--images',
          work.imagesPath,
          '--target',
          'stm32h743',
          '--no-cache',
        ],
        ['generate', path.join(locked, 'model.quantmcu.json'), '--project', path.join(locked, 'project')],
      ];
      for (const command of commands) {
        const result = await run(...command);
        assertSound(result, command[0]);
        assert.match(result.stderr, /no permission to write/);
        assert.deepEqual(fs.readdirSync(locked, { recursive: true }), before);
      }
    } finally {
      for (const folder of [locked, path.join(locked, 'project')]) fs.chmodSync(folder, 0o755);
    }
  });

  it('a folder in the place of the plan or its parameters, or no folder: refused, nothing changed', async () => {
    const planPath = work.path('places', 'p.quantmcu.json');
    assert.match((await failureOf(quantizeSmall({ ...work.paths, planPath })))!.message, /the folder does not exist/);
    work.write('places/keep.txt', 'mine');
    for (const taken of ['p.quantmcu.json', 'p.quantmcu.params']) {
      fs.mkdirSync(work.path('places', taken));
      const failure = await failureOf(quantizeSmall({ ...work.paths, planPath }));
      assert.ok(failure instanceof UserError, String(failure?.stack));
      assert.match(failure.message, /not a file|a folder is where a file is needed/);
      assert.deepEqual(fs.readdirSync(work.path('places')).sort(), ['keep.txt', taken].sort());
      fs.rmdirSync(work.path('places', taken));
    }
  });

  it('a file that cannot take its place puts the others back', async () => {
    const a = work.write('swap/a', 'old a');
    const failure = await failureOf(
      writeFilesWhole([
        { path: a, data: 'new a' },
        { path: work.path('swap', 'x'.repeat(300)), data: 'b' },
      ]),
    );
    assert.match(failure!.message, /the path is too long; choose a shorter one\. Nothing was changed\./);
    assert.deepEqual(planFiles(work.path('swap')), { a: 'old a' });
  });

  const names: [string, string][] = [
    ['non-ASCII', 'Ünïcödé 模型 😀 עברית'],
    ['shell characters', `a b'c"d$(touch pwned)\`id\`;&|%PATH%#!`],
    ['a line break', 'line\nbreak'],
    ['a leading dash', '-rf'],
  ];
  for (const [what, name] of names) {
    it(`${what} in paths: the whole way works`, async function () {
      if (process.platform === 'win32' && what !== 'non-ASCII') this.skip();
      const root = path.join('names', name);
      const model = work.write(path.join(root, `${name}.onnx`), smallModel());
      const images = writeImages(work, 4, path.join(root, `${name} images`));
      const plan = path.join(path.dirname(model), `${name}.quantmcu.json`);
      const project = work.path(root, `${name} project`);
      fs.mkdirSync(project);
      const quantized = await runCli([
        'quantize',
        model,
        '--images',
        images,
        '--target',
        'stm32h743',
        '--no-cache',
        '--json',
      ]);
      assertSound(quantized, 'quantize');
      assert.equal(quantized.code, 0, quantized.stderr);
      assert.equal((JSON.parse(quantized.stdout) as { plan: string }).plan, plan);
      const generated = await runCli(['generate', plan, '--project', project]);
      assertSound(generated, 'generate');
      assert.equal(generated.code, 0, generated.stderr);
      const evaluated = await runCli(['evaluate', plan, '--images', images]);
      assert.equal(evaluated.code, 0, evaluated.stderr);
      assert.ok(!fs.existsSync('pwned') && !fs.existsSync(work.path('pwned')));
    });
  }

  it('very long paths: the whole way works as far as the system goes, and is refused clearly beyond', async () => {
    let folder = work.path('long');
    while (folder.length < 3000) folder = path.join(folder, 'd'.repeat(200));
    try {
      fs.mkdirSync(folder, { recursive: true });
    } catch {
      folder = work.path('long'); // Systems with short paths: the long names below remain.
      fs.mkdirSync(folder, { recursive: true });
    }
    const model = path.join(folder, `${'n'.repeat(200)}.onnx`);
    fs.writeFileSync(model, smallModel());
    const plan = path.join(folder, `${'n'.repeat(200)}.quantmcu.json`);
    await quantizeSmall({ modelPath: model, planPath: plan, imagesPath: work.imagesPath });
    fs.mkdirSync(path.join(folder, 'project'));
    const sources = generateSources(await openPlan(plan));
    const generated = await failureOf(writeToProject(path.join(folder, 'project'), sources.name, sources.files));
    assert.ok(generated === null || generated instanceof UserError, String(generated?.stack));
    const tooLong = await runCli([
      'quantize',
      model,
      '--images',
      work.imagesPath,
      '--target',
      'stm32h743',
      '--no-cache',
      '--out',
      path.join(folder, `${'n'.repeat(250)}.quantmcu.json`),
    ]);
    assertSound(tooLong, 'quantize');
    assert.match(tooLong.stderr, /too long|ENAMETOOLONG/);
    const wide = path.join(folder, `${'模'.repeat(70)}.quantmcu.json`);
    await quantizeSmall({ modelPath: model, planPath: wide, imagesPath: work.imagesPath });
    await openPlan(wide);
  });
});
