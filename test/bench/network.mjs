// Counts the instructions of one whole inference of generated C on emulated boards.
// `node test/bench/network.mjs PLAN [--cores m4,m3,m0plus] [--level=-O3]`: a plan as `quantmcu quantize` writes it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cores: { type: 'string', default: 'm4' }, level: { type: 'string', default: '-O3' } },
});
const counting = path.join(projectRoot, 'test/firmware/counting');
const bundle = await bundleTests('bench-network', [], { stdin: { contents: "export * from './test/firmware/board/board';", resolveDir: projectRoot, loader: 'ts' } });
const { buildForBoard, runOnBoard, boardSizes } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
try {
  const plugin = path.join(folder, 'counting.so');
  run('gcc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', plugin, path.join(counting, 'counting.c')]);
  const project = path.join(folder, 'project');
  mkdirSync(project);
  run(process.execPath, [path.join(projectRoot, 'dist/cli.js'), 'generate', positionals[0], '--project', project, '--layout', 'plain']);
  const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).map((f) => path.join(project, f));
  const golden = files.find((f) => f.endsWith('_golden.c'));
  const name = path.basename(golden, '_golden.c');
  const header = readFileSync(path.join(path.dirname(golden), `${name}.h`), 'utf8');
  const macs = Number(/_MACS (\d+)/.exec(header)?.[1] ?? NaN);
  // The self-test's inference is the only one between the marks; its result is checked.
  const driver = path.join(folder, 'driver.c');
  writeFileSync(driver, `#include "counting.h"
#include "semihosting.h"
#include "${name}.h"
static ${name.toUpperCase()}_ARENA(arena);
int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    COUNTING_BEGIN();
    const int status = ${name}_invoke(arena);
    COUNTING_END();
    return status != 0 ? 1 : ${name}_selftest(arena) != 0 ? 2 : 0;
}
`);
  for (const core of values.cores.split(',')) {
    const elf = path.join(folder, `${core}.elf`);
    const counts = path.join(folder, `${core}.txt`);
    buildForBoard(core, [driver, ...files.filter((f) => f.endsWith('.c'))], elf, [values.level, `-I${path.dirname(golden)}`, `-I${counting}`]);
    const { exitCode, output } = runOnBoard(core, elf, { qemu: ['-plugin', `${plugin},out=${counts}`] });
    if (exitCode !== 0) throw new Error(`${core} ended with ${exitCode}: ${output}`);
    const instructions = Number(readFileSync(counts, 'utf8').trim());
    const { flash, ram } = boardSizes(elf);
    console.log(`${name} ${core} ${values.level}: ${instructions} instructions${macs ? `, ${(instructions / macs).toFixed(3)} per MAC` : ''}, flash ${flash}, RAM ${ram} bytes`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`);
}
