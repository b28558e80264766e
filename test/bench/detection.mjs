// Detectors on Pascal VOC and COCO images that nothing was fitted to: mean average precision of the float network, of
// onnxruntime's static int8, and of plans at 8 bits, within the default budget and at 2.2 times fewer BitOPs.
//
//     npm run build && node test/bench/detection.mjs [--row TEXT] [--limit N] [--plans FOLDER] [MODEL…]
//
// Writes test/bench/detection.md from test/bench/detection.json, where each row is kept as soon as it is measured: a
// row that is there is not measured again (delete it to measure anew). Plans are kept in a folder of their own and
// made once. Needs ../shared/data/detection.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { leadOf } from './lead.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: 'string', default: '' },
    // Images to evaluate; 0: all. Spread, so that the splits keep their shares.
    limit: { type: 'string', default: '0' },
    plans: { type: 'string', default: path.join(tmpdir(), 'quantmcu-detection') },
    dist: { type: 'string', default: path.join(projectRoot, 'dist') },
  },
});
const data = [process.env.QUANTMCU_SHARED_DATA ?? '', path.join(projectRoot, '../shared/data')].find((folder) =>
  existsSync(folder),
);
if (!data) throw new Error('../shared/data is not there; this bench needs the detectors and images.');
const detection = path.join(data, 'detection');
const cli = path.join(values.dist, 'cli.js');
const store = path.join(projectRoot, 'test/bench/detection.json');
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-detection-work-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
mkdirSync(values.plans, { recursive: true });

/**
 * Images and boxes of splits, as links in a folder of their own.
 * @param {string} name @param {string[]} splits @param {number} [limit] of images; 0: all
 */
function folderOf(name, splits, limit = 0) {
  const folder = path.join(work, name);
  mkdirSync(folder);
  const images = splits.flatMap((split) =>
    readFileSync(path.join(detection, 'splits', `${split}.txt`), 'utf8')
      .trim()
      .split('\n'),
  );
  const share = limit === 0 ? 1 : Math.min(1, limit / images.length);
  for (const image of images.filter((_, i) => Math.floor((i + 1) * share) > Math.floor(i * share)))
    for (const file of [`images/${image}.jpg`, `annotations/${image}.xml`])
      symlinkSync(path.join(detection, file), path.join(folder, path.basename(file)));
  return folder;
}

const calibration = folderOf('calibration', ['calib']);
const evaluation = folderOf('evaluation', ['voc07test', 'voc07trainval', 'coco'], Number(values.limit));
const face = path.join(work, 'face.json');
writeFileSync(face, JSON.stringify({ preset: 'raw', resize: 'stretch', mean: 127, std: 128 }));
/**
 * `whole`: the head that reads the file's own outputs, where the network is cut otherwise.
 *
 * @type {{ model: string, file?: string, preprocess: string, head?: string, whole?: string }[]}
 */
const all = [
  { model: 'voc_yolo_fastest', preprocess: 'stretch' },
  { model: 'voc_mbv2_fastest_v2', preprocess: 'stretch' },
  { model: 'voc_mbv2_yolov3_nano', preprocess: 'stretch' },
  { model: 'voc_yolo_fastest_decoded', preprocess: 'stretch', whole: 'decoded' },
  { model: 'coco_yolo_fastest_11', preprocess: 'stretch' },
  { model: 'coco_fastestdet', preprocess: 'stretch+bgr' },
  // There are no boxes of faces for it: what is found beside float is all that can be said.
  { model: 'face_rfb320', file: path.join(data, 'models/face_rfb320.onnx'), preprocess: face },
];
const models = all
  .map((m) => ({ ...m, file: m.file ?? path.join(detection, 'models', `${m.model}.onnx`) }))
  .filter(({ model }) => positionals.length === 0 || positionals.includes(model));

const STATIC = [
  { name: 'onnxruntime int8, scale by layer', perChannel: false },
  { name: 'onnxruntime int8, scale by channel', perChannel: true },
];
const PLANS = [
  { name: '8 bits', options: ['--bits', '8', '--weights', '8'] },
  { name: 'default', options: [] },
  { name: '2.2×', options: ['--bitops-target', '2.2'] },
  {
    name: "the paper's score",
    options: ['--search', 'entropy', '--lambda', '0.5', '--bits', '8,4,2', '--weights', '8'],
  },
];
const wanted = (/** @type {string} */ name) => name.includes(values.row);

/** What the command line prints. @param {string[]} args */
function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** A plan of a configuration, made once. @param {any} model @param {{name: string, options: string[]}} configuration */
function planOf({ model, file, preprocess, head }, { name, options }) {
  const plan = path.join(values.plans, `${model}.${name.replace(/[^a-z0-9.]+/gi, '-')}.quantmcu.json`);
  const summary = `${plan.slice(0, -'.quantmcu.json'.length)}.summary.json`;
  if (!existsSync(summary)) {
    const board = ['--grid', 'none', '--target', 'stm32h743', '--sram', '4M', '--flash', '16M'];
    const how = ['--images', calibration, '--preprocess', preprocess, ...(head ? ['--head', head] : [])];
    writeFileSync(
      summary,
      JSON.stringify(run(['quantize', file, ...how, ...board, ...options, '--force', '--out', plan])),
    );
  }
  return { plan, summary: JSON.parse(readFileSync(summary, 'utf8')) };
}

const HEAD = [
  'model',
  'network',
  'float mAP@0.5',
  'mAP@0.5',
  'difference',
  'mAP@0.5:0.95',
  'agreement %',
  'GBitOPs',
  'times fewer',
  'arena KiB',
  'ms',
  'images',
];

const readRows = () => (existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {});

/**
 * Puts a row into the file, beside those that others may have put there meanwhile.
 * @param {string} key @param {any} row
 */
function keep(key, row) {
  const rows = { ...readRows(), [key]: row };
  writeFileSync(`${store}.${process.pid}`, `${JSON.stringify(rows, null, 1)}\n`);
  renameSync(`${store}.${process.pid}`, store);
  console.log(key, JSON.stringify({ ...row, classes: undefined }));
}

/** @param {any} result */
const measured = ({ images, detection: { accuracy, agreement, boxes } }) => ({
  images,
  ...(accuracy
    ? {
        objects: accuracy.objects,
        float: accuracy.float,
        quantized: accuracy.quantized,
        difference: accuracy.difference,
        classes: accuracy.classes,
      }
    : {}),
  agreement,
  boxes,
});

const bundle = await bundleTests('detection-bench', [], {
  stdin: { contents: "export * from './test/bench/detection';", resolveDir: projectRoot, loader: 'js' },
});
const { evaluateStaticInt8 } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

for (const model of models) {
  for (const { name, perChannel } of STATIC.filter((c) => wanted(c.name))) {
    const key = `${model.model} / ${name}`;
    if (readRows()[key]) continue;
    // onnxruntime's quantizer knows of no heads: it cuts nothing.
    const { whole } = model;
    const { plan } = planOf(
      model,
      whole ? { name: '8 bits, whole', options: [...PLANS[0].options, '--head', whole] } : PLANS[0],
    );
    keep(key, measured(await evaluateStaticInt8(plan, calibration, evaluation, perChannel, work)));
  }
  for (const configuration of PLANS.filter((c) => wanted(c.name))) {
    const key = `${model.model} / ${configuration.name}`;
    if (readRows()[key]) continue;
    const { plan, summary } = planOf(model, configuration);
    const result = run(['evaluate', plan, '--images', evaluation]);
    keep(key, {
      reduction: summary.bitOps.reduction,
      bitOps: summary.bitOps.plan,
      arenaBytes: summary.memory.arenaBytes,
      flashBytes: summary.flash.total,
      ms: summary.latencyMs,
      seconds: summary.seconds.total,
      ...measured(result),
    });
  }
}
writeFileSync(path.join(projectRoot, 'test/bench/detection.md'), table(readRows()));

/** @param {Record<string, any>} rows */
function table(rows) {
  const order = [...STATIC, ...PLANS].map((c) => c.name);
  const known = all.flatMap(({ model }) => order.map((name) => ({ model, name, row: rows[`${model} / ${name}`] })));
  const two = (/** @type {number} */ v) => v.toFixed(2);
  const lines = known
    .filter(({ row }) => row)
    .map(({ model, name, row: r }) => {
      const difference = r.difference
        ? `${two(r.difference.points)} (${two(r.difference.low)} … ${two(r.difference.high)})`
        : '–';
      return `| ${[
        model,
        name,
        r.float ? two(r.float.map50) : '–',
        r.quantized ? two(r.quantized.map50) : '–',
        difference,
        r.quantized ? `${two(r.float.map)} → ${two(r.quantized.map)}` : '–',
        r.agreement.paired.toFixed(1),
        r.bitOps ? (r.bitOps / 1e9).toFixed(2) : '',
        r.reduction ? two(r.reduction) : '',
        r.arenaBytes ? (r.arenaBytes / 1024).toFixed(0) : '',
        r.ms ? r.ms.toFixed(0) : '',
        r.images,
      ].join(' | ')} |`;
    });
  return `# Detectors: mean average precision

${leadOf('detection.md')}

Written by \`node test/bench/detection.mjs\`. Calibrated on 100 images of VOC 2012, evaluated on others: VOC 2007 test
and trainval and COCO, at an overlap of 0.5 (all-point) and over 0.5:0.95. Difference: quantized less float, with the
2.5th and 97.5th percentile of a paired bootstrap over the images. Agreement: percent of the boxes at the head's score
that match one of the other network. Two detectors know 80 classes and are judged by the 20 of VOC;
\`face_rfb320\` finds faces, for which no boxes are known here. GBitOPs of the weighted layers; arena and milliseconds
(expected, STM32H743) without patches, so the arena is that of a board with as much memory.

onnxruntime: \`quantize_static\` with its defaults (least and largest value, int8, one scale for each map;
weights with one scale for each layer, or with \`per_channel\`), written by our own QDQ export and run by onnxruntime.
\`voc_yolo_fastest_decoded\` is \`voc_yolo_fastest\` with its boxes decoded by the network: onnxruntime quantizes it
as it is, plans are cut before the decoding.
Rows at 2.2× are of one state of the tool. Those at 8 bits of the first three and of \`coco_yolo_fastest_11\`
are older, by 0.3 points between \`voc_yolo_fastest\` and \`voc_yolo_fastest_decoded\`, which are the same network;
all rows of the default are older than the default that minimises time and BitOPs together.

| ${HEAD.join(' | ')} |
| ${HEAD.map((_, i) => (i < 2 ? '---' : '---:')).join(' | ')} |
${lines.join('\n')}
`;
}
