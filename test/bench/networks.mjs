// Whole networks on each core: instructions and cycles per MAC of 8 bits layer by layer, of 8 bits in patches and of a
// plan with 2.2 times fewer BitOPs in the same SRAM, beside the figures of other libraries (peers-networks.tsv: 8 bits
// layer by layer, -Ofast). `npm run build && node test/bench/networks.mjs [--cores m4,m7,…] [NETWORK…]` prints the
// tables of networks.md. Needs ../shared/data; counts as network.mjs does. MACs are the network's own: recomputed halos
// count as instructions only.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cores: { type: 'string', default: 'm4,m7,m3,m0plus,m55' } },
});
const here = path.join(projectRoot, 'test/bench');
const data = path.resolve(projectRoot, '../shared/data');
if (!existsSync(data)) throw new Error(`${data} is not there; this bench needs the reference models and images.`);

/** SRAM for the arena, the input outside of it: about a quarter of what 8 bits take layer by layer. */
const NETWORKS = [
  { model: 'mobilenetv2_1.0_224_tv', images: 'imagenet_sample', preprocess: 'imagenet', sram: '256K' },
  { model: 'mobilenetv1_0.25_224_imagenet', images: 'imagenet_sample', preprocess: 'tf', sram: '64K' },
  { model: 'vww_mobilenetv1_0.25_96_mlperf', images: 'vww', preprocess: 'unit', sram: '16K' },
  { model: 'resnet8_cifar10_mlperf', images: 'cifar10', preprocess: 'raw', sram: '24K' },
].filter(({ model }) => positionals.length === 0 || positionals.includes(model));
const PLANS = [
  { name: '8 bits, layer by layer', options: () => ['--bits', '8', '--grid', 'none', '--sram', '4M'] },
  { name: '8 bits, in patches', options: ({ sram }) => ['--bits', '8', '--sram', sram] },
  { name: '2.2 times fewer BitOPs, in patches', options: ({ sram }) => ['--bitops-target', '2.2', '--sram', sram] },
];
const cores = values.cores.split(',');
const peers = readFileSync(path.join(here, 'peers-networks.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));

const folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-networks-'));
try {
  for (const network of NETWORKS) {
    const rows = new Map();
    let macs = 0;
    for (const { name, options } of PLANS) {
      const plan = path.join(folder, 'plan.quantmcu.json');
      const quantize = [
        path.join(projectRoot, 'dist/cli.js'),
        'quantize',
        path.join(data, 'models', `${network.model}.onnx`),
        '--images',
        path.join(data, 'images', network.images),
        '--preprocess',
        network.preprocess,
        '--target',
        'custom',
        '--flash',
        '16M',
        '--input',
        'external',
        ...options(network),
        '--out',
        plan,
        '--json',
      ];
      const summary = JSON.parse(run(quantize));
      macs ||= summary.macs; // of the first plan, which recomputes nothing
      const counted = cores.map((core) => {
        // Kernels are made for the plan's core.
        const { target, ...rest } = JSON.parse(readFileSync(plan, 'utf8'));
        writeFileSync(plan, JSON.stringify({ ...rest, target: { ...target, core: `cortex-${core}` } }));
        return /: (\d+) instructions(?:, [\d.]+ per MAC)?(?:, (\d+) cycles)?/
          .exec(run([path.join(here, 'network.mjs'), plan, '--cores', core]))
          .slice(1);
      });
      rows.set(
        `${name}${summary.patch ? ` (${summary.patch.grid.replace('x', '×')})` : ''}, ` +
          `${Math.ceil(summary.memory.arenaBytes / 1024)} KiB`,
        counted,
      );
    }
    console.log(`\n## ${network.model}, ${(macs / 1e6).toFixed(1)} M MACs, ${network.sram} of SRAM\n`);
    for (const [title, figure, ofPeer] of [
      ['Instructions per MAC', 0, 3],
      ['Model cycles per MAC', 1, 4],
    ]) {
      const columns = cores.filter((_, i) => [...rows.values()].every((counted) => counted[i][figure] !== undefined));
      console.log(`| ${title} | ${columns.join(' | ')} |\n|---|${columns.map(() => '---:|').join('')}`);
      for (const [name, counted] of rows)
        console.log(
          `| ${name} | ` +
            `${columns.map((core) => (counted[cores.indexOf(core)][figure] / macs).toFixed(3)).join(' | ')} |`,
        );
      for (const library of new Set(peers.map((p) => p[2]))) {
        const cell = (core) =>
          peers.find((p) => p[0] === core && p[1] === network.model && p[2] === library)?.[ofPeer] ?? '';
        if (columns.some(cell)) console.log(`| ${library}, 8 bits layer by layer | ${columns.map(cell).join(' | ')} |`);
      }
      console.log();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(args) {
  return execFileSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
