// Whole networks on each core, counted: 8 bits layer by layer, 8 bits in patches as MCUNetV2 does them (one stage,
// square grid, halos recomputed), 8 bits in our patches, and the fastest plan within a point of accuracy, all
// but the first in the same SRAM. `npm run build && node test/bench/networks.mjs [--cores m4,m3,…] [--plans
// layers,mcunetv2,patches8,ours] [--again] [NETWORK…]` counts what networks.json does not have yet, row by row, and
// adds it there; plans stay in out/networks. `… --table` prints networks.md from that file. Needs ../shared/data (or
// QUANTMCU_SHARED_DATA); counts as network.mjs does, in forms for speed. Figures of other libraries:
// peers-networks.tsv (8 bits layer by layer, -Ofast).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { referenceData } from './reference.mjs';

const CORES = ['m0plus', 'm3', 'm4', 'm33', 'm55', 'rv32imac'];
const PLANS = {
  layers: '8 bits, layer by layer',
  mcunetv2: "8 bits, MCUNetV2's patches",
  patches8: '8 bits, our patches',
  ours: 'fastest plan',
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cores: { type: 'string', default: CORES.join() },
    plans: { type: 'string', default: Object.keys(PLANS).join() },
    again: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
/** SRAM for the arena, the input outside of it: about a quarter of what 8 bits take layer by layer. */
const NETWORKS = [
  { model: 'vww_mobilenetv1_0.25_96_mlperf', images: 'vww', preprocess: 'unit', kib: 16 },
  { model: 'resnet8_cifar10_mlperf', images: 'cifar10', preprocess: 'raw', kib: 24 },
  { model: 'mcunet_vww_80', images: 'vww', preprocess: 'tf', kib: 24 },
  { model: 'mobilenetv1_0.25_224_imagenet', images: 'imagenet_sample', preprocess: 'tf', kib: 64 },
  { model: 'mobilenetv2_1.0_224_tv', images: 'imagenet_sample', preprocess: 'imagenet', kib: 256 },
  { model: 'squeezenet1.1_224_imagenet', images: 'imagenet_sample', preprocess: 'imagenet', kib: 256 },
].filter(({ model }) => positionals.length === 0 || positionals.includes(model));
const here = path.join(projectRoot, 'test/bench');
const file = path.join(here, 'networks.json');
const folder = path.join(projectRoot, 'out/networks');
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const bundle = await bundleTests('bench-networks', [], {
  stdin: { contents: "export * from './test/bench/networks';", resolveDir: projectRoot, loader: 'js' },
});
const { writeBaseline, figuresOf, onBoard } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

if (values.table) table();
else await fill();

async function fill() {
  const data = referenceData();
  mkdirSync(folder, { recursive: true });
  for (const network of NETWORKS)
    for (const core of values.cores.split(','))
      for (const kind of values.plans.split(',')) {
        const row = `${network.model} ${core} ${kind}`;
        if (results[row] && !values.again) continue;
        try {
          results[row] = await count(network, core, kind, data);
        } catch (error) {
          console.error(`${row}: ${error.message}`);
          continue;
        }
        const sorted = Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1)));
        writeFileSync(`${file}.new`, `${JSON.stringify(sorted, null, 1)}\n`);
        renameSync(`${file}.new`, file);
        console.log(`${row}: ${results[row].instructions} instructions`);
      }
}

async function count(network, core, kind, data) {
  const quantized = (name, ...options) => {
    const plan = path.join(folder, `${network.model}-${name}.quantmcu.json`);
    const stored = `${plan}.summary`;
    if (existsSync(plan) && existsSync(stored)) return [plan, JSON.parse(readFileSync(stored, 'utf8'))];
    const model = path.join(data, 'models', `${network.model}.onnx`);
    const images = path.join(data, 'images', network.images);
    const text = run(
      [path.join(projectRoot, 'dist/cli.js'), 'quantize', model, '--images', images],
      ['--preprocess', network.preprocess, '--target', 'custom', '--flash', '16M', '--input', 'external'],
      [...options, '--optimize', 'speed', '--out', plan, '--json'],
    );
    writeFileSync(stored, text);
    return [plan, JSON.parse(text)];
  };
  // The M33 runs the M4's kernels.
  const kernels = core === 'm33' ? 'm4' : core;
  const name = kernels === 'rv32imac' ? 'riscv32' : `cortex-${kernels}`;
  let plan;
  let loss = null;
  if (kind === 'ours') {
    const [made, summary] = quantized(kernels, '--core', name, '--sram', `${network.kib}K`, '--objective', 'latency');
    plan = made;
    loss = summary.loss;
  } else {
    const [eight] = quantized('8', '--bits', '8', '--grid', 'none', '--sram', '4M');
    plan = path.join(folder, `${network.model}-8-${kernels}-${kind}.quantmcu.json`);
    await writeBaseline(eight, plan, kind, name, network.kib * 1024);
  }
  const figures = await figuresOf(plan);
  const [, instructions, cycles] = /: (\d+) instructions(?:, [\d.]+ per MAC)?(?:, (\d+) cycles)?/.exec(
    run([path.join(here, 'network.mjs'), plan, '--cores', core]),
  );
  return { ...figures, loss, instructions: Number(instructions), cycles: cycles ? Number(cycles) : null };
}

function run(...args) {
  return execFileSync(process.execPath, args.flat(), {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function table() {
  const peers = readFileSync(path.join(here, 'peers-networks.tsv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  for (const { model, kib } of NETWORKS) {
    const rows = CORES.filter((core) => Object.keys(PLANS).some((kind) => results[`${model} ${core} ${kind}`]));
    if (rows.length === 0) continue;
    const any = results[Object.keys(results).find((row) => row.startsWith(`${model} `))];
    console.log(`\n## ${model}, ${(any.networkMacs / 1e6).toFixed(1)} M MACs, ${kib} KiB of SRAM\n`);
    console.log(
      '| core | plan | patches | SRAM | MACs | BitOPs | instructions | per MAC | milliseconds | flash | ' +
        'points lost |\n' +
        '|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    );
    for (const core of rows) {
      for (const [kind, name] of Object.entries(PLANS)) {
        const r = results[`${model} ${core} ${kind}`];
        if (!r) continue;
        const { ms, error } = onBoard(core, r.instructions);
        const cells = [
          ...[core, name, r.grid, `${(r.arenaBytes / 1024).toFixed(1)} KiB`, `${(r.macs / 1e6).toFixed(1)} M`],
          ...[`${(r.bitOps / 1e9).toFixed(2)} G`, `${(r.instructions / 1e6).toFixed(1)} M`],
          ...[
            (r.instructions / r.networkMacs).toFixed(3),
            `${ms.toFixed(ms < 100 ? 1 : 0)} ± ${(100 * error).toFixed(0)} %`,
          ],
          ...[`${(r.flashBytes / 1024).toFixed(0)} KiB`, r.loss ? r.loss.expected.toFixed(2) : ''],
        ];
        console.log(`| ${cells.join(' | ')} |`);
      }
      for (const [, , library, perMac] of peers.filter(([of, network]) => of === core && network === model))
        console.log(`| ${core} | ${library}, 8 bits, layer by layer | | | | | | ${perMac} | | | |`);
    }
  }
  reductions();
}

/** Instructions of the fastest plan against both baselines. */
function reductions() {
  for (const [kind, title] of [
    ['mcunetv2', "Fewer instructions than 8 bits in MCUNetV2's patches"],
    ['patches8', 'Fewer instructions than 8 bits in our patches'],
  ]) {
    const cores = CORES.filter((core) => NETWORKS.some(({ model }) => results[`${model} ${core} ours`]));
    console.log(`\n## ${title}\n\n| network | ${cores.join(' | ')} |\n|---|${cores.map(() => '---:|').join('')}`);
    for (const { model } of NETWORKS) {
      const cells = cores.map((core) => {
        const [base, own] = [kind, 'ours'].map((k) => results[`${model} ${core} ${k}`]);
        return base && own ? `${(base.instructions / own.instructions).toFixed(2)}×` : '';
      });
      if (cells.some(Boolean)) console.log(`| ${model} | ${cells.join(' | ')} |`);
    }
  }
}
