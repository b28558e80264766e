// Accuracy against BitOPs: each model at 8 bits, uniformly at 4 bits with and without error compensation, by the
// entropy score and by measured sensitivity.
//
//     npm run build && node test/bench/accuracy.mjs [--images N] [--row TEXT] [MODEL…]
//
// Writes test/bench/accuracy.md from test/bench/accuracy.json, where each row is kept as soon as it is measured: a row
// that is there with as many images is not measured again (delete the file, or give other --images, to measure anew).
// Needs ../shared/data. Calibrated on 250 images of imagenet_sample, or of CIFAR.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '500' }, row: { type: 'string', default: '' } },
});
const data = path.join(projectRoot, '../shared/data');
const cli = path.join(projectRoot, 'dist/cli.js');
const store = path.join(projectRoot, 'test/bench/accuracy.json');
if (!existsSync(data)) throw new Error(`${data} is not there; this bench needs the reference models and images.`);

const CALIBRATION_IMAGES = '250';
const models = [
  {
    model: 'mobilenetv2_1.0_224_tv',
    preprocess: 'imagenet',
    calibration: 'imagenet_sample',
    evaluation: 'imagenet_val',
  },
  {
    model: 'mobilenetv1_0.25_224_imagenet',
    preprocess: 'tf',
    calibration: 'imagenet_sample',
    evaluation: 'imagenet_val',
  },
  {
    model: 'squeezenet1.1_224_imagenet',
    preprocess: 'imagenet',
    calibration: 'imagenet_sample',
    evaluation: 'imagenet_val',
  },
  { model: 'resnet20_cifar10', preprocess: 'imagenet', calibration: 'cifar10', evaluation: 'cifar10' },
].filter(({ model }) => positionals.length === 0 || positionals.some((p) => model.startsWith(p)));

const configurations = [
  { name: '8 bits', options: ['--bits', '8', '--weights', '8'] },
  { name: 'default: 1 point, at most 2.2×', options: [] },
  { name: 'entropy', options: ['--search', 'entropy'] },
  { name: 'sensitivity 2.2×', options: ['--bitops-target', '2.2', '--no-cache'] },
  { name: 'sensitivity 2.2×, not compensated', options: ['--bitops-target', '2.2', '--no-compensate'] },
  { name: 'sensitivity 3×', options: ['--bitops-target', '3'] },
  { name: 'uniform 4 bits', options: ['--search', 'entropy', '--lambda', '0', '--weights', '4'] },
].filter(({ name }) => name.includes(values.row));

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

/** @type {Record<string, any>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-accuracy-'));
for (const { model, preprocess, calibration, evaluation } of models) {
  for (const { name, options } of configurations) {
    const key = `${model} / ${name}`;
    if (rows[key]?.asked === Number(values.images)) continue;
    const plan = path.join(work, 'plan.quantmcu.json');
    const summary = run([
      'quantize',
      path.join(data, 'models', `${model}.onnx`),
      '--images',
      path.join(data, 'images', calibration),
      '--limit',
      CALIBRATION_IMAGES,
      '--grid',
      'none',
      '--target',
      'custom',
      '--sram',
      '4M',
      '--flash',
      '16M',
      '--preprocess',
      preprocess,
      ...options,
      '--out',
      plan,
    ]);
    const result = run(['evaluate', plan, '--images', path.join(data, 'images', evaluation), '--limit', values.images]);
    rows[key] = {
      asked: Number(values.images),
      images: result.images,
      reduction: summary.bitOps.reduction,
      arenaBytes: summary.memory.arenaBytes,
      weightBytes: summary.memory.weightBytes,
      float: result.float,
      quantized: result.quantized,
      agreement: result.agreement,
      expectedLoss: result.expectedLoss,
      outputSnr: result.outputSnr,
      seconds: summary.seconds.total,
      processorSeconds: summary.processorSeconds,
    };
    writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
    console.log(key, rows[key]);
  }
}

const kib = (/** @type {number} */ n) => (n / 1024).toFixed(0);
const all = Object.values(rows);
/** @param {any} r */
const dropOf = (r) => r.float.top1 - r.quantized.top1;
const lines = Object.entries(rows).map(([key, r]) => {
  const [model, name] = key.split(' / ');
  const drop = dropOf(r);
  return (
    `| ${model} | ${name} | ${r.reduction.toFixed(2)} | ${kib(r.arenaBytes)} | ${kib(r.weightBytes)} | ` +
    `${r.quantized.top1.toFixed(1)} / ${r.quantized.top5.toFixed(1)} | ${drop.toFixed(1)} | ` +
    `${r.expectedLoss.points.toFixed(1)} | ${r.agreement.toFixed(1)} | ${r.outputSnr.toFixed(1)} | ` +
    `${r.seconds.toFixed(0)}${r.processorSeconds ? ` (${r.processorSeconds.toFixed(0)})` : ''} | ` +
    `${r.images} |`
  );
});
writeFileSync(
  path.join(projectRoot, 'test/bench/accuracy.md'),
  `# Accuracy against BitOPs

Written by \`node test/bench/accuracy.mjs\`. Layer by layer, integer arithmetic of the firmware. Reduction: BitOPs at 8 bits over BitOPs of the plan. Drop: points of top-1 below
float on the same images: one run each, and runs of about the same plan differ by up to a point on 500 images. Expected: the same foreseen without labels
(\`expectedPointsLost\`, what an accuracy budget goes by), here on the images evaluated; its mean error and the drop per nat of divergence stand below the table. Seconds: \`quantize\` as a whole, beside whatever else
the machine had to do; in brackets those of a processor, where they were taken; calibrated anew for "sensitivity 2.2×",
from the cache for others.

| model | configuration | reduction | arena KiB | weights KiB | top-1 / top-5 % | drop | expected | agreement % | SNR dB | seconds | images |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
${lines.join('\n')}

Expected and measured drop differ by ${(all.reduce((sum, r) => sum + Math.abs(r.expectedLoss.points - dropOf(r)), 0) / all.length).toFixed(1)} points on average over the ${all.length} rows. Points lost for a nat of divergence, by least squares over the rows: ${(all.reduce((sum, r) => sum + dropOf(r) * r.expectedLoss.divergence, 0) / all.reduce((sum, r) => sum + r.expectedLoss.divergence ** 2, 0)).toFixed(1)}
(\`POINTS_PER_NAT\` in \`src/engine/vdqs/accuracyBudget.ts\`).
`,
);
