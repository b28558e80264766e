// Speed of evaluation: images per second of the integer network with the float network beside it, as `evaluate` runs them.
//
//     npm run build && node test/bench/evaluate.mjs [--images N] [--runs N]
//
// Writes test/bench/evaluate.md. Needs ../shared/data. Calibrated on 16 images of imagenet_sample, evaluated on imagenet_val.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({ options: { images: { type: 'string', default: '100' }, runs: { type: 'string', default: '5' } } });
const data = path.join(projectRoot, '../shared/data');
if (!existsSync(data)) throw new Error(`${data} is not there; this bench needs the reference models and images.`);

const models = [
  { model: 'mobilenetv2_1.0_224_tv', preprocess: 'imagenet' },
  { model: 'mobilenetv1_0.25_224_imagenet', preprocess: 'tf' },
  { model: 'squeezenet1.1_224_imagenet', preprocess: 'imagenet' },
];
const plans = [
  { name: '8 bits, layer by layer', options: ['--grid', 'none', '--bits', '8', '--weights', '8'] },
  { name: 'mixed bits, 3×3 patches', options: ['--grid', '3x3', '--bits', '8,4', '--weights', '8', '--no-compensate'] },
];

/** @param {string[]} args */
function cli(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** @param {readonly number[]} numbers */
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-evaluate-'));
const plan = path.join(work, 'plan.quantmcu.json');
const rows = [];
try {
  for (const { model, preprocess } of models) {
    for (const { name, options } of plans) {
      rmSync(plan, { force: true });
      cli(['quantize', path.join(data, 'models', `${model}.onnx`), '--images', path.join(data, 'images/imagenet_sample'), '--limit', '16', '--target', 'custom', '--sram', '4M', '--flash', '16M', '--preprocess', preprocess, ...options, '--out', plan]);
      const speed = (/** @type {string[]} */ threads) => Array.from({ length: Number(values.runs) }, () => cli(['evaluate', plan, '--images', path.join(data, 'images/imagenet_val'), '--limit', values.images, ...threads]).imagesPerSecond);
      const all = speed([]);
      const one = speed(['--threads', '1']);
      rows.push([model, name, median(all).toFixed(1), `${Math.min(...all).toFixed(1)}–${Math.max(...all).toFixed(1)}`, median(one).toFixed(1)]);
      console.log(rows.at(-1));
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
writeFileSync(
  path.join(projectRoot, 'test/bench/evaluate.md'),
  `# Speed of evaluation

Written by \`node test/bench/evaluate.mjs\`: images per second of \`evaluate\`, from reading the JPEG to comparing the outputs, the float network included. Median of ${values.runs} runs of
${values.images} images each, on ${availableParallelism()} cores (${cpus()[0].model}), whatever else they had to do. The codes are those of the plain TypeScript kernels, bit for bit: test/unit/program/interpreter/simd.test.ts.

| model | plan | images/s | least–most | with one thread |
|---|---|---:|---:|---:|
${rows.map((r) => `| ${r.join(' | ')} |`).join('\n')}
`,
);
