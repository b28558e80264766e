// Sweeps of φ, with random positions beside the rule (the paper's Figure 5), and of the BitOPs target.
//
//     npm run build && node test/bench/sweeps.mjs [--images N] [--only TEXT]
//
// Writes test/bench/sweeps.md; rows of sweeps that are left out by --only stay as they are. Needs ../shared/data.
// Calibrated on 32 images of imagenet_sample.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { roomyBoard } from './commands.mjs';
import { leadOf } from './lead.mjs';
import { referenceData } from './reference.mjs';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '100' }, only: { type: 'string', default: '' } },
});
const data = referenceData();

const sweeps = [
  {
    title: 'MobileNetV2, φ: all maps of 3×3 patches at 4 bits but those of outlier class',
    model: 'mobilenetv2_1.0_224_tv',
    preprocess: 'imagenet',
    options: ['--grid', '3x3', '--lambda', '0', '--weights', '8', '--phi', '0.9,0.96,0.98,0.99,0.999'],
  },
  {
    title: 'MobileNetV1 0.25, BitOPs target',
    model: 'mobilenetv1_0.25_224_imagenet',
    preprocess: 'tf',
    options: ['--grid', 'none', '--bitops-target', '1.5,2.2,3'],
  },
];

const file = path.join(projectRoot, 'test/bench/sweeps.md');
/** Sections that were written before, by title. @type {Map<string, string>} */
const columns = [
  'BitOPs reduction',
  'arena KiB',
  'outlier patches %',
  'marked %',
  'marked by any outlier %',
  'top-1 / top-5 %',
  'agreement %',
  'SNR dB',
  'random: top-1 / agreement / SNR',
  'predicted loss',
];
const sections = new Map(
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split(/^## /m)
        .slice(1)
        .map((s) => [s.slice(0, s.indexOf('\n')), `## ${s.trimEnd()}\n`])
    : [],
);
const percent = (/** @type {number | null | undefined} */ share) =>
  share === null || share === undefined ? '–' : (100 * share).toFixed(1);
for (const { title, model, preprocess, options } of sweeps) {
  if (!title.includes(values.only)) continue;
  const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-sweeps-'));
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        path.join(projectRoot, 'dist/cli.js'),
        'sweep',
        path.join(data, 'models', `${model}.onnx`),
        '--images',
        path.join(data, 'images/imagenet_sample'),
        '--calibrate',
        '32',
        ...roomyBoard,
        '--preprocess',
        preprocess,
        '--evaluate',
        path.join(data, 'images/imagenet_val'),
        '--limit',
        values.images,
        ...options,
        '--out',
        work,
        '--json',
      ],
      { encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    if (status !== 0) throw new Error(stderr);
    const { sweep } = JSON.parse(stdout);
    const rows = sweep.points.map(
      (
        /** @type {any} */ { value, problem, figures: f, outliers: o, accuracy: a, randomAccuracy: r, predictedLoss },
      ) =>
        problem !== null
          ? [value, problem]
          : [
              value,
              `${f.reduction.toFixed(2)}×`,
              (f.arenaBytes / 1024).toFixed(0),
              percent(o?.share),
              percent(o?.marked),
              percent(o?.markedByAny),
              `${percent(a.top1)} / ${percent(a.top5)}`,
              percent(a.agreement),
              a.outputSnr?.toFixed(1) ?? '–',
              r ? `${percent(r.top1)} / ${percent(r.agreement)} / ${r.outputSnr.toFixed(1)}` : '–',
              predictedLoss?.toFixed(4) ?? '–',
            ],
    );
    const [{ accuracy }] = sweep.points;
    const known = (98 / Math.sqrt(accuracy.images)).toFixed(0);
    sections.set(
      title,
      `## ${title}

\`sweep ${model}.onnx ${options.join(' ')}\`; ${accuracy.images} images, float top-1 ${percent(accuracy.floatTop1)}
% (a share of half of them is known to ±${known} points); ${sweep.seconds.toFixed(0)} s.

| ${[sweep.parameter, ...columns].join(' | ')} |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
${rows.map((/** @type {unknown[]} */ row) => `| ${row.join(' | ')} |`).join('\n')}
`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
writeFileSync(
  file,
  `# Sweeps

${leadOf('sweeps.md')}

Written by \`node test/bench/sweeps.mjs\`. Outlier patches: positions of the plan that have 8 bits. Marked: images ×
patches of the calibration that the ε rule, or the paper's any-outlier rule, calls outlier class. Random: the same
plan with as many outlier patches at random positions.

${[...sections.values()].join('\n')}`,
);
