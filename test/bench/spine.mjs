// Whole-path figures at 8 bits: time and peak memory of `quantize`, accuracy of the firmware's integers beside float on
// the same images.
//
//     npm run build && node test/bench/spine.mjs [--limit N] [MODEL…]      writes test/bench/spine.md
//
// Needs ../shared/data. Calibrated on images/imagenet_sample (64 images, or for CIFAR 64 of its images); evaluated on
// imagenet_val (500) or cifar10 (1000).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { evaluateArgs, quantizeArgs } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { classifiers, referenceData } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string', default: '0' } },
});
const data = referenceData();
const cli = path.join(projectRoot, 'dist/cli.js');
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-bench-'));

const cases = [
  ...classifiers,
  { model: 'resnet20_cifar10', preprocess: 'imagenet', calibration: 'cifar10', evaluation: 'cifar10' },
].filter(({ model }) => positionals.length === 0 || positionals.some((p) => model.startsWith(p)));

/**
 * Runs the command line in a process of its own. @param {string[]} args @returns {{json: any, seconds: number, peakMiB:
 * number}}
 */
function run(args) {
  const script =
    `process.argv=[process.argv[0],${JSON.stringify(cli)},...${JSON.stringify(args)}];` +
    `process.on('exit',()=>process.stderr.write('\\nRSS '+process.resourceUsage().maxRSS));` +
    `require(${JSON.stringify(cli)})`;
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return {
    json: JSON.parse(stdout),
    seconds: (performance.now() - begin) / 1000,
    peakMiB: Number(/RSS (\d+)/.exec(stderr)[1]) / 1024,
  };
}

const rows = [];
for (const { model, preprocess, calibration, evaluation } of cases) {
  const plan = path.join(work, `${model}.quantmcu.json`);
  const request = {
    model: path.join(data, 'models', `${model}.onnx`),
    images: path.join(data, 'images', calibration),
    limit: '64',
    preprocess,
    options: ['--bits', '8', '--weights', '8', '--grid', 'none', '--no-cache'],
    out: plan,
  };
  const made = run([...quantizeArgs(request), '--json']);
  const { json } = run([...evaluateArgs(plan, path.join(data, 'images', evaluation), values.limit), '--json']);
  const row = [
    model,
    made.seconds.toFixed(1),
    made.peakMiB.toFixed(0),
    made.json.memory.arenaBytes,
    made.json.memory.weightBytes,
    json.images,
    json.float.top1.toFixed(1),
    json.quantized.top1.toFixed(1),
    (json.quantized.top1 - json.float.top1).toFixed(1),
    json.agreement.toFixed(1),
    json.outputSnr.toFixed(1),
  ];
  rows.push(row);
  console.log(row.join('  '));
}
const heading = [
  'model',
  'quantize, s',
  'peak MiB',
  'arena, bytes',
  'weights, bytes',
  'images',
  'float top-1',
  '8-bit top-1',
  'change',
  'agreement %',
  'output SNR, dB',
];
const line = (cells) => `| ${cells.join(' | ')} |`;
const given = [...positionals, ...(values.limit === '0' ? [] : ['--limit', values.limit])].map((a) => ` ${a}`).join('');
writeFileSync(
  path.join(projectRoot, 'test/bench/spine.md'),
  `# 8 bits, layer by layer

${leadOf('spine.md')}

\`npm run build && node test/bench/spine.mjs${given}\`: 64 calibration images, one run each, the whole process with
nothing cached.

${[line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n')}
`,
);
