// Counts the instructions of each kernel on emulated boards, with a model of the cycles of an M0+, M3 or M4
// (test/firmware/counting/timing.h), and prints them beside the instructions of other libraries. `node
// test/bench/kernels.mjs [--cores m4,m3,m0plus,m55] [--level=-O3] [--layers REGEXP]`; --tsv writes kernels-CORE.tsv,
// which latency.mjs reads; --check compares with those files instead, and fails where a layer's count is another one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: {
    cores: { type: 'string', default: 'm4,m3,m0plus,m55' },
    level: { type: 'string', default: '-O3' },
    layers: { type: 'string', default: '' },
    optimize: { type: 'string', default: 'speed' },
    tsv: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const here = path.join(projectRoot, 'test/bench');
const counting = path.join(projectRoot, 'test/firmware/counting');

const bundle = await bundleTests('bench', [], {
  stdin: {
    contents: "export * from './test/firmware/board/board'; export * from './test/support/firmwareSources';",
    resolveDir: projectRoot,
    loader: 'js',
  },
});
const { buildForBoard, runOnBoard, boardSizes, firmwareSources, firmwareIncludes } = createRequire(import.meta.url)(
  bundle.file,
);
bundle.remove();

const peers = new Map(
  readFileSync(path.join(here, 'peers.tsv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [core, layer, cmsis, tiny] = line.split('\t');
      return [`${core} ${layer}`, { cmsis, tiny }];
    }),
);

mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
try {
  const plugin = path.join(folder, 'counting.so');
  run('gcc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', plugin, path.join(counting, 'counting.c')]);
  const sources = [path.join(here, 'kernels.c'), ...firmwareSources()];
  const wanted = new RegExp(values.layers);
  const checksums = new Map();
  for (const core of values.cores.split(',')) {
    const elf = path.join(folder, `${core}.elf`);
    const counts = path.join(folder, `${core}.txt`);
    buildForBoard(core, sources, elf, [
      values.level,
      ...firmwareIncludes,
      `-I${counting}`,
      ...(values.optimize === 'size' ? ['-DBENCH_SHARED'] : []),
    ]);
    const { exitCode, output } = runOnBoard(core, elf, { qemu: ['-plugin', `${plugin},out=${counts},core=${core}`] });
    if (exitCode !== 0) throw new Error(`${core} ended with ${exitCode}: ${output}`);
    const counted = readFileSync(counts, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\t').map(Number));
    if (values.check) {
      compare(core, output, counted);
      continue;
    }
    console.log(
      `\n${core} at ${values.level}, instructions per MAC; flash of all kernels and the bench ` +
        `${boardSizes(elf, core).flash} bytes\n`,
    );
    console.log(
      '| Layer | Instructions | per MAC | CMSIS-NN | ratio | TinyEngine | ratio | cycles per MAC ' +
        '|\n|---|---:|---:|---:|---:|---:|---:|---:|',
    );
    if (values.tsv) {
      const rows = output
        .trim()
        .split('\n')
        .map((line, i) => `${[line.split('\t')[0], ...counted[i]].join('\t')}\n`);
      writeFileSync(
        path.join(here, `kernels-${core}.tsv`),
        `layer\tinstructions${counted[0].length > 1 ? '\tcycles' : ''}\n${rows.join('')}`,
      );
    }
    output
      .trim()
      .split('\n')
      .forEach((line, i) => {
        const [name, macs, checksum] = line.split('\t');
        if (checksums.has(name) && checksums.get(name) !== checksum)
          throw new Error(`${name}: the output on ${core} differs from that on another core.`);
        checksums.set(name, checksum);
        if (!wanted.test(name)) return;
        const [instructions, cycles] = counted[i];
        const own = instructions / macs;
        const peer = peers.get(`${core} ${name}`) ?? {};
        const beside = (figure) => (figure ? `${Number(figure).toFixed(2)} | ${(figure / own).toFixed(2)}` : ' | ');
        console.log(
          `| ${name} | ${instructions} | ${own.toFixed(3)} | ${beside(peer.cmsis)} | ${beside(peer.tiny)} | ` +
            `${cycles ? (cycles / macs).toFixed(3) : ''} |`,
        );
      });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Counts beside those of kernels-CORE.tsv. @param {string} core @param {string} output @param {number[][]} counted */
function compare(core, output, counted) {
  const rows = readFileSync(path.join(here, `kernels-${core}.tsv`), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const known = new Map(rows.map((row) => row.split('\t')).map(([layer, count]) => [layer, Number(count)]));
  const names = output
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[0]);
  const changed = names
    .map((name, i) => ({ name, before: known.get(name), now: counted[i][0] }))
    .filter(({ before, now }) => before !== now);
  for (const { name, before, now } of changed) console.log(`${core} ${name}: ${before ?? 'no count'} → ${now}`);
  console.log(`${core}: ${names.length - changed.length} of ${names.length} layers as in kernels-${core}.tsv.`);
  if (changed.length > 0) process.exitCode = 1;
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
