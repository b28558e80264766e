// docs/paper.md and its pictures from the measured rows.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { barsOf, distributionPlot, linesOf } from './pictures.mjs';

/** z with P(|Z| ≤ z) = φ, for the φ of the figures. @type {Record<number, number>} */
const Z_OF_PHI = { 0.9: 1.645, 0.96: 2.054, 0.99: 2.576, 0.999: 3.291, 0.9999: 3.891 };

const COLUMNS = [
  ...['way', 'patches', 'BitOPs, G (fewer than 8-bit patches, layers)'],
  ...[
    'latency, ms (less than 8-bit patches, layers)',
    'SRAM, KiB',
    'top-1 % (below float)',
    'divergence',
    'CPU seconds',
  ],
];

const percent = (/** @type {number | null | undefined} */ v) => (v == null ? '–' : v.toFixed(1));
const kib = (/** @type {number} */ bytes) => (bytes / 1024).toFixed(0);
const ms = (/** @type {number | null} */ v) => (v === null ? '–' : v.toFixed(0));

/**
 * @typedef {{id: string, name: string}} Named
 * @typedef {{projectRoot: string, rows: Record<string, any>, detection: Record<string, any>,
 *   networks: {model: string, name: string, flash?: string}[],
 *   boards: Named[], ways: Named[], calibration: string}} Measured
 */

/** @param {Measured} measured */
export async function writeDocument(measured) {
  const pictures = path.join(measured.projectRoot, 'docs/paper');
  mkdirSync(pictures, { recursive: true });
  const picture = (/** @type {string} */ name, /** @type {string} */ svg) => {
    writeFileSync(path.join(pictures, `${name}.svg`), svg);
    return `paper/${name}.svg`;
  };
  const sections = [
    latencyFigure(measured, picture),
    outlierFigure(measured, picture),
    accuracyFigure(measured, picture),
    phiFigure(measured, picture),
    ...tables(measured),
  ].filter((section) => section !== '');
  const file = path.join(measured.projectRoot, 'docs/paper.md');
  const document = `# The paper's comparison

Written by \`node test/bench/paper.mjs\`. The paper (QuantMCU, Tao et al., DATE 2024, [arXiv
2401.13714](https://arxiv.org/abs/2401.13714)) reports 2.2 times fewer BitOPs and about 1.5 times less latency than
8-bit patch-based inference at comparable accuracy. What it leaves open is our choice: "the paper's way" is the entropy
score
at λ = 0.5 with maps of 8, 4 and 2 bits, 8-bit weights, every patch of every image with any outlier value at 8 bits
(classes decided at run time, φ = 0.999) and halos recomputed, in our planner and arithmetic, with weights fitted as in
ours.
The baselines at 8 bits are layer by layer, and patches with recomputed halos as in MCUNetV2. All are ours: same
kernels, planner and fits. Counts of outlier patches are for an average image.

Accuracy is the integer arithmetic's, on images that weights were not fitted to, except for MCUNet, where
${measured.calibration} of the 123 images are its calibration images; ± is the standard error of the paired
difference from float. Latency is the estimate of our cost model for the board's core and clock (docs/targets.md).
MobileNetV2's weights exceed the Arduino's flash: its rows there assume 4 MB of additional flash. CPU seconds are for a
search with fitted weights and ${measured.calibration} images, including calibration if it was not cached.
Missing rows have not been measured.

${sections.join('\n\n')}
`;
  writeFileSync(file, await format(document, { ...(await resolveConfig(file)), filepath: file }));
}

/** Rows of a network on a board by way. @param {Measured} measured */
const rowsOf =
  ({ rows }, /** @type {string} */ model, /** @type {string} */ board) =>
  (/** @type {string} */ way) =>
    rows[`${model} / ${board} / ${way}`];

/** @typedef {(name: string, svg: string) => string} Picture */

/** Ways at 8 bits, and how they treat halos. @type {Record<string, string>} */
const TREATMENTS = { layers: '', patches: 'recomputed', kept: 'kept where cheaper' };

/** Figure 1b. @param {Measured} measured @param {Picture} picture */
function latencyFigure(measured, picture) {
  const groups = [];
  for (const { model, name } of measured.networks)
    for (const board of measured.boards) {
      const of = rowsOf(measured, model, board.id);
      const bars = Object.entries(TREATMENTS)
        .filter(([way]) => of(way)?.latencyMs)
        .map(([way, treatment]) => ({
          name: of(way).patch ? `${of(way).patch.grid.replace('x', '×')}, ${treatment}` : 'layer by layer',
          value: of(way).latencyMs,
          note: `${kib(of(way).arenaBytes)} KiB`,
        }));
      if (bars.length > 1) groups.push({ heading: `${name}, ${board.name}`, bars });
    }
  if (groups.length === 0) return '';
  const file = picture('figure1b', barsOf('Latency at 8 bits', groups, 'ms'));
  return `## Figure 1b: patches against layers

The paper shows that patches cost time, because halos are recomputed. Layer by layer is shown even if its maps do not
fit in the board's SRAM. Our planner may keep halos between patches where that is cheaper: that is the third bar, which
equals the second where it is not.

![Latency layer by layer and in patches](${file})`;
}

/** Figure 2. @param {Measured} measured @param {Picture} picture */
function outlierFigure({ rows, networks }, picture) {
  const parts = networks.flatMap(({ model, name }) => {
    const d = rows[`${model} / distribution`];
    if (!d) return [];
    const bands = d.outliers.map((/** @type {any} */ o) => ({ name: `φ = ${o.phi}`, z: Z_OF_PHI[o.phi] }));
    const file = picture(
      `figure2-${model}`,
      distributionPlot(`${name}: values of the first convolution, ${d.images} images`, d, bands),
    );
    const lines = d.outliers.map(
      (/** @type {any} */ o) =>
        `| ${o.phi} | ${(100 * (1 - o.phi)).toFixed(2)} | ${(100 * o.values).toFixed(2)} | ` +
        `${(100 * o.patches).toFixed(0)} |`,
    );
    return [
      `![Distribution of the values](${file})

| φ | outside by the normal distribution, % | values outside, % | of 4×4 patches any outside, % |
| --- | ---: | ---: | ---: |
${lines.join('\n')}`,
    ];
  });
  if (parts.length === 0) return '';
  return `## Figure 2: distribution and outliers

Share of the values in each bin on a logarithmic axis, the normal distribution of the same mean and deviation dashed.
The outermost bins hold everything beyond.
The tails are heavier than the normal distribution's, so by the literal rule nearly every patch has an outlier.

${parts.join('\n\n')}`;
}

/** Figure 4. @param {Measured} measured @param {Picture} picture */
function accuracyFigure(measured, picture) {
  const groups = measured.networks.flatMap(({ model, name }) =>
    measured.boards.flatMap((board) => {
      const of = rowsOf(measured, model, board.id);
      const present = measured.ways.filter(({ id }) => id !== 'kept' && of(id) && !of(id).refused);
      if (present.length === 0) return [];
      const { float, images } = of(present[0].id);
      return [
        {
          heading: `${name}, ${board.name}, ${images} images`,
          bars: [
            { name: 'float', value: float.top1 },
            ...present.map((w) => ({ name: w.name, value: of(w.id).quantized.top1, error: of(w.id).drop.error })),
          ],
        },
      ];
    }),
  );
  if (groups.length === 0) return '';
  const file = picture('figure4', barsOf('Top-1', groups, '%'));
  return `## Figure 4: accuracy against 8-bit patches

Patches at 8 bits compute exactly what layers do, halos kept or not: these rows are evaluated once.

![Top-1 of the ways](${file})${vocFigure(measured, picture)}`;
}

const SCORED = " The paper's score is the entropy score with maps of 8, 4 and 2 bits and 8-bit weights.";

/** Figure 4, Pascal VOC. @param {Measured} measured @param {Picture} picture */
function vocFigure({ detection }, picture) {
  const models = [...new Set(Object.keys(detection).map((key) => key.split(' / ')[0]))];
  const groups = models.flatMap((model) => {
    const of = (/** @type {string} */ name) => detection[`${model} / ${name}`];
    const present = ['8 bits', "the paper's score", 'default', '2.2×'].filter((name) => of(name)?.quantized);
    if (present.length < 2) return [];
    const { float, images } = of(present[0]);
    const bars = present.map((name) => {
      const { quantized, difference, reduction } = of(name);
      // As the classifiers' bars have a standard error.
      const error = (difference.high - difference.low) / 4;
      return { name, value: quantized.map50, error, note: `${reduction.toFixed(2)}× fewer BitOPs` };
    });
    return [{ heading: `${model}, ${images} images`, bars: [{ name: 'float', value: float.map50 }, ...bars] }];
  });
  if (groups.length === 0) return '';
  const scored = models.some((model) => detection[`${model} / the paper's score`]);
  const file = picture('figure4-voc', barsOf('Pascal VOC, mAP@0.5', groups, '%'));
  return `

Detectors on Pascal VOC and COCO images with VOC's classes, layer by layer, see [the bench of
detectors](../test/bench/detection.md).${scored ? SCORED : ''} ± is a quarter of the bootstrap's interval.

![mAP of detectors](${file})`;
}

/** Figure 5. @param {Measured} measured @param {Picture} picture */
function phiFigure({ rows, networks }, picture) {
  const parts = networks.flatMap(({ model, name }) => {
    const row = rows[`${model} / phi`];
    if (!row?.points) return row?.refused ? [`${name}: ${row.refused}`] : [];
    const points = row.points.filter((/** @type {any} */ p) => p.accuracy);
    if (points.length === 0) return [];
    const share = (/** @type {number | null | undefined} */ v) => (v == null ? null : 100 * v);
    const values = (/** @type {string} */ of, /** @type {string} */ field) =>
      points.map((/** @type {any} */ p) => share((p[of] ?? (of === 'randomAccuracy' ? p.accuracy : null))?.[field]));
    const hasTop5 = points[0].accuracy.top5 !== null;
    const file = picture(
      `figure5-${model}`,
      linesOf(
        `${name}: accuracy over φ, ${points[0].accuracy.images} images`,
        points.map((/** @type {any} */ p) => `${p.value}`),
        [
          { name: 'top-1, classes by φ', values: values('accuracy', 'top1') },
          { name: 'top-1, random classes', values: values('randomAccuracy', 'top1') },
          ...(hasTop5
            ? [
                { name: 'top-5, classes by φ', values: values('accuracy', 'top5') },
                { name: 'top-5, random classes', values: values('randomAccuracy', 'top5') },
              ]
            : []),
        ],
        '%',
      ),
    );
    const pair = (/** @type {any} */ a) => (a ? `${percent(share(a.top1))} / ${percent(share(a.top5))}` : '–');
    const lines = points.map(
      (/** @type {any} */ p) =>
        `| ${p.value} | ${percent(share(p.outliers?.share))} | ${p.figures.reduction.toFixed(2)} | ` +
        `${pair(p.accuracy)} | ${pair(p.randomAccuracy)} |`,
    );
    return [
      `![Accuracy over φ](${file})

${points[0].accuracy.images} images, of which one is ${percent(100 / points[0].accuracy.images)} points; float has
${pair({ top1: points[0].accuracy.floatTop1, top5: points[0].accuracy.floatTop5 })}.

| φ | outlier patches, % | BitOPs | top-1 / top-5 %, classes by φ | as many at random |
| --- | ---: | ---: | ---: | ---: |
${lines.join('\n')}`,
    ];
  });
  if (parts.length === 0) return '';
  return `## Figure 5: accuracy over φ

4×4 patches, bits of 8 and 4 by the entropy score at λ = 0.5, which gives the patch stage 4 bits, so classes matter; ε =
0.01, static classes. For comparison, as many outlier patches at random positions, one draw. BitOPs: times
fewer than at 8 bits.

${parts.join('\n\n')}`;
}

/** The table of each network and board. @param {Measured} measured */
function tables(measured) {
  return measured.networks.flatMap(({ model, name }) =>
    measured.boards.flatMap((board) => {
      const of = rowsOf(measured, model, board.id);
      if (!measured.ways.some(({ id }) => of(id))) return [];
      const times = (/** @type {number} */ a, /** @type {number} */ b) => `${(a / b).toFixed(2)}×`;
      const cells = measured.ways
        .filter(({ id }) => of(id))
        .map(({ id, name: way }) => {
          const r = of(id);
          if (r.refused) return `| ${way} | does not fit: ${r.refused.replaceAll('|', '/')} | | | | | | |`;
          const against = ['patches', 'layers']
            .map((base) => (of(base) && !of(base).refused ? times(of(base).bitOps, r.bitOps) : '–'))
            .join(', ');
          const faster = ['patches', 'layers']
            .map((base) => (of(base)?.latencyMs && r.latencyMs ? times(of(base).latencyMs, r.latencyMs) : '–'))
            .join(', ');
          const classes = r.patch?.outliers > 0 ? `, ${r.patch.outliers} of ${r.patch.patches} outlier` : '';
          const patch = r.patch ? `${r.patch.grid.replace('x', '×')}${classes}` : 'none';
          return (
            `| ${way} | ${patch} | ${(r.bitOps / 1e9).toFixed(2)} (${against}) | ${ms(r.latencyMs)} (${faster}) | ` +
            `${kib(r.arenaBytes)} | ${percent(r.quantized.top1)} (−${r.drop.mean.toFixed(1)} ± ` +
            `${r.drop.error.toFixed(1)}) | ${r.divergence.toFixed(4)} | ${r.processorSeconds.toFixed(0)} |`
          ).replaceAll('−-', '+');
        });
      return [
        `## ${name} on ${board.name}

| ${COLUMNS.join(' | ')} |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
${cells.join('\n')}`,
      ];
    }),
  );
}
