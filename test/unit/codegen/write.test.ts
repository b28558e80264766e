import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import {
  detectLayouts,
  planWrite,
  WriteConflictError,
  writeSources,
  writeToProject,
} from '../../../src/engine/codegen';
import type { GeneratedFile } from '../../../src/engine/codegen';
import { UserError } from '../../../src/engine/common/errors';
import { SafeFolder } from '../../../src/engine/common/safeFolder';
import { outRoot } from '../../support/paths';

const manifest = '.quantmcu-manifest.json';
const first: GeneratedFile[] = [
  { path: 'net.c', text: 'int a;\n' },
  { path: 'net.h', text: '/* one */\n' },
  { path: 'src/old.c', text: 'old\n' },
];
const second: GeneratedFile[] = [
  { path: 'net.c', text: 'int b;\n' },
  { path: 'net.h', text: '/* one */\n' },
  { path: 'deep/er/new.c', text: 'new\n' },
];

/** All files below a folder with their texts. */
function snapshot(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      fs.statSync(path.join(folder, name)).isFile() ? fs.readFileSync(path.join(folder, name), 'utf8') : '(folder)',
    ]),
  );
}

describe('writeSources', () => {
  let root: string;
  let folder: string;
  const place = (): SafeFolder => new SafeFolder(root, path.relative(root, folder));
  const put = (file: string, text: string): void => fs.writeFileSync(path.join(folder, file), text);
  const get = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');

  beforeEach(() => {
    fs.mkdirSync(outRoot, { recursive: true });
    root = fs.mkdtempSync(path.join(outRoot, 'write-'));
    folder = path.join(root, 'lib', 'net');
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  it('writes a new folder, touches nothing the second time, and only what changed the third', async () => {
    assert.deepEqual((await writeSources(place(), first)).written, ['net.c', 'net.h', 'src/old.c']);
    const before = snapshot(folder);
    const times = (): number[] => ['net.c', 'net.h', manifest].map((f) => fs.statSync(path.join(folder, f)).ino);
    const inodes = times();
    const again = await writeSources(place(), first);
    assert.deepEqual([again.written, again.unchanged, again.removed], [[], ['net.c', 'net.h', 'src/old.c'], []]);
    assert.deepEqual(snapshot(folder), before);
    assert.deepEqual(times(), inodes);

    const third = await writeSources(place(), second);
    assert.deepEqual(
      [third.written, third.unchanged, third.removed],
      [['deep/er/new.c', 'net.c'], ['net.h'], ['src/old.c']],
    );
    assert.equal(times()[1], inodes[1]);
    assert.deepEqual(Object.keys(snapshot(folder)), [manifest, 'deep', 'deep/er', 'deep/er/new.c', 'net.c', 'net.h']);
  });

  it('never overwrites an edited file or one of somebody else, and says which', async () => {
    await writeSources(place(), first);
    put('net.c', 'int mine;\n');
    fs.mkdirSync(path.join(folder, 'deep', 'er'), { recursive: true });
    put('deep/er/new.c', 'somebody\n');
    const before = snapshot(folder);
    await assert.rejects(writeSources(place(), second), (error: unknown) => {
      assert.ok(error instanceof WriteConflictError && error instanceof UserError);
      assert.deepEqual(
        error.conflicts.map((c) => [c.path, c.reason]),
        [
          ['deep/er/new.c', 'foreign'],
          ['net.c', 'edited'],
        ],
      );
      assert.match(error.message, /net\.c edited since they were generated; deep\/er\/new\.c not written by QuantMCU/);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
    assert.deepEqual(snapshot(folder), before);
    await assert.rejects(writeSources(place(), second, { overwriteEdited: ['net.c'] }), WriteConflictError);
    assert.deepEqual(snapshot(folder), before);
    await writeSources(place(), second, { overwriteEdited: true });
    assert.deepEqual([get('net.c'), get('deep/er/new.c')], ['int b;\n', 'new\n']);
  });

  it(
    'writes around files that are to be kept: an edited one stays known as edited, one of somebody else does ' +
      'not become ours',
    async () => {
      await writeSources(place(), first);
      put('net.c', 'int mine;\n');
      fs.mkdirSync(path.join(folder, 'deep', 'er'), { recursive: true });
      put('deep/er/new.c', 'somebody\n');
      const result = await writeSources(place(), [...second, { path: 'more.c', text: 'more\n' }], {
        keepEdited: ['net.c', 'deep/er/new.c'],
      });
      assert.deepEqual(
        [result.written, result.kept, result.removed],
        [['more.c'], ['deep/er/new.c', 'net.c'], ['src/old.c']],
      );
      assert.deepEqual([get('net.c'), get('deep/er/new.c')], ['int mine;\n', 'somebody\n']);
      const { conflicts, update } = planWrite(place(), second);
      assert.deepEqual(
        conflicts.map((c) => [c.path, c.reason]),
        [
          ['deep/er/new.c', 'foreign'],
          ['net.c', 'edited'],
        ],
      );
      assert.deepEqual(update, []);
      // Removal leaves both.
      await writeSources(place(), [], { keepEdited: [] });
      assert.deepEqual([get('net.c'), get('deep/er/new.c')], ['int mine;\n', 'somebody\n']);
    },
  );

  it('takes over a file of others that has the right content already, and a deleted one comes back', async () => {
    await writeSources(place(), first);
    put('net.c', 'int b;\n');
    fs.rmSync(path.join(folder, 'net.h'));
    const result = await writeSources(place(), second);
    assert.deepEqual([result.written, result.unchanged], [['deep/er/new.c', 'net.h'], ['net.c']]);
  });

  it('leaves an edited file that is not needed any more, and lets go of it', async () => {
    await writeSources(place(), first);
    put('src/old.c', 'edited\n');
    assert.deepEqual((await writeSources(place(), second)).released, ['src/old.c']);
    assert.equal(get('src/old.c'), 'edited\n');
    await assert.rejects(writeSources(place(), first), /src\/old\.c not written by QuantMCU/);
  });

  it('does not mistake CRLF line ends for an edit', async () => {
    await writeSources(place(), first);
    put('net.c', 'int a;\r\n');
    put('net.h', '/* one */\r\n');
    assert.deepEqual(planWrite(place(), first).unchanged, ['net.c', 'net.h', 'src/old.c']);
    assert.deepEqual((await writeSources(place(), second)).written, ['deep/er/new.c', 'net.c']);
  });

  it('trusts no damaged or hostile manifest', async () => {
    await writeSources(place(), first);
    const outside = path.join(root, 'outside.txt');
    fs.writeFileSync(outside, 'precious');
    for (const text of [
      '{',
      'null',
      '[]',
      '{"version":1,"files":7}',
      '{"version":2,"files":{}}',
      '{"version":1,"files":{"../../outside.txt":"' + 'a'.repeat(64) + '"}}',
    ]) {
      put(manifest, text);
      put('net.c', 'int mine;\n');
      await assert.rejects(writeSources(place(), second), /net\.c not written by QuantMCU/);
      assert.equal(get('net.c'), 'int mine;\n');
    }
    assert.equal(fs.readFileSync(outside, 'utf8'), 'precious');
  });

  it('writes through no symbolic link and over no folder, not even when asked to overwrite', async () => {
    fs.mkdirSync(folder, { recursive: true });
    const elsewhere = path.join(root, 'elsewhere');
    fs.mkdirSync(elsewhere);
    fs.symlinkSync(elsewhere, path.join(folder, 'src'));
    await assert.rejects(writeSources(place(), first, { overwriteEdited: true }), /src\/old\.c/);
    assert.deepEqual(fs.readdirSync(elsewhere), []);
    fs.rmSync(path.join(folder, 'src'));
    fs.mkdirSync(path.join(folder, 'net.c'));
    await assert.rejects(writeSources(place(), first, { overwriteEdited: true }), /net\.c/);
    assert.deepEqual(Object.keys(snapshot(folder)), ['net.c']);
    fs.rmdirSync(path.join(folder, 'net.c'));
    fs.mkdirSync(path.join(folder, manifest));
    await assert.rejects(writeSources(place(), first, { overwriteEdited: true }), WriteConflictError);
  });

  it('refuses paths that leave the folder', async () => {
    for (const bad of ['../x.c', '/x.c', 'a/../x.c', 'a\\x.c', '.hidden', '', 'a//b', manifest, 'c:x', 'x.c.']) {
      await assert.rejects(writeSources(place(), [{ path: bad, text: '' }]), /cannot be the path/, bad);
    }
    assert.ok(!fs.existsSync(folder));
  });

  it('lets one generation into a folder at a time', async () => {
    const results = await Promise.allSettled([writeSources(place(), first), writeSources(place(), first)]);
    assert.deepEqual(
      results.map((r) => r.status),
      ['fulfilled', 'rejected'],
    );
    assert.match(
      String((results[1] as PromiseRejectedResult).reason),
      /another run is generating into this folder; wait for it to finish/,
    );
  });

  describe('when the file system fails', () => {
    // The module itself: what an import gives cannot be changed.
    const live = createRequire(__filename)('node:fs') as Record<string, (...args: unknown[]) => unknown>;
    const mutating = ['renameSync', 'unlinkSync', 'rmdirSync', 'mkdirSync', 'openSync'];
    const originals = Object.fromEntries(mutating.map((name) => [name, live[name]]));
    afterEach(() => {
      Object.assign(live, originals);
    });

    /** Lets `count` changes through; then each one fails once (`once`) or, as if the process had died, for ever. */
    const failAfter = (count: number, forEver: boolean, code: string): (() => boolean) => {
      let left = count;
      let failed = false;
      for (const name of mutating) {
        live[name] = (...args) => {
          const reads = name === 'openSync' && (Number(args[1]) & fs.constants.O_WRONLY) === 0;
          if (!reads && left-- <= 0 && (forEver || !failed)) {
            failed = true;
            throw Object.assign(new Error(`${code} at ${name}`), { code });
          }
          return originals[name](...args);
        };
      }
      return () => failed;
    };

    it('undoes a half-done change at once, wherever it fails', async () => {
      await writeSources(place(), first);
      const before = snapshot(folder);
      let steps = 0;
      for (; ; steps++) {
        const failed = failAfter(steps, false, 'EACCES');
        const outcome = await writeSources(place(), second).then(
          () => 'done',
          (error: unknown) => error,
        );
        Object.assign(live, originals);
        if (!failed()) break;
        if (outcome !== 'done') {
          assert.ok(outcome instanceof UserError && /no permission to write/.test(outcome.message), String(outcome));
          assert.deepEqual(snapshot(folder), before, `failure at change ${steps}`);
        } else {
          await writeSources(place(), first);
        }
      }
      assert.ok(steps > 15, `only ${steps} changes`);
      assert.equal(get('net.c'), 'int b;\n');
    });

    it('undoes on the next run what a killed process left, wherever it was killed', async () => {
      let steps = 0;
      for (; ; steps++) {
        fs.rmSync(folder, { recursive: true, force: true });
        await writeSources(place(), first);
        const before = snapshot(folder);
        const failed = failAfter(steps, true, 'EIO');
        await writeSources(place(), second).catch(() => undefined);
        Object.assign(live, originals);
        if (!failed()) break;
        // The user's own file in the way makes the next run stop after it has put things right.
        fs.rmSync(path.join(folder, 'mine.c'), { force: true });
        put('mine.c', 'mine\n');
        await assert.rejects(writeSources(place(), [{ path: 'mine.c', text: 'x' }]), WriteConflictError);
        fs.rmSync(path.join(folder, 'mine.c'));
        const after = snapshot(folder);
        const complete = after['net.c'] === 'int b;\n';
        if (complete)
          assert.deepEqual(
            Object.keys(after).filter((f) => after[f] !== '(folder)'),
            [manifest, 'deep/er/new.c', 'net.c', 'net.h'],
            `killed at change ${steps}`,
          );
        else assert.deepEqual(after, before, `killed at change ${steps}`);
      }
      assert.ok(steps > 15, `only ${steps} changes`);
    });

    it('leaves alone what was edited after the process had died', async () => {
      await writeSources(place(), first);
      for (let steps = 5; ; steps++) {
        const failed = failAfter(steps, true, 'EIO');
        await writeSources(place(), second).catch(() => undefined);
        Object.assign(live, originals);
        assert.ok(failed(), 'net.c never changed');
        if (fs.existsSync(path.join(folder, 'net.c')) && get('net.c') === 'int b;\n') break;
      }
      put('net.c', 'edited since\n');
      await assert.rejects(writeSources(place(), second), /net\.c edited/);
      assert.equal(get('net.c'), 'edited since\n');
    });

    it('leaves no trace of a folder that could not be filled', async () => {
      failAfter(4, false, 'ENOSPC');
      await assert.rejects(writeSources(place(), first), /the disk is full/);
      assert.deepEqual(fs.readdirSync(root), []);
    });
  });

  it('leaves everything as it was on a disk that is really full', async function () {
    const mounted = path.join(root, 'disk');
    fs.mkdirSync(mounted);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mounted]).status !== 0) {
      console.log('      skipped: mounting a small file system needs root');
      this.skip();
    }
    try {
      folder = path.join(mounted, 'net');
      await writeSources(place(), first);
      const before = snapshot(folder);
      await assert.rejects(
        writeSources(place(), [...second, { path: 'weights.c', text: 'x'.repeat(100_000) }]),
        /the disk is full; free some space/,
      );
      assert.deepEqual(snapshot(folder), before);
      spawnSync('mount', ['-o', 'remount,ro', mounted]);
      await assert.rejects(writeSources(place(), second), /read-only/);
      assert.deepEqual(snapshot(folder), before);
    } finally {
      spawnSync('umount', [mounted]);
    }
  });
});

describe('layouts', () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(outRoot, 'layout-'));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  it('puts sources where each kind of project looks for them', async () => {
    const sources: GeneratedFile[] = [
      { path: 'net.c', text: 'int x;\n' },
      { path: 'net.h', text: '\n' },
    ];
    assert.equal((await detectLayouts(root))[0].id, 'plain');
    fs.writeFileSync(path.join(root, 'CMakeLists.txt'), '');
    const cmake = await writeToProject(root, 'net', sources);
    assert.deepEqual(
      [cmake.layout.id, cmake.folder, cmake.written],
      ['cmake', path.join(root, 'lib/net'), ['lib/net/CMakeLists.txt', 'lib/net/net.c', 'lib/net/net.h']],
    );
    fs.writeFileSync(path.join(root, 'platformio.ini'), '');
    const platformio = await writeToProject(root, 'net', sources);
    assert.deepEqual(
      [platformio.layout.id, platformio.written, platformio.removed],
      [
        'platformio',
        ['lib/net/library.json', 'lib/net/src/net.c', 'lib/net/src/net.h'],
        ['lib/net/CMakeLists.txt', 'lib/net/net.c', 'lib/net/net.h'],
      ],
    );
  });

  it('touches nothing for an unchanged model beside another one, whichever comes first', async () => {
    const file = path.join(root, 'CMakeLists.txt');
    fs.writeFileSync(file, 'project(app C)\nadd_executable(app main.c)\n');
    const generate = (name: string, text = 'int x;\n'): ReturnType<typeof writeToProject> =>
      writeToProject(root, name, [{ path: `${name}.c`, text }], { editBuildFiles: true });
    await generate('first');
    await generate('second');
    const before = fs.readFileSync(file, 'utf8');
    const [one, two] = [before.indexOf('quantmcu first'), before.indexOf('quantmcu second')];
    assert.ok(one > 0 && two > one, before);
    for (const name of ['first', 'second', 'second', 'first']) {
      const { written, edited } = await generate(name);
      assert.deepEqual([written, edited], [[], []], name);
    }
    await generate('first', 'int y;\n');
    assert.equal(fs.readFileSync(file, 'utf8'), before, 'a change of sources moves no block');
  });

  it('says when the project is not there', async () => {
    await assert.rejects(writeToProject(path.join(root, 'absent'), 'net', []), /cannot be read; choose the folder/);
  });
});
