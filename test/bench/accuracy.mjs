// Accuracy against BitOPs on other images than those of the calibration: each model at 8 bits, within the default
// budget of 1 point, and at given reductions.
//
//     npm run build && node test/bench/accuracy.mjs [--images N] [--row TEXT [--exact]] [MODEL…]
//
// --row: the configurations whose name contains the text; with --exact, the one of that name.
// Writes test/bench/accuracy.md from test/bench/accuracy.json, where each row is kept as soon as it is measured: a row
// that is there with as many images is not measured again (delete the file, or give other --images, to measure anew).
// Needs ../shared/data, but for the sample.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '500' },
    row: { type: 'string', default: '' },
    exact: { type: 'boolean', default: false },
    dist: { type: 'string', default: path.join(projectRoot, 'dist') },
  },
});
const data = [process.env.QUANTMCU_SHARED_DATA ?? '', path.join(projectRoot, '../shared/data')].find((folder) =>
  existsSync(folder),
);
const cli = path.join(values.dist, 'cli.js');
const store = path.join(projectRoot, 'test/bench/accuracy.json');
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-accuracy-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const CALIBRATION_IMAGES = '256';
const shared = (/** @type {string} */ file) => path.join(data ?? '', file);

/**
 * Every second image of a folder with labels.csv, as links in a folder of its own.
 * @param {string} folder @param {0 | 1} half
 */
function halfOf(folder, half) {
  const into = path.join(work, `${path.basename(folder)}-${half}`);
  if (existsSync(into) || !existsSync(folder)) return into;
  mkdirSync(into);
  const [head, ...rows] = readFileSync(path.join(folder, 'labels.csv'), 'utf8').trim().split('\n');
  // By class, so that both halves have as many of each.
  const mine = rows
    .sort((a, b) => Number(a.split(',')[1]) - Number(b.split(',')[1]) || (a < b ? -1 : 1))
    .filter((_, i) => i % 2 === half);
  writeFileSync(path.join(into, 'labels.csv'), [head, ...mine].join('\n'));
  for (const file of mine.map((row) => row.split(',')[0])) symlinkSync(path.join(folder, file), path.join(into, file));
  return into;
}

const imagenet = { calibration: shared('images/imagenet_sample'), evaluation: shared('images/imagenet_val') };
const cifar = { calibration: halfOf(shared('images/cifar10'), 0), evaluation: halfOf(shared('images/cifar10'), 1) };
const vww = { calibration: halfOf(shared('images/vww'), 0), evaluation: halfOf(shared('images/vww'), 1) };
const kws = { calibration: shared('other/kws_mfcc_1000.npz'), evaluation: shared('other/kws_mfcc_1000.npz') };
const mfcc = path.join(work, 'mfcc.json');
writeFileSync(mfcc, JSON.stringify({ preset: 'raw', scale: 0.5847029, mean: 83 * 0.5847029, std: 1 }));
const sample = {
  calibration: path.join(projectRoot, 'media/sample/images'),
  evaluation: path.join(projectRoot, 'media/sample/fresh'),
};
const models = [
  { model: 'mobilenetv2_1.0_224_tv', preprocess: 'imagenet', ...imagenet },
  { model: 'mobilenetv1_0.25_224_imagenet', preprocess: 'tf', ...imagenet },
  { model: 'squeezenet1.1_224_imagenet', preprocess: 'imagenet', ...imagenet },
  { model: 'resnet20_cifar10', preprocess: 'imagenet', ...cifar },
  { model: 'mcunet_vww_80', preprocess: 'tf', ...vww },
  { model: 'kws_dscnn_mlperf', preprocess: mfcc, ...kws },
  { model: 'gauge', file: path.join(projectRoot, 'media/sample/gauge.onnx'), preprocess: 'unit', ...sample },
]
  .map(({ file, ...m }) => ({ ...m, file: file ?? shared(`models/${m.model}.onnx`) }))
  .filter(
    ({ model, file }) => existsSync(file) && (positionals.length === 0 || positionals.some((p) => model.startsWith(p))),
  );

const configurations = [
  { name: '8 bits', options: ['--bits', '8', '--weights', '8'] },
  { name: '2.2×', options: ['--bitops-target', '2.2'] },
  { name: '3×', options: ['--bitops-target', '3'] },
  { name: 'default', options: [] },
  { name: 'default, --objective bitops', options: ['--objective', 'bitops'] },
].filter(({ name }) => (values.exact ? name === values.row : name.includes(values.row)));

/** What the command line prints, and the seconds of processor time that it took. @param {string[]} args */
function run(args) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', process.execPath, cli, ...args, '--json'],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(stderr);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { ...JSON.parse(stdout), processorSeconds: user + system };
}

/** Mean and standard error. @param {number[]} list */
function meanOf(list) {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const square = list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1);
  return { mean, error: Math.sqrt(square / list.length) };
}

/** @type {Record<string, any>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
for (const { model, file, preprocess, calibration, evaluation } of models) {
  for (const { name, options } of configurations) {
    const key = `${model} / ${name}`;
    const isThere = rows[key]?.asked === Number(values.images);
    if (isThere && rows[key].milliseconds !== undefined) continue;
    const plan = path.join(work, 'plan.quantmcu.json');
    const csv = path.join(work, 'predictions.csv');
    rmSync(plan, { force: true });
    const board = ['--grid', 'none', '--target', 'nano33ble', '--sram', '4M', '--flash', '16M'];
    const from = ['--images', calibration, '--limit', CALIBRATION_IMAGES, '--preprocess', preprocess];
    const summary = run(['quantize', file, ...from, ...board, ...options, '--out', plan]);
    if (isThere && Math.abs(summary.bitOps.reduction - rows[key].reduction) < 0.005) {
      // Measured before times were: the plan is the same, its accuracy is known.
      rows[key].milliseconds = summary.latencyMs;
      writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
      continue;
    }
    const result = run(['evaluate', plan, '--images', evaluation, '--limit', values.images, '--predictions', csv]);
    const predictions = readFileSync(csv, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(-4));
    const right = (/** @type {string[]} */ p, /** @type {number} */ answer) => (p[answer] === p[0] ? 100 : 0);
    // Others may have put rows there meanwhile.
    if (existsSync(store)) Object.assign(rows, JSON.parse(readFileSync(store, 'utf8')));
    rows[key] = {
      asked: Number(values.images),
      images: result.images,
      reduction: summary.bitOps.reduction,
      milliseconds: summary.latencyMs,
      arenaBytes: summary.memory.arenaBytes,
      weightBytes: summary.memory.weightBytes,
      float: result.float,
      quantized: result.quantized,
      drop: meanOf(predictions.map((p) => right(p, 1) - right(p, 2))),
      divergence: meanOf(predictions.map((p) => Number(p[3]))),
      divergences: predictions.map((p) => Number(Number(p[3]).toPrecision(4))),
      agreement: result.agreement,
      expected: result.expectedLoss?.points ?? null,
      seconds: summary.seconds.total,
      processorSeconds: summary.processorSeconds,
    };
    writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
    const shown = { ...rows[key], divergences: undefined };
    console.log(key, shown);
  }
}

const kib = (/** @type {number} */ n) => (n / 1024).toFixed(0);
const plus = (/** @type {{mean: number, error: number}} */ m, /** @type {number} */ digits) =>
  `${m.mean.toFixed(digits)} ± ${m.error.toFixed(digits)}`;
/** Of a plan's divergence less that of 8 bits on the same images. @param {string} key @param {any} row */
function beyond8(key, row) {
  const wide = rows[`${key.split(' / ')[0]} / 8 bits`];
  if (!wide || wide === row || wide.divergences.length !== row.divergences.length) return null;
  return meanOf(row.divergences.map((/** @type {number} */ d, /** @type {number} */ i) => d - wide.divergences[i]));
}
const entries = Object.entries(rows).sort(
  ([a], [b]) =>
    models.findIndex(({ model }) => a.startsWith(model)) - models.findIndex(({ model }) => b.startsWith(model)),
);
const lines = entries.map(([key, r]) => {
  const [model, name] = key.split(' / ');
  const beyond = beyond8(key, r);
  return `| ${[
    model,
    name,
    r.reduction.toFixed(2),
    rows[`${model} / 8 bits`]?.milliseconds && r.milliseconds
      ? (rows[`${model} / 8 bits`].milliseconds / r.milliseconds).toFixed(2)
      : '',
    `${kib(r.arenaBytes)} / ${kib(r.weightBytes)}`,
    `${r.float.top1.toFixed(1)} → ${r.quantized.top1.toFixed(1)}`,
    plus(r.drop, 1),
    r.agreement.toFixed(1),
    plus(r.divergence, 4),
    beyond ? plus(beyond, 4) : '',
    r.expected === null ? '' : r.expected.toFixed(1),
    r.processorSeconds.toFixed(0),
    r.images,
  ].join(' | ')} |`;
});
const of = (/** @type {string} */ name) => entries.filter(([key]) => key.endsWith(` / ${name}`)).map(([, r]) => r);
const range = (/** @type {any[]} */ list, /** @type {(r: any) => number} */ value, digits = 1) => {
  const all = list.map(value);
  return (
    `${(all.reduce((a, b) => a + b, 0) / all.length).toFixed(digits)} (${Math.min(...all).toFixed(digits)} ` +
    `to ${Math.max(...all).toFixed(digits)})`
  );
};
const drop = (/** @type {any} */ r) => r.drop.mean;
const answer = ['8 bits', 'default', 'default, --objective bitops', '2.2×', '3×']
  .filter((name) => of(name).length > 0)
  .map(
    (name) => `| ${name} | ${range(of(name), (r) => r.reduction, 2)} | ${range(of(name), drop)} | ${of(name).length} |`,
  );
const columns = [
  'model',
  'configuration',
  'BitOPs',
  'instructions',
  'arena / weights KiB',
  'top-1 %',
  'drop',
  'agreement %',
  'divergence',
  'beyond 8 bits',
  'expected',
  'seconds',
  'images',
];
writeFileSync(
  path.join(projectRoot, 'test/bench/accuracy.md'),
  `# Accuracy against BitOPs

- Asked: How much accuracy do plans with fewer BitOPs lose?
- Answer: the default takes ${range(of('default'), (r) => r.reduction, 2)} times fewer BitOPs and loses
  ${range(of('default'), drop)} points of top-1, on average and from the least to the most of
  ${of('default').length} networks, each known to the standard error in its row; other plans are below.
- Command: \`node test/bench/accuracy.mjs\`

| plans | times fewer BitOPs | points of top-1 lost | networks |
|---|---|---|---:|
${answer.join('\n')}

Written by \`node test/bench/accuracy.mjs\`. Layer by layer, integer arithmetic of the firmware, on other images than it
was calibrated on (at most ${CALIBRATION_IMAGES}), but for the key words, whose two samples come from the same 1000
recordings. BitOPs: those at 8 bits over those of the plan; instructions likewise, estimated for the Cortex-M4. The
default minimises instructions and BitOPs together and may lose 1 point beyond 8 bits. Drop: points
of top-1 below float on the same images, with the standard error of the paired difference. Divergence: mean
Kullback-Leibler divergence from the float network's classes, nats; beyond 8 bits: less that of the 8-bit plan, paired
image by image. Expected: the drop foreseen without labels (\`expectedPointsLost\`) on the images evaluated.
Seconds: processor seconds of \`quantize\`, including
calibration if it was not cached.

| ${columns.join(' | ')} |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
${lines.join('\n')}
`,
);
