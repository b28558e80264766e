// Whether the generated C chooses what `evaluate` says that it chooses: compiled for this computer and run on the
// images of an evaluation.
//
//     npm run build && node test/bench/predictions.mjs [--images N]
//
// Writes test/bench/predictions.md. The sample model needs nothing; the others need ../shared/data and are left out
// without.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { evaluateArgs, quantizeArgs, runCommand } from './commands.mjs';
import { leadOf } from './lead.mjs';

const { values } = parseArgs({ options: { images: { type: 'string', default: '100' } } });
const data = path.join(projectRoot, '../shared/data');
const sample = path.join(projectRoot, 'media/sample');
const shared = (
  /** @type {string} */ model,
  /** @type {string} */ preprocess,
  /** @type {string} */ calibration,
  /** @type {string} */ images,
) => ({
  model: path.join(data, 'models', `${model}.onnx`),
  preprocess,
  calibration: path.join(data, 'images', calibration),
  images: path.join(data, 'images', images),
});
const models = [
  {
    model: path.join(sample, 'gauge.onnx'),
    preprocess: 'unit',
    calibration: path.join(sample, 'images'),
    images: path.join(sample, 'fresh'),
  },
  shared('mobilenetv2_1.0_224_tv', 'imagenet', 'imagenet_sample', 'imagenet_val'),
  shared('mobilenetv1_0.25_224_imagenet', 'tf', 'imagenet_sample', 'imagenet_val'),
  shared('resnet20_cifar10', 'imagenet', 'cifar10', 'cifar10'),
].filter(({ model }) => existsSync(model));

const bundle = await bundleTests('bench-predictions', [], {
  stdin: { contents: "export * from './test/bench/predictions';", resolveDir: projectRoot, loader: 'js' },
});
const { firmwarePredictions } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-predictions-'));
const plan = path.join(work, 'plan.quantmcu.json');
const csv = path.join(work, 'predictions.csv');
const rows = [];
try {
  for (const { model, preprocess, calibration, images } of models) {
    rmSync(plan, { force: true });
    const options = ['--grid', '3x3', '--phi', '0.96', '--bits', '8,4', '--weights', 'auto', '--no-compensate'];
    const request = { model, images: calibration, limit: '16', preprocess, options, out: plan };
    const summary = runCommand(quantizeArgs(request));
    runCommand(evaluateArgs(plan, images, values.images, '--predictions', csv));
    // file,label,float,quantized; the names of these samples need no quotes.
    const said = readFileSync(csv, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const { classes, sameBytes } = await firmwarePredictions(plan, images, Number(values.images));
    const same = said.filter(([file, , , quantized]) => classes.get(file) === Number(quantized)).length;
    const outlier = summary.patch?.branches.filter((/** @type {{class: string}} */ b) => b.class === 'outlier').length;
    rows.push([
      path.basename(model, '.onnx'),
      summary.patch ? `${summary.patch.grid}, ${outlier} of outlier class` : 'none',
      `${summary.bitOps.reduction.toFixed(2)}×`,
      said.length,
      same,
      sameBytes,
    ]);
    console.log(rows.at(-1));
    if (same !== said.length || sameBytes !== said.length || classes.size !== said.length) process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
writeFileSync(
  path.join(projectRoot, 'test/bench/predictions.md'),
  `# Predictions of the firmware

${leadOf('predictions.md')}

Written by \`node test/bench/predictions.mjs\`: the generated C, compiled with gcc -O2 for this computer, on the
images that \`evaluate\` ran on. Same class: images for which the C chooses the class that \`evaluate
--predictions\` lists. Same bytes: images for which every byte of its outputs is that of the plain TypeScript
reference.

| model | patches | BitOPs reduction | images | same class | same bytes |
|---|---|---:|---:|---:|---:|
${rows.map((r) => `| ${r.join(' | ')} |`).join('\n')}
`,
);
