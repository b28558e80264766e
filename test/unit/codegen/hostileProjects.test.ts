import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { planProject, removeFromProject, writeToProject } from '../../../src/engine/codegen';
import { findLayout } from '../../../src/engine/codegen/project';
import { contentHash, manifestName } from '../../../src/engine/codegen/manifest';
import { UserError } from '../../../src/engine/common/errors';

/** What lies outside of the project and is nobody's business. */
const SECRET = 'SECRET, and no file of the project holds it\n';
const SOURCES = [
  { path: 'net.c', text: 'int a;\n' },
  { path: 'net.h', text: '/* a */\n' },
  { path: 'src/deep.c', text: 'int b;\n' },
];
const STAGING = '.quantmcu-staging';
const LAYOUTS = ['plain', 'cmake', 'cubemx-make', 'zephyr', 'esp-idf'];

/** Places in a project that generating and removing look at. */
const inFolder = (folder: string): string[] => [
  folder,
  `${folder}/net.c`,
  `${folder}/src`,
  `${folder}/src/deep.c`,
  `${folder}/src/net.c`,
  `${folder}/${manifestName}`,
  ...[STAGING, `${STAGING}-0123`].flatMap((staging) => [
    `${folder}/${staging}`,
    `${folder}/${staging}/journal.json`,
    `${folder}/${staging}/owner.json`,
    ...['old', 'new'].flatMap((kept) => [
      `${folder}/${staging}/${kept}`,
      `${folder}/${staging}/${kept}/id_rsa`,
      `${folder}/${staging}/${kept}/net.c`,
      `${folder}/${staging}/${kept}/src`,
    ]),
  ]),
];
const PLACES = [
  'lib',
  ...inFolder('lib/net'),
  'components',
  'components/net',
  'modules',
  'modules/net',
  'modules/net/zephyr',
  ...['CMakeLists.txt', 'Makefile', '.cproject', 'platformio.ini'].flatMap((file) => [
    file,
    `${file}.quantmcu-new`,
    `${file}.quantmcu-old`,
  ]),
  'main',
  'main/CMakeLists.txt',
  'cmake',
  'cmake/stm32cubemx',
];

const hashOf = (text: string): string => contentHash(Buffer.from(text));
const NOTES: unknown[] = [
  null,
  7,
  [],
  { written: null, replaced: null },
  { written: { 'net.c': 3 }, replaced: {} },
  { written: {}, replaced: ['id_rsa', 'net.c', '../../../home/id_rsa', 'src/id_rsa', 7] },
  { written: { id_rsa: hashOf(SECRET), 'net.c': hashOf(SOURCES[0].text), '../id_rsa': hashOf(SECRET) }, replaced: [] },
  { pid: 1, host: 'elsewhere' },
  { pid: '$(reboot)', host: 7 },
  {
    version: 1,
    files: { 'net.c': hashOf(SOURCES[0].text), id_rsa: hashOf(SECRET), 'src/id_rsa': hashOf(SECRET), 'old.c': 'x' },
  },
];

type Thing =
  | { readonly kind: 'link'; readonly to: string; readonly relative: boolean }
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'folder' | 'pipe' | 'device' };

const things: fc.Arbitrary<Thing> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('link' as const),
      // Files, folders, what is not there yet, and a ring.
      to: fc.constantFrom('home', 'home/id_rsa', 'home/src', 'home/nothing', 'home/src/nothing', 'repo', 'repo/ring'),
      relative: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('file' as const),
      text: fc.constantFrom(
        ...NOTES.map((note) => JSON.stringify(note)),
        '{',
        'project(x)\nadd_executable(x main.c)\n',
        'C_SOURCES = main.c\n',
        SOURCES[0].text,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'folder' as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'pipe' as const }, { kind: 'device' as const }) },
);

const actions = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    layout: fc.constantFrom(undefined, ...LAYOUTS),
    overwriteEdited: fc.boolean(),
    editBuildFiles: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('remove' as const) }),
  fc.record({ kind: fc.constant('plan' as const) }),
);

/** Everything about what lies outside that an access other than a look could change. */
function fingerprint(folder: string): unknown[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const { ino, nlink, mode, size, mtimeMs, ctimeMs } = fs.lstatSync(file);
      return [name, ino, nlink, mode, size, mtimeMs, ctimeMs];
    });
}

describe('projects of strangers', function () {
  this.timeout(120_000);
  let root: string;
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(tmpdir(), 'quantmcu-hostile-'));
    fs.mkdirSync(path.join(root, 'home/src'), { recursive: true });
    for (const file of ['id_rsa', 'net.c', 'src/id_rsa', 'src/deep.c', 'journal.json', manifestName])
      fs.writeFileSync(path.join(root, 'home', file), SECRET);
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  /** Puts a thing into the project where its folder is one of the project's own. */
  function put(place: string, thing: Thing): void {
    const file = path.join(root, 'repo', place);
    let folder = path.join(root, 'repo');
    for (const step of place.split('/').slice(0, -1)) {
      folder = path.join(folder, step);
      const there = fs.lstatSync(folder, { throwIfNoEntry: false });
      if (!there) fs.mkdirSync(folder);
      else if (!there.isDirectory()) return;
    }
    if (fs.lstatSync(file, { throwIfNoEntry: false })) return;
    switch (thing.kind) {
      case 'link': {
        const target = path.join(root, thing.to);
        fs.symlinkSync(thing.relative ? path.relative(path.dirname(file), target) || '.' : target, file);
        break;
      }
      case 'file':
        fs.writeFileSync(file, thing.text);
        break;
      case 'folder':
        fs.mkdirSync(file);
        break;
      case 'pipe':
        spawnSync('mkfifo', [file]);
        break;
      case 'device':
        // Without the right to make one, its place stays empty.
        spawnSync('mknod', [file, 'c', '1', '5']);
    }
  }

  function filesOf(folder: string): string[] {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesOf(file) : entry.isFile() ? [file] : [];
    });
  }

  it('have nothing outside of them read, written, moved or removed, whatever they hold', async () => {
    const cases = fc.record({
      contents: fc.array(fc.tuple(fc.constantFrom(...PLACES), things), { minLength: 1, maxLength: 8 }),
      actions: fc.array(actions, { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ contents, actions: wanted }) => {
        const repo = path.join(root, 'repo');
        fs.rmSync(repo, { recursive: true, force: true });
        fs.mkdirSync(repo);
        for (const [place, thing] of contents) put(place, thing);
        const before = fingerprint(path.join(root, 'home'));
        const told: string[] = [];
        for (const action of wanted) {
          try {
            const result =
              action.kind === 'remove'
                ? await removeFromProject(repo, 'net')
                : action.kind === 'plan'
                  ? await planProject(repo, 'net', SOURCES)
                  : await writeToProject(repo, 'net', SOURCES, {
                      ...action,
                      layout: action.layout === undefined ? undefined : findLayout(action.layout),
                    });
            told.push(JSON.stringify(result));
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            told.push(error.message);
          }
        }
        assert.deepEqual(fingerprint(path.join(root, 'home')), before);
        assert.ok(!told.some((text) => text.includes('SECRET')), told.join('\n'));
        for (const file of filesOf(repo)) assert.ok(!fs.readFileSync(file, 'utf8').includes('SECRET'), file);
      }),
      { numRuns: 150 },
    );
  });

  it('whose lib leads elsewhere are refused in one line', async () => {
    const repo = path.join(root, 'repo');
    fs.mkdirSync(repo);
    fs.symlinkSync('../home', path.join(repo, 'lib'));
    await assert.rejects(
      writeToProject(repo, 'net', SOURCES, { layout: findLayout('plain'), overwriteEdited: true }),
      (e) => e instanceof UserError && e.message.includes(`${repo}/lib is a link, which QuantMCU does not follow`),
    );
  });

  it('whose staging folder holds a link are refused, and nothing is moved', async () => {
    const repo = path.join(root, 'repo');
    fs.mkdirSync(path.join(repo, 'lib/net', STAGING), { recursive: true });
    fs.symlinkSync('../../../../home', path.join(repo, 'lib/net', STAGING, 'old'));
    fs.writeFileSync(
      path.join(repo, 'lib/net', STAGING, 'journal.json'),
      JSON.stringify({ written: {}, replaced: ['id_rsa'] }),
    );
    await assert.rejects(
      writeToProject(repo, 'net', SOURCES, { layout: findLayout('plain') }),
      (e) => e instanceof UserError && /staging\/old was not made by QuantMCU/.test(e.message),
    );
    assert.equal(fs.readFileSync(path.join(root, 'home/id_rsa'), 'utf8'), SECRET);
    assert.deepEqual(fs.readdirSync(path.join(repo, 'lib/net')), [STAGING]);
  });
});
