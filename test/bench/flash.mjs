// Flash that the code of generated C takes beside its weights and tables, by core, compiler's level and `--optimize`,
// next to what the planner takes for it. `node test/bench/flash.mjs PLAN…`: plans as `quantmcu quantize` writes them;
// prints the rows of flash.md. A program with one inference is linked without its self-test, the sizes of the functions
// of the generated sources and the runtime are added up: the C library's and the start-up code's are not.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const WAYS = [
  ['m4', '-O3', 'speed'],
  ['m4', '-O2', 'speed'],
  ['m4', '-O3', 'size'],
  ['m4', '-O2', 'size'],
  ['m0plus', '-O2', 'speed'],
];
const contents =
  "export * from './test/firmware/board/board'; export { openPlan } from './src/engine/plan/open'; export { " +
  "constantBytes } from './src/engine/codegen'; export { chooseWiderWeights, PACKED_KERNEL_BYTES, " +
  "programCodeBytes } from './src/engine/codegen/widerWeights';";
const bundle = await bundleTests('bench-flash', [], { stdin: { contents, resolveDir: projectRoot, loader: 'ts' } });
const { buildForBoard, chooseWiderWeights, constantBytes, openPlan, PACKED_KERNEL_BYTES, programCodeBytes } =
  createRequire(import.meta.url)(bundle.file);
bundle.remove();

mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
try {
  for (const plan of process.argv.slice(2)) {
    const {
      program,
      plan: { target },
    } = await openPlan(plan);
    const { size: packed } = chooseWiderWeights(
      program,
      { core: 'cortex-m4', flashBytes: target.flashBytes },
      constantBytes(program),
    ).packed;
    const estimate = programCodeBytes(program) + packed * PACKED_KERNEL_BYTES;
    for (const [core, level, optimize] of WAYS) {
      const project = path.join(folder, 'project');
      rmSync(project, { recursive: true, force: true });
      mkdirSync(project);
      run(process.execPath, [
        path.join(projectRoot, 'dist/cli.js'),
        'generate',
        plan,
        '--project',
        project,
        '--layout',
        'plain',
        '--selftest',
        'stored',
        '--optimize',
        optimize,
      ]);
      const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).map((f) => path.join(project, f));
      const golden = files.find((f) => f.endsWith('_golden.c'));
      const name = path.basename(golden, '_golden.c');
      const driver = path.join(folder, 'driver.c');
      writeFileSync(
        driver,
        `#include "${name}.h"\nstatic ${name.toUpperCase()}_ARENA(arena);\nint main(int argc, char **argv)\n{\n  ` +
          `  (void)argc;\n    (void)argv;\n    return ${invocation(golden, name)};\n}\n`,
      );
      const elf = path.join(folder, 'a.elf');
      const sources = files.filter((f) => f.endsWith('.c') && f !== golden && !f.endsWith('_selftest.c'));
      buildForBoard(core, [driver, ...sources], elf, [level, ...includes(files)]);
      const own = new Set(sources.map((f) => path.basename(f)));
      const { code, kernels } = functionsOf(elf, own, `${name}_kernels.c`);
      console.log(
        `| ${path.basename(plan, '.quantmcu.json')} | ${core} | ${level} | ${optimize} | ${kernels} | ${code} | ` +
          `${estimate} |`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Whether the input lies outside of the arena shows in the header. */
function invocation(golden, name) {
  const external = /_INPUT_EXTERNAL 1/.test(readFileSync(path.join(path.dirname(golden), `${name}.h`), 'utf8'));
  return external ? `${name}_invoke_from(arena, (const void *)arena)` : `${name}_invoke(arena)`;
}

/**
 * Bytes of all functions that are defined in `own` files, by the debugger's line table, and how many functions are made
 * for a layer.
 */
function functionsOf(elf, own, made) {
  let code = 0;
  let kernels = 0;
  for (const line of run('arm-none-eabi-nm', ['-S', '-l', elf]).split('\n')) {
    const [, size, file] = /^\S+ (\S+) [tT] \S+\t(.*):\d+$/.exec(line) ?? [];
    if (!file || !(own.has(path.basename(file)) || /qmcu_\w+\.h$/.test(file))) continue;
    code += parseInt(size, 16);
    if (path.basename(file) === made) kernels++;
  }
  return { code, kernels };
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`);
  return stdout;
}

/** Compiler options for the folders of headers. */
function includes(files) {
  return [
    '-DQMCU_KEEP_OPTIMIZATION',
    ...new Set(files.filter((f) => f.endsWith('.h')).map((f) => `-I${path.dirname(f)}`)),
  ];
}
