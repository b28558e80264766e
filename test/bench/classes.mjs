// What classes of patches are worth in the patch stage where SRAM is small:
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
  options: {
    images: { type: 'string', default: '200' },
    fitted: { type: 'string', default: '32' },
  },
});
const networks = [
  { model: 'mobilenetv1_0.25_224_imagenet', name: 'MobileNetV1 0.25', preprocess: 'tf', kib: 192, tuned: 8 },
  { model: 'squeezenet1.1_224_imagenet', name: 'SqueezeNet 1.1', preprocess: 'imagenet', kib: 256, tuned: 16 },
  { model: 'mobilenetv2_1.0_224_tv', name: 'MobileNetV2', preprocess: 'imagenet', kib: 256, tuned: 8 },
];
const store = path.join(projectRoot, 'test/bench/classes.json');
/** @returns {Record<string, any>} */
const stored = () => (existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {});

const bundle = await bundleTests('classes', [], {
  stdin: { contents: "export * from './test/bench/classes';", resolveDir: projectRoot, loader: 'js' },
});
const { classesOf } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const CLASSES = /** @type {const} */ (['everywhere', 'nowhere', 'ranked', 'random', 'measured', 'cheapest']);
for (const { model, preprocess, kib, tuned } of networks) {
  if (stored()[model] || (positionals.length > 0 && !positionals.some((p) => model.startsWith(p)))) continue;
  const result = await classesOf({
    ...{ model, preprocess, ...imagenet, sramBytes: kib * 1024 },
    ...{ fitted: Number(values.fitted), images: Number(values.images), tuned },
  });
  const short = (/** @type {number[]} */ list) => list.map((v) => Number(v.toPrecision(4)));
  const rows = result.rows.map((/** @type {any} */ r) => ({
    ...r,
    ...Object.fromEntries(CLASSES.map((c) => [c, short(r[c])])),
  }));
  // Read again: another network may have been measured meanwhile.
  writeFileSync(store, `${JSON.stringify({ ...stored(), [model]: { ...result, rows } })}\n`);
}
const measured = stored();

/** Mean and standard error. @param {number[]} list */
function meanOf(list) {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const square = list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1);
  return { mean, error: Math.sqrt(square / list.length) };
}
/** What has not been measured. */
const NONE = '–';
const plus = (/** @type {number[] | undefined} */ list) => {
  if (!list) return NONE;
  const { mean, error } = meanOf(list);
  return `${mean.toFixed(4)} ± ${error.toFixed(4)}`;
};
const less = (/** @type {number[] | undefined} */ a, /** @type {number[]} */ b) => plus(a?.map((v, i) => v - b[i]));

const ablation = JSON.parse(readFileSync(path.join(projectRoot, 'test/bench/ablation.json'), 'utf8'));
const accuracy = JSON.parse(readFileSync(path.join(projectRoot, 'test/bench/accuracy.json'), 'utf8'));
/** Percent of the BitOPs saved at a reduction. @param {number} reduction */
const savedAt = (reduction) => 100 * (1 - 1 / reduction);
/**
 * Nats that plans of a network pay for each percent of BitOPs saved: up to 2.2×, beyond 8 bits, and from there to 3×.
 * @param {string} model
 */
function pays(model) {
  const [wide, plan, bold] = ['8 bits', '2.2×', '3×'].map((name) => accuracy[`${model} / ${name}`]);
  const whole = ablation[`${model} / all parts`];
  const texts = [];
  if (plan && wide)
    texts.push(`2.2× ${((plan.divergence.mean - wide.divergence.mean) / savedAt(plan.reduction)).toFixed(4)}`);
  else if (whole) texts.push(`2.2× of the ablation ${(whole.divergence / savedAt(whole.reduction)).toFixed(4)}`);
  if (plan && bold) {
    const price = (bold.divergence.mean - plan.divergence.mean) / (savedAt(bold.reduction) - savedAt(plan.reduction));
    texts.push(`from 2.2× to 3× ${price.toFixed(4)}`);
  }
  return texts.join(', ');
}

const WORTH = ['maps at 4 bits', 'BitOPs saved, %', 'time saved, %, weights of 8 / 4 bits', 'everywhere', 'nowhere'];
const HALF = ['half by VDPC', 'half at random', 'half by cost', 'VDPC less random', 'cost less random'];
const PRICE = ['price everywhere', 'by VDPC', 'at random', 'by cost', 'cheapest quarter'];
/** @param {string[]} heads @param {string[][]} lines */
const table = (heads, lines) =>
  [heads, heads.map((_, i) => (i === 0 ? '---' : '---:')), ...lines].map((l) => `| ${l.join(' | ')} |`).join('\n');
const sections = networks
  .filter(({ model }) => measured[model])
  .map(({ model, name, kib }) => {
    const { grid, splitMap, rows } = measured[model];
    const price = (/** @type {any} */ r, /** @type {string} */ of, /** @type {number} */ share) =>
      r[of] ? (meanOf(r[of]).mean / (100 * r.saved * share)).toFixed(4) : NONE;
    const percent = (/** @type {number} */ share) => (100 * share).toFixed(2);
    const images = rows[0].everywhere.length;
    return `## ${name} in ${kib} KiB: ${grid.rows}×${grid.cols} patches up to ${splitMap}, ${images} images

The whole network pays, layer by layer, in nats for each percent of BitOPs saved: ${pays(model)}.

${table(
  WORTH,
  rows.map((/** @type {any} */ r) => [
    ...[r.name, percent(r.saved), r.time ? `${percent(r.time.weights8)} / ${percent(r.time.weights4)}` : NONE],
    ...[plus(r.everywhere), plus(r.nowhere)],
  ]),
)}

${table(
  [WORTH[0], ...HALF],
  rows.map((/** @type {any} */ r) => [
    ...[r.name, plus(r.ranked), plus(r.random), plus(r.measured), less(r.ranked, r.random), less(r.measured, r.random)],
  ]),
)}

${table(
  [WORTH[0], ...PRICE],
  rows.map((/** @type {any} */ r) => [
    ...[r.name, price(r, 'everywhere', 1), price(r, 'ranked', 0.5), price(r, 'random', 0.5)],
    ...[price(r, 'measured', 0.5), price(r, 'cheapest', 0.25)],
  ]),
)}`;
  });
writeFileSync(
  path.join(projectRoot, 'test/bench/classes.md'),
  `# What classes of patches are worth

${leadOf('classes.md')}

Written by \`node test/bench/classes.mjs\`: networks in 256 KiB, or less where they need no patches in that, in the
stage that the planner takes at 8 bits. The maps that its layers read get 4 bits, everywhere or in half of the patches,
the others keeping 8; all at once, and by themselves those that save at least 1.5 % of the BitOPs. Weights have 8 bits
and are fitted. Nowhere: all patches keep 8 bits, with the range of the 4-bit codes and the weights fitted to them.
Divergence of the classes from the 8-bit network's, nats, mean ± standard error; differences are paired image by image.
Random: the mean of 3 drawings. By cost: every patch alone is set to 4 bits on 8 other images (SqueezeNet: 16), and the
dearest keep 8: about the best that classes by position can do. Time: share of the estimated instructions of all layers
with weights on the Cortex-M4 that 4 bits in all patches save, beside weights of 8 bits and of 4; less than 0 takes
more. Price: nats for each percent of the network's BitOPs that is saved; the cheapest quarter is at 4 bits by cost, the
others at 8. A decision is worthwhile if its price is below what the rest of the network pays. A dash: not measured in
that run, which had fewer images and decisions of any size.

${sections.join('\n\n')}
`,
);
