import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { detectLayouts, findLayout, planProject, removeFromProject, writeToProject } from '../../../src/engine/codegen';
import { randomProgram } from '../../support/randomProgram';
import { putFiles, removeFolder, runCommand, scratchFolder } from '../support/hostBuild';
import { reference } from '../support/reference';
import { fixtures, mainAfter, mainBefore, type Fixture } from './fixtures';

/** All files below a folder with their texts, without what the build made. */
function snapshot(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => !/^(build|firmware)($|\/)/.test(name));
  return Object.fromEntries(
    names.map((name) => [
      name,
      statSync(path.join(folder, name)).isFile() ? readFileSync(path.join(folder, name), 'utf8') : '(folder)',
    ]),
  );
}

function buildAndRun(folder: string, { build, program }: Fixture): void {
  for (const [command, ...args] of build) runCommand(command, args, { cwd: folder });
  runCommand(path.join(folder, program), []);
}

describe('layouts of firmware projects', function () {
  this.timeout(300_000);
  const { files, sources } = reference(randomProgram(9), 2);
  const other = reference({ ...randomProgram(11), name: 'second' }, 1).sources;
  let folder: string;
  beforeEach(() => {
    folder = scratchFolder('layout');
  });
  afterEach(() => removeFolder(folder));

  for (const fixture of fixtures) {
    it(`${fixture.layout}: builds before and after, passes the self-test, is idempotent, leaves no trace`, async () => {
      putFiles(folder, [...fixture.files, { path: fixture.main, text: mainBefore }]);
      buildAndRun(folder, fixture);
      const before = snapshot(folder);
      const [layout] = await detectLayouts(folder);
      assert.equal(layout.id, fixture.layout);

      const plan = await planProject(folder, 'net', sources);
      assert.deepEqual(snapshot(folder), before, 'planning changed something');
      const written = await writeToProject(folder, 'net', sources, { editBuildFiles: true });
      assert.deepEqual(
        written.edited,
        plan.edits.map((edit) => edit.path),
      );
      assert.deepEqual(written.instructions, []);
      for (const { path: file, after } of plan.edits)
        assert.equal(readFileSync(path.join(folder, file), 'utf8'), after);
      writeFileSync(path.join(folder, fixture.main), mainAfter(written.include, 'net'));
      buildAndRun(folder, fixture);

      const generated = snapshot(folder);
      const again = await writeToProject(folder, 'net', sources, { editBuildFiles: true });
      assert.deepEqual([again.written, again.edited, again.instructions], [[], [], []]);
      assert.deepEqual(snapshot(folder), generated);

      await writeToProject(folder, 'second', other, { editBuildFiles: true });
      buildAndRun(folder, fixture);
      const both = snapshot(folder);
      for (const [name, set] of [
        ['net', sources],
        ['second', other],
      ] as const) {
        const unchanged = await writeToProject(folder, name, set, { editBuildFiles: true });
        assert.deepEqual([unchanged.written, unchanged.edited], [[], []], name);
      }
      assert.deepEqual(snapshot(folder), both);
      await removeFromProject(folder, 'second');
      assert.deepEqual(snapshot(folder), generated);
      const removal = await removeFromProject(folder, 'net');
      assert.ok(removal.removed.length > 5);
      assert.deepEqual(
        removal.edits.map((edit) => edit.path),
        plan.edits.map((edit) => edit.path),
      );
      writeFileSync(path.join(folder, fixture.main), mainBefore);
      assert.deepEqual(snapshot(folder), before);
      buildAndRun(folder, fixture);
    });
  }

  it('cubemx-make: cross-compiles for a Cortex-M0+ with the flags of the project', async () => {
    const fixture = fixtures.find((f) => f.layout === 'cubemx-make')!;
    putFiles(folder, [...fixture.files, { path: fixture.main, text: mainBefore }]);
    const { include } = await writeToProject(folder, 'net', files, { editBuildFiles: true });
    writeFileSync(path.join(folder, fixture.main), mainAfter(include, 'net'));
    runCommand(
      'make',
      [
        '-s',
        'PREFIX=arm-none-eabi-',
        'MCU=-mcpu=cortex-m0plus -mthumb',
        'LDFLAGS=-mcpu=cortex-m0plus -mthumb --specs=nano.specs --specs=nosys.specs',
      ],
      { cwd: folder },
    );
    assert.match(runCommand('arm-none-eabi-nm', ['build/firmware.elf'], { cwd: folder }), / T net_invoke$/m);
  });

  it('needs no runtime beside a model that brings its own', async () => {
    const fixture = fixtures.find((f) => f.layout === 'cmake')!;
    putFiles(folder, [...fixture.files, { path: fixture.main, text: mainBefore }]);
    const { include } = await writeToProject(folder, 'net', files, { editBuildFiles: true });
    assert.ok(!existsSync(path.join(folder, 'lib/quantmcu')));
    writeFileSync(path.join(folder, fixture.main), mainAfter(include, 'net'));
    buildAndRun(folder, fixture);
    await writeToProject(folder, 'net', sources, { editBuildFiles: true });
    assert.ok(!existsSync(path.join(folder, 'lib/net/net_quantmcu.h')));
    buildAndRun(folder, fixture);
  });

  it('upgrades an older runtime, and asks about an edited one', async () => {
    const fixture = fixtures.find((f) => f.layout === 'plain')!;
    putFiles(folder, fixture.files);
    await writeToProject(folder, 'net', sources);
    const at = path.join(folder, 'lib/quantmcu');
    const manifest = path.join(at, '.quantmcu-manifest.json');
    const current = readFileSync(path.join(at, 'qmcu_pool.c'), 'utf8');
    const older = current.replace('pooling', 'older pooling');
    writeFileSync(path.join(at, 'qmcu_pool.c'), older);
    await assert.rejects(writeToProject(folder, 'net', sources), /lib\/quantmcu\/qmcu_pool\.c edited since/);
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(hash(current), hash(older)));
    const plan = await planProject(folder, 'net', sources);
    assert.deepEqual(
      plan.write.update.map((f) => f.path),
      ['lib/quantmcu/qmcu_pool.c'],
    );
    await writeToProject(folder, 'net', sources);
    assert.equal(readFileSync(path.join(at, 'qmcu_pool.c'), 'utf8'), current);
  });

  it('touches no build file unless asked, and says what to add', async () => {
    for (const fixture of fixtures) {
      const project = path.join(folder, fixture.layout);
      mkdirSync(project);
      putFiles(project, [...fixture.files, { path: fixture.main, text: mainBefore }]);
      const before = snapshot(project);
      const { edits } = await planProject(project, 'net', files);
      const { instructions, edited } = await writeToProject(project, 'net', files);
      const after = snapshot(project);
      assert.deepEqual(edited, []);
      assert.equal(instructions.length > 0, edits.length > 0, fixture.layout);
      for (const file of Object.keys(before)) assert.equal(after[file], before[file], `${fixture.layout}: ${file}`);
    }
  });

  it('leaves edited files where they are when it removes', async () => {
    await writeToProject(folder, 'net', files);
    const edited = path.join(folder, 'lib/net/net.c');
    writeFileSync(edited, `${readFileSync(edited, 'utf8')}/* mine */\n`);
    writeFileSync(path.join(folder, 'lib/net/notes.txt'), 'mine\n');
    const dry = await removeFromProject(folder, 'net', { dryRun: true });
    assert.ok(existsSync(path.join(folder, 'lib/net/net.h')));
    assert.deepEqual(await removeFromProject(folder, 'net'), dry);
    assert.deepEqual(dry.kept, ['lib/net/net.c']);
    assert.deepEqual(readdirSync(path.join(folder, 'lib/net')).sort(), ['net.c', 'notes.txt']);
    assert.deepEqual((await removeFromProject(folder, 'absent')).removed, []);
  });

  it('puts the build file back when the sources cannot be written', async () => {
    const fixture = fixtures.find((f) => f.layout === 'cmake')!;
    putFiles(folder, [
      ...fixture.files,
      { path: fixture.main, text: mainBefore },
      { path: 'lib/net/net.c', text: 'mine\n' },
    ]);
    const before = snapshot(folder);
    await assert.rejects(
      writeToProject(folder, 'net', files, { editBuildFiles: true }),
      /net\.c not written by QuantMCU/,
    );
    assert.deepEqual(snapshot(folder), before);
  });

  it('names the layouts when one is asked for that does not exist', () => {
    assert.throws(() => findLayout('keil'), /Unknown layout "keil"\. Layouts: platformio, csolution/);
  });
});
