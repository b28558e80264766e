// Counts the instructions of every layer's run in random networks out of the blocks and sizes of real ones, to which
// latency.mjs fits its coefficients, so that real networks are left to test them. `node test/bench/shapes.mjs --core
// m4 [--networks 9]` writes shapes-CORE.tsv.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: { core: { type: 'string', default: 'm4' }, networks: { type: 'string', default: '9' } },
});
const { core } = values;
const counting = path.join(projectRoot, 'test/firmware/counting');
const bundle = await bundleTests('bench-shapes', [], {
  stdin: {
    contents:
      "export * from './test/bench/shapeNetworks'; export * from './test/firmware/board/board'; " +
      "export * from './test/support/firmwareSources';",
    resolveDir: projectRoot,
    loader: 'js',
  },
});
const { shapeNetwork, runOnBoard, buildForBoard, firmwareSources, firmwareIncludes } = createRequire(import.meta.url)(
  bundle.file,
);
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

const flags = ['-O3', `-I${counting}`, '-DQMCU_KEEP_OPTIMIZATION', ...firmwareIncludes];
const runtime = firmwareSources();
let plugin;
mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
try {
  plugin = path.join(folder, 'counting.so');
  run('gcc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', plugin, path.join(counting, 'counting.c')]);
  const runs = new Map();
  for (let seed = 1; seed <= Number(values.networks); seed++) {
    const { files, shapes } = shapeNetwork(seed, core === 'rv32imac' ? 'riscv32' : `cortex-${core}`);
    const counts = countRuns(seed, files);
    if (counts.length !== shapes.length)
      throw new Error(`Network ${seed}: ${counts.length} runs were counted, ${shapes.length} are expected.`);
    shapes.forEach((shape, i) => {
      const known = runs.get(shape) ?? { times: 0, instructions: 0 };
      known.times++;
      known.instructions += counts[i];
      runs.set(shape, known);
    });
    console.log(`network ${seed}: ${counts.length} runs, ${counts.reduce((a, b) => a + b, 0)} instructions`);
    write(runs);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function write(runs) {
  const rows = [...runs].map(([shape, { times, instructions }]) =>
    [shape, times, Math.round(instructions / times)].join('\t'),
  );
  writeFileSync(
    path.join(projectRoot, `test/bench/shapes-${core}.tsv`),
    `calls\ttimes\tinstructions\n${rows.join('\n')}\n`,
  );
}

/** Instructions of every run of a layer in the order of the C. */
function countRuns(seed, files) {
  const project = path.join(folder, String(seed));
  const sources = [...files, { path: 'driver.c', text: DRIVER }].map((file) => {
    const to = path.join(project, file.path);
    mkdirSync(path.dirname(to), { recursive: true });
    writeFileSync(to, file.text);
    return to;
  });
  const elf = path.join(project, 'net.elf');
  const counts = path.join(project, 'counts.txt');
  // The runtime is all firmware's; the linker leaves out what a network does not call.
  const own = sources.filter((file) => /\/(net\w*|driver)\.[ch]$/.test(file));
  const c = [...own.filter((file) => file.endsWith('.c')), ...runtime];
  buildForBoard(core, c, elf, [
    ...flags,
    ...new Set(own.map((file) => `-I${path.dirname(file)}`)),
    '-include',
    path.join(counting, 'counting.h'),
    '-DQMCU_LAYER_BEGIN(layer)=COUNTING_BEGIN()',
    '-DQMCU_LAYER_END(layer)=COUNTING_END()',
  ]);
  const { exitCode, output } = runOnBoard(core, elf, { qemu: ['-plugin', `${plugin},out=${counts},core=${core}`] });
  if (exitCode !== 0) throw new Error(`${core} ended with ${exitCode}: ${output}`);
  return readFileSync(counts, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[0]));
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
