// Packs the extension for one platform: `npm run package [-- TARGET] [-- --out FILE]`, TARGET as vsce names it, e.g. linux-x64
// (default: this machine's). One platform at a time, because onnxruntime's binaries for all of them together weigh 290 MB.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = import.meta.dirname;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const target = positionals[0] ?? `${process.platform}-${process.arch}`;
const [platform, arch] = target.split('-');

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const allBinaries = '!node_modules/onnxruntime-node/bin/napi-v*/**';
const ignore = readFileSync(path.join(root, '.vscodeignore'), 'utf8');
if (!ignore.includes(allBinaries)) throw new Error(`.vscodeignore no longer has the line ${allBinaries}`);
const folder = path.join(root, 'out/package');
mkdirSync(folder, { recursive: true });
const ignoreFile = path.join(folder, `${target}.vscodeignore`);
writeFileSync(ignoreFile, ignore.replace(allBinaries, `!node_modules/onnxruntime-node/bin/napi-v*/${platform}/${arch}/**`));

const { version, name } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const out = path.resolve(values.out ?? path.join(root, `${name}-${target}-${version}.vsix`));
run(process.execPath, ['esbuild.mjs', '--minify']);
run(process.execPath, ['node_modules/@vscode/vsce/vsce', 'package', '--target', target, '--ignoreFile', ignoreFile, '--out', out, '--allow-missing-repository', '--no-rewrite-relative-links']);
