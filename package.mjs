// Packs the extension: `npm run package [-- TARGET…] [-- --out FILE]` gives one VSIX per platform in out/vsix, TARGET
// as vsce names it, e.g. linux-x64 (default: all that are supported; `local` is this machine's). One file per platform,
// because onnxruntime's binaries for all of them together weigh 290 MB.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const supported = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'];
const maxBytes = 40 * 1024 * 1024;

const root = import.meta.dirname;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const targets = (positionals.length > 0 ? positionals : values.out ? ['local'] : supported).map((target) =>
  target === 'local' ? `${process.platform}-${process.arch}` : target,
);
if (values.out && targets.length > 1) throw new Error('--out takes one target.');

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const allBinaries = '!node_modules/onnxruntime-node/bin/napi-v*/**';
const ignore = readFileSync(path.join(root, '.vscodeignore'), 'utf8');
if (!ignore.includes(allBinaries)) throw new Error(`.vscodeignore no longer has the line ${allBinaries}`);
const { version, name } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const runtime = path.join(root, 'node_modules/onnxruntime-node/bin');

run(process.execPath, ['esbuild.mjs', '--minify']);
run(process.execPath, ['notices.mjs']);
for (const target of targets) {
  const [platform, arch] = target.split('-');
  if (!readdirSync(runtime).some((api) => existsSync(path.join(runtime, api, platform, arch))))
    throw new Error(`onnxruntime-node has no binaries for ${target}.`);
  const folder = path.join(root, 'out/package');
  mkdirSync(folder, { recursive: true });
  const ignoreFile = path.join(folder, `${target}.vscodeignore`);
  writeFileSync(
    ignoreFile,
    ignore.replace(allBinaries, `!node_modules/onnxruntime-node/bin/napi-v*/${platform}/${arch}/**`),
  );
  const out = path.resolve(values.out ?? path.join(root, 'out/vsix', `${name}-${target}-${version}.vsix`));
  mkdirSync(path.dirname(out), { recursive: true });
  run(process.execPath, [
    'node_modules/@vscode/vsce/vsce',
    'package',
    '--target',
    target,
    '--ignoreFile',
    ignoreFile,
    '--out',
    out,
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
  ]);
  const { size } = statSync(out);
  console.log(`${path.relative(root, out)}: ${(size / 1024 / 1024).toFixed(1)} MB`);
  if (size > maxBytes) throw new Error(`${out} is larger than ${maxBytes / 1024 / 1024} MB.`);
}
