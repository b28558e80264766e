// Speed of evaluation: images per second of the integer network with the float network beside it, as `evaluate` runs
// them.
//
//     npm run build && node test/bench/evaluate.mjs [--images N] [--runs N]
//
// Writes test/bench/evaluate.md. Needs ../shared/data. Calibrated on 16 images of imagenet_sample, evaluated on
// imagenet_val.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { builtCli, evaluateArgs, quantizeArgs, runCommand } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { classifiers, referenceData } from './reference.mjs';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '100' }, runs: { type: 'string', default: '5' } },
});
const data = referenceData();

const plans = [
  { name: '8 bits, layer by layer', options: ['--grid', 'none', '--bits', '8', '--weights', '8'] },
  { name: 'mixed bits, 3×3 patches', options: ['--grid', '3x3', '--bits', '8,4', '--weights', '8', '--no-compensate'] },
];

const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-evaluate-'));
const plan = path.join(work, 'plan.quantmcu.json');
// Time of all threads of a process, which other processes hardly change.
const meter = path.join(work, 'meter.cjs');
const metered = path.join(work, 'cpu.txt');
writeFileSync(
  meter,
  "if (require('node:worker_threads').isMainThread) process.on('exit', () => { const { user, system } = " +
    `process.cpuUsage(); require('node:fs').writeFileSync(${JSON.stringify(metered)}, String((user + system) / ` +
    '1000)); });\n',
);

/** @param {string[]} args */
function cli(args) {
  const said = runCommand(args, builtCli, ['--require', meter]);
  return { ...said, cpuMs: Number(readFileSync(metered, 'utf8')) };
}

/** @param {readonly number[]} numbers */
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const rows = [];
try {
  for (const { model, preprocess } of classifiers) {
    for (const { name, options } of plans) {
      rmSync(plan, { force: true });
      const request = {
        model: path.join(data, 'models', `${model}.onnx`),
        images: path.join(data, 'images/imagenet_sample'),
        limit: '16',
        preprocess,
        options,
        out: plan,
      };
      cli(quantizeArgs(request));
      const threads = String(availableParallelism());
      const evaluate = (/** @type {string} */ images) =>
        cli(evaluateArgs(plan, path.join(data, 'images/imagenet_val'), images, '--threads', threads));
      const load = loadavg()[0];
      const runs = Array.from({ length: Number(values.runs) }, () => evaluate(values.images));
      const start = evaluate('1').cpuMs;
      const speeds = runs.map((r) => r.imagesPerSecond);
      const cpu = median(runs.map((r) => (r.cpuMs - start) / (r.images - 1)));
      rows.push([
        model,
        name,
        cpu.toFixed(0),
        ((1000 * availableParallelism()) / cpu).toFixed(1),
        median(speeds).toFixed(1),
        `${Math.min(...speeds).toFixed(1)}–${Math.max(...speeds).toFixed(1)}`,
        load.toFixed(1),
      ]);
      console.log(rows.at(-1));
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
writeFileSync(
  path.join(projectRoot, 'test/bench/evaluate.md'),
  `# Speed of evaluation

${leadOf('evaluate.md')}

Written by \`node test/bench/evaluate.mjs\`: \`evaluate\` from reading the JPEG to comparing the outputs, the float
network included, with as many threads as there are cores.
${availableParallelism()} cores (${cpus()[0].model}); ${values.runs} runs of ${values.images} images each. CPU time
is of all threads together, excluding start-up, median of the runs; the images per second of idle cores follow from it.
Measured is the median with the least and the most, under the given load of other processes. The codes are those of the
plain TypeScript kernels, bit for bit: test/unit/program/interpreter/simd.test.ts.

| model | plan | CPU ms per image | images/s of idle cores | measured images/s | least–most | load of other processes |
|---|---|---:|---:|---:|---:|---:|
${rows.map((r) => `| ${r.join(' | ')} |`).join('\n')}
`,
);
