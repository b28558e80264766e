import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { outRoot, projectRoot } from '../support/paths';

const megabyte = 1024 * 1024;

/** What may be in a package beside the binaries of its own platform. */
const allowed = [
  /^extension\.vsixmanifest$/,
  /^\[Content_Types\]\.xml$/,
  /^extension\/package(\.nls(\.\w+)?)?\.json$/i,
  /^extension\/(readme\.md|changelog\.md|LICENSE\.txt|ThirdPartyNotices\.txt)$/i,
  /^extension\/l10n\/bundle\.l10n(\.\w+)?\.json$/,
  /^extension\/dist\/(extension|worker|evaluator|fitter|inference|cli)\.js$/,
  /^extension\/dist\/webview\/main\.(js|css)$/,
  /^extension\/media\/(walkthrough\/\w+\.svg|[\w.]+\.png)$/,
  /^extension\/media\/schema\/[\w.]+\.json$/,
  /^extension\/media\/skills\/quantmcu\/SKILL\.md$/,
  /^extension\/media\/sample\/(?!training\/)(?!firmware\/(lib|build)\/)/,
  /^extension\/node_modules\/onnxruntime-(node|common)\/(package\.json|LICENSE(\.txt)?|dist\/[\w/.-]+\.js(on)?)$/,
];

describe('the packaged extension (VSIX)', function () {
  this.timeout(300_000);
  const target = `${process.platform}-${process.arch}`;
  let folder: string;
  let vsix: string;
  let names: string[];

  const run = (command: string, args: readonly string[], cwd = projectRoot): string => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (error) throw error;
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };

  before(() => {
    mkdirSync(outRoot, { recursive: true });
    folder = mkdtempSync(path.join(outRoot, 'vsix-'));
    vsix = process.env.QUANTMCU_E2E_VSIX ?? path.join(folder, 'quantmcu.vsix');
    if (!existsSync(vsix)) run(process.execPath, ['package.mjs', target, '--out', vsix]);
    names = run('unzip', ['-Z1', vsix])
      .split('\n')
      .filter((name) => name !== '' && !name.endsWith('/'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what it needs, for its own platform, and nothing else', () => {
    const binaries = new RegExp(
      `^extension/node_modules/onnxruntime-node/bin/napi-v\\d+/${process.platform}/${process.arch}/[\\w.-]+$`,
    );
    assert.deepEqual(
      names.filter((name) => !binaries.test(name) && !allowed.some((pattern) => pattern.test(name))),
      [],
    );
    assert.ok(
      names.some((name) => binaries.test(name) && name.endsWith('.node')),
      'the runtime is missing',
    );
    for (const file of [
      'package.json',
      'dist/extension.js',
      'dist/worker.js',
      'dist/cli.js',
      'dist/webview/main.js',
      'dist/webview/main.css',
      'media/icon.png',
      'media/sample/gauge.onnx',
    ]) {
      assert.ok(names.includes(`extension/${file}`), `${file} is missing`);
    }
    assert.match(run('unzip', ['-p', vsix, 'extension.vsixmanifest']), new RegExp(`TargetPlatform="${target}"`));
  });

  it('holds every file that its manifest names', () => {
    const manifest = readFileSync(path.join(projectRoot, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/"(?:\.\/)?((?:media|dist|l10n)\/[\w./-]+)"/g)].map(([, file]) => file);
    assert.ok(named.length > 6, named.join());
    assert.deepEqual(
      named.filter((file) => !names.includes(`extension/${file}`)),
      [],
    );
    for (const file of ['package.nls.json', 'package.nls.de.json', 'l10n/bundle.l10n.json', 'l10n/bundle.l10n.de.json'])
      assert.ok(names.includes(`extension/${file}`), file);
  });

  it('names the license of everything in it that is not ours', () => {
    const notices = run('unzip', ['-p', vsix, 'extension/ThirdPartyNotices.txt']);
    const heading = (name: string, license: string): RegExp =>
      new RegExp(`^={80}\\n${name} \\d[\\w.-]*\\nLicense: ${license}`, 'm');
    for (const name of [
      'onnxruntime-node',
      'onnxruntime-common',
      'ajv',
      'jsonc-parser',
      'jpeg-js',
      '@cornerstonejs/codec-libjpeg-turbo-8bit',
      'pngjs',
      '@vscode/webview-ui-toolkit',
    ])
      assert.match(notices, heading(name, '(MIT|ISC|BSD-3-Clause)'));
    // The native library's own notices, e.g. of protobuf.
    assert.match(notices, /THIRD PARTY SOFTWARE NOTICES AND INFORMATION/);
    assert.match(notices, /protocolbuffers\/protobuf/);
    const known = /^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|MIT AND .*|\(.*\bMIT\b.*\))$/;
    const licenses = [...notices.matchAll(/^={80}\n(\S+) \S+\nLicense: (.+)\n/gm)];
    assert.ok(licenses.length >= 8, `${licenses.length} packages`);
    for (const [, name, license] of licenses) assert.match(license, known, `${name}: ${license}`);
  });

  it('has the metadata of a listing, and invents no address', () => {
    const manifest = JSON.parse(run('unzip', ['-p', vsix, 'extension/package.json'])) as Record<string, unknown>;
    for (const key of [
      'displayName',
      'description',
      'icon',
      'galleryBanner',
      'categories',
      'keywords',
      'license',
      'pricing',
      'preview',
      'capabilities',
      'extensionKind',
      'l10n',
    ])
      assert.ok(manifest[key] !== undefined, key);
    for (const key of ['repository', 'homepage', 'bugs', 'sponsor', 'qna']) assert.equal(manifest[key], undefined, key);
    assert.match(
      run('unzip', ['-p', vsix, 'extension.vsixmanifest']),
      /<GalleryFlags>Public Preview<\/GalleryFlags>|Public Preview/,
    );
  });

  it('takes at most 40 MB', () => {
    const { size } = statSync(vsix);
    assert.ok(size <= 40 * megabyte, `${size / megabyte} MB`);
  });

  it('works where it is unpacked, far from the sources: quantizes its sample and generates C', () => {
    run('unzip', ['-q', vsix, '-d', folder]);
    const sample = path.join(folder, 'sample');
    cpSync(path.join(folder, 'extension/media/sample'), sample, { recursive: true });
    const cli = (...args: string[]): unknown =>
      JSON.parse(run(process.execPath, [path.join(folder, 'extension/dist/cli.js'), ...args, '--json'], sample));
    cli(
      'quantize',
      'gauge.onnx',
      '--images',
      'images',
      '--target',
      'custom',
      '--sram',
      '64K',
      '--flash',
      '512K',
      '--limit',
      '8',
      '--no-cache',
      '--out',
      'gauge.quantmcu.json',
    );
    const { layout, files } = cli('generate', 'gauge.quantmcu.json', '--project', 'firmware') as {
      layout: string;
      files: string[];
    };
    assert.equal(layout, 'cmake');
    assert.ok(files.includes('lib/gauge/gauge.h'));
    assert.ok(existsSync(path.join(sample, 'firmware/lib/gauge/gauge.h')));
    assert.equal((cli('selftest', 'gauge.quantmcu.json', '--core', 'host') as { passed: boolean }).passed, true);
  });
});
