// Counts the instructions of layers whose maps have 16 bits and of the same ones at 8, beside the estimates, and tells
// the bytes of the kernels for 16 bits. `node test/bench/wide.mjs` writes wide.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { counting, openCountingBoard, run } from './countingBoard.mjs';
import { leadOf } from './lead.mjs';

const CORES = ['m4', 'm0plus', 'm3', 'm55', 'rv32imac'];
const bundle = await bundleTests('bench-wide', [], {
  stdin: {
    contents: "export * from './test/bench/wide'; export * from './test/support/firmwareSources';",
    resolveDir: projectRoot,
    loader: 'js',
  },
});
const { wideNetwork, firmwareSources, firmwareIncludes } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

const DRIVER = `#include "net.h"
static NET_ARENA(arena);
static uint8_t input[NET_INPUT_BYTES];
int main(int argc, char **argv)
{
    uint32_t random = 777u;
    (void)argc;
    (void)argv;
    for (uint32_t i = 0; i < sizeof input; i++) {
        random = random * 1664525u + 1013904223u;
        input[i] = (uint8_t)(random >> 24);
    }
    return net_invoke_from(arena, input);
}
`;

const lead = leadOf('wide.md');
mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
const rows = new Map();
const bytes = new Map();
try {
  const board = await openCountingBoard(folder);
  for (const core of CORES) {
    for (const bits of [8, 16]) {
      const { steps, counts, elf } = measure(board, core, bits);
      steps.forEach(({ name, work, estimate }, i) => {
        const row = rows.get(name) ?? [];
        rows.set(name, [...row, counts[i] / work, estimate / work]);
      });
      if (bits === 16) bytes.set(core, kernelBytes(core, elf));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const figure = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const table = [
  `| layer | ${CORES.map((core) => `${core} 8 | ${core} 16`).join(' | ')} |`,
  `| --- | ${CORES.map(() => '--: | --:').join(' | ')} |`,
  ...[...rows].map(([name, cells]) => {
    const of = (i) => cells.slice(4 * i, 4 * i + 4).map(figure);
    const parts = CORES.map((_, i) => `${of(i)[0]} | ${of(i)[2]} (${of(i)[3]})`);
    return `| ${name} | ${parts.join(' | ')} |`;
  }),
];
const sizes = [
  `| kernels for 16 bits, bytes | ${CORES.join(' | ')} |`,
  `| --- | ${CORES.map(() => '--:').join(' | ')} |`,
  ...[...bytes.get(CORES[0]).keys()].map(
    (name) => `| ${name} | ${CORES.map((core) => bytes.get(core).get(name) ?? 0).join(' | ')} |`,
  ),
];
writeFileSync(
  path.join(projectRoot, 'test/bench/wide.md'),
  `# 16-bit maps against 8-bit ones

${lead}

Instructions at -O3 for each multiply-accumulate, of layers without weights for each output; at 8 bits with kernels of
the layers' own where there are any. In brackets: as estimated (\`src/engine/cost/wideCosts.ts\`).

${table.join('\n')}

Of the C files that hold them:

${sizes.join('\n')}
`,
);

/** Instructions of every step. */
function measure(board, core, bits) {
  const { files, steps } = wideNetwork(bits, core === 'rv32imac' ? 'riscv32' : `cortex-${core}`);
  const project = path.join(folder, `${core}-${bits}`);
  mkdirSync(project);
  const sources = [...files, { path: 'driver.c', text: DRIVER }].map((file) => {
    const to = path.join(project, file.path);
    writeFileSync(to, file.text);
    return to;
  });
  const elf = path.join(project, 'net.elf');
  const flags = ['-O3', `-I${counting}`, '-DQMCU_KEEP_OPTIMIZATION', ...firmwareIncludes, `-I${project}`];
  const own = sources.filter((file) => /\/(net|net_weights|net_kernels|driver)\.c$/.test(file));
  board.buildForBoard(core, [...own, ...sources.filter((file) => /net_qmcu_\w+\.c$/.test(file))], elf, [
    ...flags,
    ...['-include', path.join(counting, 'counting.h')],
    '-DQMCU_LAYER_BEGIN(layer)=COUNTING_BEGIN()',
    '-DQMCU_LAYER_END(layer)=COUNTING_END()',
  ]);
  board.count(core, elf);
  const lines = readFileSync(path.join(folder, 'net.elf.txt'), 'utf8').trim().split('\n');
  return { steps, counts: lines.map((line) => Number(line.split('\t')[0])), elf };
}

/** Bytes of the kernels, by the file of src/firmware that holds them. */
function kernelBytes(core, elf) {
  const nm = core === 'rv32imac' ? 'riscv64-unknown-elf-nm' : 'arm-none-eabi-nm';
  const symbols = run(nm, ['-S', '--defined-only', elf]).split('\n');
  const sizes = new Map();
  for (const line of symbols) {
    const [, size, , name] = line.split(' ');
    if (name) sizes.set(name.replace(/\.(constprop|isra|part)\.\d+$/, ''), parseInt(size, 16));
  }
  const result = new Map();
  for (const file of firmwareSources().filter((f) => /qmcu_s16_\w+\.c$/.test(f))) {
    let sum = 0;
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:static |QMCU_)[^;={]*?\b(\w+)\(/gm))
      sum += sizes.get(name) ?? sizes.get(`net_${name}`) ?? 0;
    result.set(path.basename(file), sum);
  }
  return result;
}
