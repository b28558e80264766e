// What a search takes: seconds, processor seconds and memory of `quantize` by default, calibration included.
//
//     npm run build && node test/bench/search.mjs [--images N] [--threads 2,1] [MODEL…]
//
// Writes test/bench/search.md from test/bench/search.json, where the rows of other models and threads stay as they are.
// Needs ../shared/data and Linux, whose /proc tells how much memory processes take.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { builtCli } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { classifiers, referenceData } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '64' }, threads: { type: 'string', default: '2,1' } },
});
const SAMPLE_MS = 100;
const store = path.join(projectRoot, 'test/bench/search.json');
const data = referenceData();
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-search-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** A file of /proc; empty where its process has ended. @param {string} file */
function procFile(file) {
  try {
    return readFileSync(path.join('/proc', file), 'utf8');
  } catch {
    return '';
  }
}

/** A process and all that it started. @param {number} root */
function processesOf(root) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ id: Number(name), parent: Number(procFile(`${name}/stat`).split(') ').at(-1)?.split(' ')[1]) }));
  const found = [root];
  for (const id of found) found.push(...parents.filter(({ parent }) => parent === id).map((p) => p.id));
  return found;
}

/** Memory of processes in KiB, what they share counted once. @param {readonly number[]} ids */
function memoryOf(ids) {
  return ids.reduce((sum, id) => sum + Number(/^Pss:\s+(\d+)/m.exec(procFile(`${id}/smaps_rollup`))?.[1] ?? 0), 0);
}

/** @param {string[]} args @returns {Promise<{seconds: number, processor: number, peakKiB: number}>} */
async function measured(args) {
  const begin = performance.now();
  const timed = ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', process.execPath, builtCli, ...args];
  const child = spawn('bash', timed, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  let peakKiB = 0;
  const timer = setInterval(() => {
    if (child.pid) peakKiB = Math.max(peakKiB, memoryOf(processesOf(child.pid)));
  }, SAMPLE_MS);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(said);
  const [user, system] = said.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return { seconds: (performance.now() - begin) / 1000, processor: user + system, peakKiB };
}

/** @type {Record<string, {seconds: number, processor: number, peakKiB: number, images: string, load: number}>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
for (const { model, preprocess, calibration } of classifiers) {
  if (positionals.length > 0 && !positionals.some((p) => model.startsWith(p))) continue;
  for (const threads of values.threads.split(',')) {
    const images = ['--images', path.join(data, 'images', calibration), '--limit', values.images];
    const file = path.join(data, 'models', `${model}.onnx`);
    const how = ['--preprocess', preprocess, '--target', 'stm32h743', '--threads', threads, '--no-cache'];
    const load = loadavg()[0];
    const out = path.join(work, `${model}.quantmcu.json`);
    const row = await measured(['quantize', file, ...images, ...how, '--force', '--out', out]);
    rows[`${model} / ${threads}`] = { ...row, images: values.images, load };
    writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
  }
}

const lines = Object.entries(rows).map(([key, { seconds, processor, peakKiB, images, load }]) => {
  const [model, threads] = key.split(' / ');
  const figures = [seconds.toFixed(0), processor.toFixed(0), (peakKiB / 1024).toFixed(0), load.toFixed(1)];
  return `| ${[model, images, threads, ...figures].join(' | ')} |`;
});
writeFileSync(
  path.join(projectRoot, 'test/bench/search.md'),
  `# What a search takes

${leadOf('search.md')}

Written by \`node test/bench/search.mjs\`: \`quantize\` by default for the STM32H743, with a calibration that is not
cached. Memory: the most that all its processes took at a time, sampled every ${SAMPLE_MS} ms, what they share counted
once. Load: how many processes wanted to run before it began; seconds beside other work say little.

| model | images | threads | seconds | processor seconds | memory, MiB | load |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`,
);
