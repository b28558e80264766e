// The paper's comparison (QuantMCU, Tao et al., DATE 2024) on networks and boards, figure by figure: patches against
// layers (1b), outliers (2), accuracy (4, classifiers), accuracy over φ beside random classes (5), and the table of
// BitOPs, latency, SRAM and search time.
//
//     npm run build && node test/bench/paper.mjs [--images N] [--calibration N] [--sweep N] [--row TEXT] [MODEL…]
//
// Writes docs/paper.md and pictures beside it from test/bench/paper.json, where each row is kept as soon as it is
// measured; delete rows to measure them again. Needs ../shared/data.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { writeDocument } from './paper/document.mjs';
import { referenceData } from './reference.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '250' },
    calibration: { type: 'string', default: '64' },
    sweep: { type: 'string', default: '100' },
    row: { type: 'string', default: '' },
    dist: { type: 'string', default: path.join(projectRoot, 'dist') },
  },
});
const data = referenceData();
const store = path.join(projectRoot, 'test/bench/paper.json');
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-paper-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const images = (/** @type {string} */ name) => path.join(data, 'images', name);
const imagenet = { calibration: images('imagenet_sample'), evaluation: images('imagenet_val') };
const vww = { calibration: images('vww'), evaluation: images('vww') };
const networks = [
  // The first two fit without patches: as in the paper, they get some all the same, of a size that suits them.
  { model: 'mcunet_vww_80', name: 'MCUNet (person or not)', preprocess: 'tf', grid: '3x3', ...vww },
  { model: 'mobilenetv1_0.25_224_imagenet', name: 'MobileNetV1 0.25', preprocess: 'tf', grid: '3x3', ...imagenet },
  // Its weights are more than the Arduino has: told as if they lay in a flash of their own.
  { model: 'mobilenetv2_1.0_224_tv', name: 'MobileNetV2', preprocess: 'imagenet', flash: '4M', ...imagenet },
];
const boards = [
  { id: 'nano33ble', name: 'Arduino Nano 33 BLE Sense' },
  { id: 'stm32h743', name: 'STM32H743' },
];
const eight = ['--bits', '8', '--weights', '8'];
const ways = [
  // Latency of layers is told where their maps do not fit, too.
  { id: 'layers', name: '8 bits, layer by layer', options: [...eight, '--grid', 'none', '--sram', '4M'] },
  { id: 'patches', name: '8 bits, patches (MCUNetV2)', options: [...eight, '--halos', 'recompute'], patched: true },
  { id: 'kept', name: '8 bits, patches, halos kept where cheaper', options: eight, patched: true },
  {
    id: 'paper',
    name: "the paper's way",
    options: [
      ...['--search', 'entropy', '--lambda', '0.5', '--bits', '8,4,2', '--weights', '8'],
      ...['--classes', 'runtime', '--epsilon', '0', '--halos', 'recompute'],
    ],
    patched: true,
  },
  { id: 'ours', name: 'ours, the default', options: [] },
];
const PHIS = [0.9, 0.96, 0.99, 0.999, 0.9999];

/**
 * What the command line prints, and the seconds of processor time that it took; its message where it refuses.
 * @param {string[]} args
 */
function run(args) {
  const cli = path.join(values.dist, 'cli.js');
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', process.execPath, cli, ...args, '--json'],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const lines = stderr.trim().split('\n');
  if (status !== 0) return { refused: lines.at(-2) };
  const [user, system] = lines.at(-1)?.split(' ').map(Number) ?? [];
  return { ...JSON.parse(stdout), processorSeconds: user + system };
}

/** Points of top-1 below float, with the standard error of the paired difference. @param {string} csv */
function dropOf(csv) {
  const differences = readFileSync(csv, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(-4))
    .map(([label, float, quantized]) => 100 * (Number(float === label) - Number(quantized === label)));
  const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
  const square = differences.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, differences.length - 1);
  return { mean, error: Math.sqrt(square / differences.length) };
}

/** @type {Record<string, any>} */
const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
const keep = (/** @type {string} */ key, /** @type {any} */ row) => {
  // Others may have put rows there meanwhile.
  if (existsSync(store)) Object.assign(rows, JSON.parse(readFileSync(store, 'utf8')));
  rows[key] = row;
  writeFileSync(store, `${JSON.stringify(rows, null, 1)}\n`);
  console.log(key, JSON.stringify(row).slice(0, 600));
};

/**
 * What a plan computes: its codes and, where any are of fewer than 8 bits, its patches. Plans of which it is the same
 * are evaluated once, for patches at 8 bits compute what layers do.
 * @param {string} file
 */
function arithmeticOf(file) {
  const { maps, layers, patchStage } = JSON.parse(readFileSync(file, 'utf8'));
  const isMixed = Object.keys({ ...maps, ...layers }).length > 0;
  return createHash('sha256')
    .update(readFileSync(file.replace(/\.json$/, '.params')))
    .update(JSON.stringify([maps, layers, isMixed ? patchStage : null]))
    .digest('hex');
}

/** Accuracy of a plan. @param {string} plan @param {string} evaluation folder */
function accuracyOf(plan, evaluation) {
  const key = `accuracy / ${arithmeticOf(plan)} / ${values.images}`;
  if (rows[key]) return rows[key];
  const csv = path.join(work, 'predictions.csv');
  const result = run([
    ...['evaluate', plan, '--images', evaluation, '--limit', values.images, '--predictions', csv, '--force'],
  ]);
  if (result.refused) throw new Error(result.refused);
  const { float, quantized, agreement, images, expectedLoss } = result;
  keep(key, { float, quantized, agreement, images, divergence: expectedLoss.divergence, drop: dropOf(csv) });
  return rows[key];
}

/** One way on one board. @param {typeof networks[number] & {flash?: string, grid?: string}} network */
function measure(network, /** @type {string} */ board, /** @type {typeof ways[number]} */ way) {
  const { model, preprocess, calibration, evaluation, flash, grid } = network;
  const plan = path.join(work, `${model}-${board}-${way.id}.quantmcu.json`);
  const summary = run([
    ...['quantize', path.join(data ?? '', 'models', `${model}.onnx`), '--images', calibration],
    ...['--limit', values.calibration, '--preprocess', preprocess, '--target', board],
    ...(flash ? ['--flash', flash] : []),
    ...(way.patched && grid ? ['--grid', grid] : []),
    ...way.options,
    ...['--out', plan],
  ]);
  if (summary.refused) return { refused: summary.refused };
  const { bitOps, macs, memory, latencyMs, processorSeconds, patch } = summary;
  return {
    ...accuracyOf(plan, evaluation),
    ...{ macs, bitOps: bitOps.plan },
    ...{ arenaBytes: memory.arenaBytes, latencyMs, processorSeconds },
    patch: patch && {
      grid: patch.grid,
      redundantMacsPercent: patch.redundantMacsPercent,
      outliers: patch.branches.filter((/** @type {any} */ b) => b.class === 'outlier').length,
      patches: patch.branches.length,
    },
  };
}

const bundle = await bundleTests('paper', [], {
  stdin: { contents: "export * from './test/bench/paper/distribution';", resolveDir: projectRoot, loader: 'js' },
});
const { distributionOf } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const chosen = networks.filter(({ model }) => positionals.length === 0 || positionals.some((p) => model.startsWith(p)));
for (const network of chosen) {
  const { model, preprocess, calibration, evaluation } = network;
  const file = path.join(data, 'models', `${model}.onnx`);
  if (!rows[`${model} / distribution`])
    keep(
      `${model} / distribution`,
      await distributionOf(file, calibration, Number(values.calibration), preprocess, PHIS),
    );
  for (const board of boards)
    for (const way of ways) {
      const key = `${model} / ${board.id} / ${way.id}`;
      if (!rows[key] && key.includes(values.row)) keep(key, measure(network, board.id, way));
    }
  const key = `${model} / phi`;
  if (rows[key] || !key.includes(values.row)) continue;
  const folder = path.join(work, `${model}-phi`);
  mkdirSync(folder);
  // φ matters where regular patches have 4 bits throughout: the score gives them these at a small λ.
  const sweep = run([
    ...['sweep', file, '--images', calibration, '--calibrate', values.calibration, '--preprocess', preprocess],
    ...['--target', 'stm32h743', '--flash', '4M', '--grid', '4x4', '--phi', PHIS.join(), '--bits', '8,4'],
    ...['--evaluate', evaluation, '--limit', values.sweep, '--out', folder],
  ]);
  keep(key, sweep.refused ? { refused: sweep.refused } : { points: sweep.sweep.points });
}
const detectors = path.join(projectRoot, 'test/bench/detection.json');
const detection = existsSync(detectors) ? JSON.parse(readFileSync(detectors, 'utf8')) : {};
await writeDocument({ projectRoot, rows, detection, networks, boards, ways, calibration: values.calibration });
