// What each part of quantization is worth: the command line is built once for each part with that part left out, and
// quantizes to 2.2 times fewer BitOPs.
//
//     node test/bench/ablation.mjs [--images N] [MODEL…]
//
// Writes test/bench/ablation.md from test/bench/ablation.json, where each row is kept as soon as it is measured; delete
// rows to measure them again. Needs ../shared/data.
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { nodeBundle } from '../support/nodeBundle.mjs';
import { evaluateArgs, quantizeArgs, runCommand } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { classifiers, referenceData } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '500' } },
});
const data = referenceData();
const store = path.join(projectRoot, 'test/bench/ablation.json');

// In the order of the table.
const models = [...classifiers]
  .reverse()
  .filter(({ model }) => positionals.length === 0 || positionals.some((p) => model.startsWith(p)));

const nearest = `{
    const { n, hessian, top } = rounder as unknown as { n: number; hessian: Float64Array; top: number };
    for (let o = 0; o < rows; o++) {
      const row = weights.subarray(o * n, (o + 1) * n);
      scales[o] = nearestScale(row, hessian, n, top) || 1;
      for (let k = 0; k < n; k++) codes[o * n + k] = clip(Math.round(row[k] / scales[o]), top);
    }
  }`;
/** Parts, and how each is left out: a text in one file of src/engine, and what takes its place. */
const parts = [
  { name: 'all parts', changes: [] },
  {
    name: 'without calibrated scales: codes over the observed range',
    changes: [['quantize/scales.ts', 'of rangeFractions(bits))', 'of [1])']],
  },
  { name: 'without equalization', changes: [['quantize/equalize.ts', 'readers.length === 0 ||', 'true ||']] },
  {
    name: 'without centering',
    changes: [['quantize/centering.ts', ', stats.mean, stats.min.map((low, c) => (low + stats.max[c]) / 2)]', ']']],
  },
  {
    name: 'without the fit: means only',
    changes: [['compensate/leastSquares.ts', '(damping * trace)', '(1e9 * trace)']],
  },
  {
    name: 'without chosen dampings: 2 for all layers',
    changes: [['compensate/damping.ts', 'images < LEAST_IMAGES', 'true']],
  },
  {
    name: 'without error feedback: weights rounded to nearest',
    changes: [['compensate/roundRows.ts', 'rounder.round(weights, rows, codes, scales);', nearest]],
  },
  {
    // Tried and not taken: no difference beyond chance.
    name: 'with the code −8 in weights of 4 bits, too',
    changes: [
      ['compensate/roundRows.ts', 'simd !== null && Algebra.fits', 'bits === 8 && simd !== null && Algebra.fits'],
      ['compensate/roundRows.ts', 'code < -top ? -top : code', 'Math.max(top === 7 ? -8 : -top, code)'],
    ],
  },
  { name: 'without fit, feedback and means', changes: [], options: ['--no-compensate'] },
  {
    name: 'without measured sensitivities: each decision costs the same',
    changes: [
      ['vdqs/sensitivity.ts', 'b === 8 ? 0 : l * byBits.get(b)!', 'b === 8 ? 0 : 1'],
      ['vdqs/sensitivity.ts', '[id, l * byWeights]', '[id, 1]'],
    ],
  },
];

/** Builds the command line with texts replaced. @param {string[][]} changes @param {string} file */
async function buildWithout(changes, file) {
  const pending = new Set(changes);
  await build({
    ...nodeBundle,
    entryPoints: ['src/cli/cli.ts', 'src/inference.ts'].map((entry) => path.join(projectRoot, entry)),
    entryNames: '[name]',
    outdir: path.dirname(file),
    plugins: [
      {
        name: 'leave out',
        setup({ onLoad }) {
          onLoad({ filter: /src[\\/]engine[\\/].*\.ts$/ }, ({ path: name }) => {
            let contents = readFileSync(name, 'utf8');
            for (const change of changes) {
              const [end, from, to] = change;
              if (!name.endsWith(path.join('src/engine', end))) continue;
              if (!contents.includes(from)) throw new Error(`${end} has no “${from}” any more.`);
              contents = contents.replace(from, () => to);
              pending.delete(change);
            }
            return { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  if (pending.size > 0) throw new Error(`Nothing was left out: ${[...pending].map(([end]) => end).join(', ')}.`);
}

/** @type {Record<string, any>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const work = mkdtempSync(path.join(projectRoot, 'out', 'ablation-'));
const changed = path.join(work, 'cli.js');
try {
  for (const { model, preprocess } of models) {
    for (const { name, changes, options = [] } of parts) {
      const key = `${model} / ${name}`;
      if (rows[key]) continue;
      await buildWithout(changes, changed);
      const plan = path.join(work, 'plan.quantmcu.json');
      const request = {
        model: path.join(data, 'models', `${model}.onnx`),
        images: path.join(data, 'images/imagenet_sample'),
        limit: '250',
        preprocess,
        options: ['--grid', 'none', '--bitops-target', '2.2', ...options],
        out: plan,
      };
      const summary = runCommand(quantizeArgs(request), changed);
      const result = runCommand(evaluateArgs(plan, path.join(data, 'images/imagenet_val'), values.images));
      rows[key] = {
        images: result.images,
        reduction: summary.bitOps.reduction,
        divergence: result.expectedLoss.divergence,
        agreement: result.agreement,
        float: result.float,
        quantized: result.quantized,
      };
      writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
      console.log(key, rows[key]);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

const lines = Object.entries(rows).map(([key, r]) => {
  const [model, name] = key.split(' / ');
  return (
    `| ${model} | ${name} | ${r.reduction.toFixed(2)} | ${r.divergence.toFixed(3)} | ` +
    `${(r.float.top1 - r.quantized.top1).toFixed(1)} | ${r.agreement.toFixed(1)} | ${r.images} |`
  );
});
writeFileSync(
  path.join(projectRoot, 'test/bench/ablation.md'),
  `# What each part of quantization is worth

${leadOf('ablation.md')}

Written by \`node test/bench/ablation.mjs\`: 2.2 times fewer BitOPs by measured sensitivities, one part left out at
a time, with sensitivities measured and bits chosen without it. Divergence: mean Kullback-Leibler divergence of the
classes from the float network's, in nats; plans that differ only by chance differ by about 5 % of it. Drop: points
of top-1 below float, known to about one point where a tenth of the answers change and to two where a quarter do:
the divergence is what distinguishes parts. Missing rows have not been measured.

| model | parts | reduction | divergence | drop | agreement % | images |
|---|---|---:|---:|---:|---:|---:|
${lines.join('\n')}
`,
);
