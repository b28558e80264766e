// What 16 bits for maps that limit accuracy are worth: the plan at 8 bits, that which `--bits 16,8` makes of it, and
// 16 bits for all maps that may have them; the same of the default search and of `--bits 16,8,4`.
//
//     npm run build && node test/bench/raised.mjs [--images N] [--row TEXT] [MODEL…]
//
// Writes test/bench/raised.md from test/bench/raised.json, where each row is kept as soon as it is measured: delete
// rows to measure them again. Needs ../shared/data, but for the sample.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { evaluateArgs, runCommand } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { classifiers, imagenet, referenceData } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '500' }, row: { type: 'string', default: '' } },
});
const bundle = await bundleTests('bench-raised', [], {
  stdin: {
    contents:
      "export { importModel } from './src/engine/onnx'; export { raisableGroups } from './src/engine/run/raisable'; " +
      "export { raisedMaps } from './src/engine/run/raisedDecision';",
    resolveDir: projectRoot,
    loader: 'js',
  },
});
const { importModel, raisableGroups, raisedMaps } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-raised-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const store = path.join(projectRoot, 'test/bench/raised.json');

const inData = (/** @type {string} */ file) => path.join(referenceData(), file);
const sample = path.join(projectRoot, 'media/sample');
const models = [
  {
    model: 'gauge',
    file: path.join(sample, 'gauge.onnx'),
    preprocess: 'unit',
    calibration: path.join(sample, 'images'),
    evaluation: path.join(sample, 'fresh'),
  },
  ...[...classifiers, { model: 'mobilenetv1_0.25_96_imagenet', preprocess: 'tf', ...imagenet }]
    .filter(({ model }) => model.startsWith('mobilenet'))
    .map((m) => ({
      ...m,
      file: inData(`models/${m.model}.onnx`),
      calibration: inData(`images/${m.calibration}`),
      evaluation: inData(`images/${m.evaluation}`),
    }))
    .reverse(),
].filter(({ model }) => positionals.length === 0 || positionals.some((p) => model.startsWith(p)));

/** Options, and the configuration that each is compared with. */
const configurations = [
  { name: '8 bits', bits: '8' },
  { name: '--bits 16,8', bits: '16,8', than: '8 bits' },
  { name: 'all maps at 16', bits: '8', than: '8 bits', all: true },
  { name: 'default', bits: '8,4' },
  { name: '--bits 16,8,4', bits: '16,8,4', than: 'default' },
];

/** A plan with all maps locked at 16 bits that may have them. @param {string} model @param {string} plan */
async function lockAll(model, plan) {
  const graph = await importModel(model);
  const groups = new Set(raisableGroups(graph, { maps: {}, layers: {}, patchStage: null }, undefined, undefined));
  const text = JSON.parse(readFileSync(plan, 'utf8'));
  for (const name of Object.keys(raisedMaps(graph, {}, groups))) text.maps[name] = { bits: 16, locked: true };
  writeFileSync(plan, JSON.stringify(text));
}

/** @type {Record<string, any>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
for (const { name, bits, all } of configurations.filter((c) => c.name.includes(values.row))) {
  for (const { model, file, preprocess, calibration, evaluation } of models) {
    const key = `${model} / ${name}`;
    if (rows[key]) continue;
    const plan = path.join(work, `${model}.quantmcu.json`);
    const csv = path.join(work, 'predictions.csv');
    const quantize = () =>
      runCommand([
        ...['quantize', file, '--images', calibration, '--limit', '256', '--preprocess', preprocess, '--bits', bits],
        ...['--target', 'nano33ble', '--sram', '4M', '--flash', '16M', '--grid', 'none', '--out', plan],
      ]);
    rmSync(plan, { force: true });
    let summary = quantize();
    if (all) {
      await lockAll(file, plan);
      summary = quantize();
    }
    const result = runCommand(evaluateArgs(plan, evaluation, values.images, '--predictions', csv));
    const lines = readFileSync(csv, 'utf8').trim().split('\n').slice(1);
    if (existsSync(store)) Object.assign(rows, JSON.parse(readFileSync(store, 'utf8')));
    rows[key] = {
      images: result.images,
      milliseconds: summary.latencyMs,
      arenaBytes: summary.memory.arenaBytes,
      codeBytes: summary.flash.code,
      top1: result.quantized?.top1 ?? null,
      maps: Object.entries(JSON.parse(readFileSync(plan, 'utf8')).maps)
        .filter(([, map]) => map.bits === 16)
        .map(([map]) => map),
      divergences: lines.map((line) => Number(Number(line.split(',').at(-1)).toPrecision(4))),
      heldOut: summary.notes.find((/** @type {string} */ note) => /16 bits/.test(note)) ?? null,
    };
    writeFileSync(store, `${JSON.stringify(rows)}\n`);
    console.error(`${key}: ${rows[key].maps.length} maps at 16 bits`);
  }
}

/** Mean and standard error. @param {number[]} list */
function meanOf(list) {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const square = list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1);
  return { mean, error: Math.sqrt(square / list.length) };
}

const percent = (/** @type {number} */ share) => (100 * share).toFixed(1).replace('-', '−');
const placeOf = (/** @type {string} */ key) => {
  const [model, name] = key.split(' / ');
  return `${model} ${configurations.findIndex((c) => c.name === name)}`;
};
const sorted = Object.entries(rows).sort(([a], [b]) => (placeOf(a) < placeOf(b) ? -1 : 1));
const table = sorted.map(([key, row]) => {
  const [model, name] = key.split(' / ');
  const than = rows[`${model} / ${configurations.find((c) => c.name === name)?.than}`];
  const { mean, error } = meanOf(row.divergences);
  const compared = than
    ? (() => {
        const saved = meanOf(
          than.divergences.map((/** @type {number} */ d, /** @type {number} */ i) => d - row.divergences[i]),
        );
        const before = meanOf(than.divergences).mean;
        return [
          `${percent(saved.mean / before)} ± ${percent(saved.error / before)}`,
          percent(row.milliseconds / than.milliseconds - 1),
        ];
      })()
    : ['', ''];
  const maps = row.maps.length > 4 || row.maps.length === 0 ? row.maps.length : row.maps.join(', ');
  const kib = (/** @type {number} */ bytes) => (bytes / 1024).toFixed(0);
  const cells = [model, name, maps, `${mean.toFixed(5)} ± ${error.toFixed(5)}`, ...compared];
  return `| ${[...cells, `${kib(row.arenaBytes)} / ${kib(row.codeBytes)}`, row.images].join(' | ')} |`;
});
writeFileSync(
  path.join(projectRoot, 'test/bench/raised.md'),
  `# 16 bits for maps that limit accuracy

${leadOf('raised.md')}

Layer by layer for the Cortex-M4 (Nano 33 BLE with memory for anything), integer arithmetic of the firmware. Divergence:
mean Kullback-Leibler divergence from the float network's classes, nats, on images that nothing was fitted to and that
the choice was not made on. Saved: of the divergence of the plan without 16 bits, paired image by image, with its
standard error. Instructions: those that 16 bits add, as estimated.

| model | bits | maps at 16 | divergence | saved % | instructions % | arena / code KiB | images |
| --- | --- | --- | --: | --: | --: | --: | --: |
${table.join('\n')}
`,
);
