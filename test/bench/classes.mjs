// What classes of patches are worth in the patch stage at 256 KiB:
//
//     node test/bench/classes.mjs [--images N] [MODEL…]
//
// Writes test/bench/classes.md from test/bench/classes.json, where each network is kept as soon as it is measured;
// delete it to measure again. What the rest of the network pays is read from test/bench/accuracy.json and
// ablation.json. Needs ../shared/data.
import { createRequire } from 'node:module';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { leadOf } from './lead.mjs';
import { imagenet } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '48' }, fitted: { type: 'string', default: '32' } },
});
const KIB = 256;
const networks = [
  { model: 'squeezenet1.1_224_imagenet', name: 'SqueezeNet 1.1' },
  { model: 'mobilenetv2_1.0_224_tv', name: 'MobileNetV2' },
];
const store = path.join(projectRoot, 'test/bench/classes.json');
/** @type {Record<string, any>} */
const measured = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};

const bundle = await bundleTests('classes', [], {
  stdin: { contents: "export * from './test/bench/classes';", resolveDir: projectRoot, loader: 'js' },
});
const { classesOf } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
for (const { model } of networks) {
  if (measured[model] || (positionals.length > 0 && !positionals.some((p) => model.startsWith(p)))) continue;
  const result = await classesOf({
    ...{ model, preprocess: 'imagenet', ...imagenet },
    ...{ fitted: Number(values.fitted), images: Number(values.images), sramBytes: KIB * 1024 },
  });
  const short = (/** @type {number[]} */ list) => list.map((v) => Number(v.toPrecision(4)));
  measured[model] = {
    ...result,
    rows: result.rows.map((/** @type {any} */ r) => ({
      ...r,
      ...{ everywhere: short(r.everywhere), ranked: short(r.ranked) },
      ...{ chessboard: short(r.chessboard), random: short(r.random) },
    })),
  };
  writeFileSync(store, `${JSON.stringify(measured)}\n`);
}

/** Mean and standard error. @param {number[]} list */
function meanOf(list) {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const square = list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1);
  return { mean, error: Math.sqrt(square / list.length) };
}
const plus = (/** @type {number[]} */ list) => {
  const { mean, error } = meanOf(list);
  return `${mean.toFixed(4)} ± ${error.toFixed(4)}`;
};
const less = (/** @type {number[]} */ a, /** @type {number[]} */ b) => plus(a.map((v, i) => v - b[i]));

const ablation = JSON.parse(readFileSync(path.join(projectRoot, 'test/bench/ablation.json'), 'utf8'));
const accuracy = JSON.parse(readFileSync(path.join(projectRoot, 'test/bench/accuracy.json'), 'utf8'));
/**
 * Nats that a plan of the accuracy table pays for each percent of BitOPs saved, beyond 8 bits.
 * @param {string} model @param {string} name
 */
function pays(model, name) {
  const whole = ablation[`${model} / all parts`];
  if (name.endsWith('ablation')) return whole ? whole.divergence / (100 * (1 - 1 / whole.reduction)) : null;
  const [plan, wide] = [accuracy[`${model} / ${name}`], accuracy[`${model} / 8 bits`]];
  if (!plan || !wide) return null;
  return (plan.divergence.mean - wide.divergence.mean) / (100 * (1 - 1 / plan.reduction));
}

const COLUMNS = [
  ...['maps at 4 bits', 'BitOPs saved, %', 'everywhere', 'half at 8 bits, by VDPC', 'half, at random'],
  ...['VDPC less random', 'chessboard less random', 'price everywhere', 'by VDPC', 'at random'],
];
const sections = networks
  .filter(({ model }) => measured[model])
  .map(({ model, name }) => {
    const { grid, splitMap, rows } = measured[model];
    const price = (/** @type {any} */ r, /** @type {string} */ of, /** @type {number} */ share) =>
      (meanOf(r[of]).mean / (100 * r.saved * share)).toFixed(4);
    const lines = rows.map(
      (/** @type {any} */ r) =>
        `| ${r.name} | ${(100 * r.saved).toFixed(2)} | ${plus(r.everywhere)} | ${plus(r.ranked)} | ` +
        `${plus(r.random)} | ${less(r.ranked, r.random)} | ${less(r.chessboard, r.random)} | ` +
        `${price(r, 'everywhere', 1)} | ${price(r, 'ranked', 0.5)} | ${price(r, 'random', 0.5)} |`,
    );
    const others = ['default', '2.2×', '3×', '2.2× of the ablation']
      .map((plan) => ({ plan, price: pays(model, plan) }))
      .filter((p) => p.price !== null)
      .map((p) => `${p.plan} ${p.price?.toFixed(4)}`);
    return `## ${name}: ${grid.rows}×${grid.cols} patches up to ${splitMap}, ${rows[0].everywhere.length} images

The whole network pays on average, layer by layer, in nats for each percent of BitOPs saved:
${others.join(', ')}.

| ${COLUMNS.join(' | ')} |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}`;
  });
writeFileSync(
  path.join(projectRoot, 'test/bench/classes.md'),
  `# What classes of patches are worth

${leadOf('classes.md')}

Written by \`node test/bench/classes.mjs\`: networks that need patches in ${KIB} KiB, in the stage that the planner
takes at 8 bits. The maps that its layers read get 4 bits, everywhere or in half of the patches, the others keeping 8;
weights have 8 bits and are fitted. Divergence of the classes from the 8-bit network's, nats, mean ± standard error;
differences are paired image by image. Random: the mean of 3 drawings. Price: nats for each percent of the network's
BitOPs that is saved. A decision is worthwhile if its price is below what the rest of the network pays.

${sections.join('\n\n')}
`,
);
