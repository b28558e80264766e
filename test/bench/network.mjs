// Counts the instructions of one whole inference of generated C on emulated boards, with a model of the cycles of an
// M0+, M3 or M4 (test/firmware/counting/timing.h), and checks that all plans of a model give the same bits there. `node
// test/bench/network.mjs PLAN… [--cores m4,m3,m0plus] [--level=-O3] [--optimize speed|size] [--compiler gcc|clang]
// [--layers|--kinds]`: plans as `quantmcu quantize` writes them. With several, each must compute the outputs of the
// first on the stored inputs: e.g. 8 bits layer by layer, then in patches. `--layers` also lists the instructions (and
// model cycles) of every run of a layer, `--layers-only` nothing else, `--kinds` their sums by kernel and window.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cores: { type: 'string', default: 'm4' },
    level: { type: 'string', default: '-O3' },
    optimize: { type: 'string', default: 'speed' },
    layers: { type: 'boolean', default: false },
    kinds: { type: 'boolean', default: false },
    'layers-only': { type: 'boolean', default: false },
    compiler: { type: 'string', default: 'gcc' },
  },
});
const counting = path.join(projectRoot, 'test/firmware/counting');
const bundle = await bundleTests('bench-network', [], {
  stdin: { contents: "export * from './test/firmware/board/board';", resolveDir: projectRoot, loader: 'js' },
});
const { buildForBoard, runOnBoard, boardSizes } = createRequire(import.meta.url)(bundle.file);
bundle.remove();

mkdirSync(path.join(projectRoot, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
try {
  const plugin = path.join(folder, 'counting.so');
  run('gcc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', plugin, path.join(counting, 'counting.c')]);
  const outputs = [];
  for (const [index, plan] of positionals.entries()) {
    const project = path.join(folder, `project${index}`);
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
      values.optimize,
    ]);
    const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).map((f) => path.join(project, f));
    const golden = files.find((f) => f.endsWith('_golden.c'));
    const name = path.basename(golden, '_golden.c');
    const header = readFileSync(path.join(path.dirname(golden), `${name}.h`), 'utf8');
    const macs = Number(/_MACS (\d+)/.exec(header)?.[1] ?? NaN);
    const vectors = readFileSync(golden, 'utf8').slice(
      readFileSync(golden, 'utf8').indexOf('static const uint8_t input'),
    );
    const digest = (kind) =>
      createHash('sha256')
        .update(
          vectors
            .slice(vectors.indexOf(`uint8_t ${kind}[`))
            .split('};')[0]
            .replace(/^.*$/m, ''),
        )
        .digest('hex')
        .slice(0, 12);
    outputs.push(`${digest('input')} ${digest('output')}`);
    if (outputs[index] !== outputs[0])
      throw new Error(`${plan} gives other outputs than ${positionals[0]}, or is for another model.`);
    const external = /_INPUT_EXTERNAL 1/.test(header);
    // The first inference, of the self-test's input, is the only one between the marks; then the self-test compares
    // with what the generator computed.
    const pixels = /static const uint8_t input\[[^=]*= \{\s*(\{[^}]*\})/.exec(vectors)?.[1];
    if (!pixels) throw new Error(`${golden} has no input.`);
    const detects = files.some((f) => f.endsWith(`${name}_detect.h`));
    const upper = name.toUpperCase();
    const boxes = detects ? `#include "${name}_detect.h"\nstatic ${name}_box boxes[${upper}_DETECT_MAX];\n` : '';
    const driver = path.join(folder, `driver${index}.c`);
    writeFileSync(
      driver,
      `#include "counting.h"
#include "semihosting.h"
#include <string.h>
#include "${name}.h"
${boxes}static ${upper}_ARENA(arena);
static const uint8_t input[] = ${pixels};
int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
${external ? '' : `    memcpy(${name}_input(arena), input, sizeof input);\n`}    COUNTING_BEGIN();
    const int status = ${external ? `${name}_invoke_from(arena, input)` : `${name}_invoke(arena)`};
    COUNTING_END();
${
  detects
    ? `    COUNTING_BEGIN();
    const int count = ${name}_detect(
        arena, ${upper}_DETECT_SCRATCH(arena), boxes, ${upper}_DETECT_MAX);
    COUNTING_END();
    if (count < 0) return 3;
`
    : ''
}    return status != 0 ? 1 : ${name}_selftest(arena) != 0 ? 2 : 0;
}
`,
    );
    for (const core of values.cores.split(',')) {
      const elf = path.join(folder, `${core}-${index}.elf`);
      const sources = [driver, ...files.filter((f) => f.endsWith('.c'))];
      const include = [...includes(files), `-I${counting}`];
      const [[instructions, cycles], [decode] = []] = values['layers-only']
        ? [[]]
        : countOn(core, sources, elf, [values.level, ...include]);
      const { flash, ram } = values['layers-only'] ? {} : boardSizes(elf);
      console.log(
        `${name} ${core} ${values.compiler === 'gcc' ? '' : `${values.compiler} `}${values.level}: ` +
          `${instructions} instructions${macs ? `, ${(instructions / macs).toFixed(3)} per MAC` : ''}` +
          `${cycles ? `, ${cycles} cycles` : ''}, ` +
          (decode ? `boxes ${decode} instructions (${((100 * decode) / instructions).toFixed(2)} %), ` : '') +
          `flash ${flash}, RAM ${ram} bytes, outputs ${outputs[index]}: ${plan}`,
      );
      if (values.layers || values.kinds || values['layers-only']) {
        // Each run of a layer has its marks, inside those of the inference, whose begin is then without an end.
        const counted = countOn(core, sources, `${elf}.layers`, [
          values.level,
          ...include,
          '-include',
          path.join(counting, 'counting.h'),
          '-DQMCU_LAYER_BEGIN(layer)=COUNTING_BEGIN()',
          '-DQMCU_LAYER_END(layer)=COUNTING_END()',
        ]);
        const source = readFileSync(path.join(path.dirname(golden), `${name}.c`), 'utf8');
        const runs = layerRuns(source).map(({ title, code }, i) => ({
          title,
          instructions: counted[i][0],
          cycles: counted[i][1],
          kind: kindOf(source, code),
        }));
        if (values.layers || values['layers-only'])
          runs.forEach(({ title, instructions, cycles }) =>
            console.log(`${String(instructions).padStart(12)} ${String(cycles ?? '').padStart(12)}  ${title}`),
          );
        const kinds = new Map();
        for (const { kind, instructions } of runs) kinds.set(kind, (kinds.get(kind) ?? 0) + instructions);
        if (values.kinds)
          kinds.forEach((instructions, kind) => console.log(`${String(instructions).padStart(12)}  ${kind}`));
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Runs of layers in the order of execution: rows of the table of steps, and statements of functions. @returns their
 * titles and code
 */
function layerRuns(source) {
  const table = /table_step steps\[\d+\] = \{\n([^]*?)\n\};/.exec(source)?.[1] ?? '';
  /** @type {{title: string, code: string}[]} by row, rows of one layer in the first of them */
  const rows = [];
  let title = null;
  for (const line of table.split('\n')) {
    const named = /\/\* (Layer \d+.*?) \*\//.exec(line);
    if (named) title = named[1];
    else if (/^ *\{/.test(line) && title !== null) {
      rows.push({ title, code: line });
      title = null;
    } else if (/^ *\{/.test(line)) {
      rows.findLast(Boolean).code += line;
      rows.push(null);
    }
  }
  const statements = (name) => {
    const body = new RegExp(` ${name}\\([^)]*\\)\\n\\{([^]*?)\\n\\}`).exec(source)[1];
    return [...body.matchAll(/\/\* (Layer \d+[^\n]*?) \*\/\s*QMCU_LAYER_BEGIN[^]*?QMCU_LAYER_END/g)].map(
      ([code, title]) => ({ title, code }),
    );
  };
  return [...source.matchAll(/^ {8}error = (\w+)\(base, watch(?:, \d+, (\d+), (\d+))?/gm)].flatMap(
    ([, name, begin, end]) => (end ? rows.slice(Number(begin), Number(end)).filter(Boolean) : statements(name)),
  );
}

/** Kernel and window of a run of a layer, by the parameters that its calls pass. */
function kindOf(source, code) {
  const names = [...code.matchAll(/&((?:conv2d|depthwise2d|fully_connected|add|average_pool|max_pool)_\w+)/g)].map(
    ([, name]) => name,
  );
  if (names.length === 0) return 'others';
  const window = new RegExp(` ${names[0]} = \\{\\s*\\.window = \\{(\\d+), (\\d+)`).exec(source);
  return `${/^[a-z]+(?:2d|_[a-z]+)?/.exec(names[0])[0]}${window ? ` ${window[1]}x${window[2]}` : ''}`;
}

/**
 * Builds and runs a program; the instructions between each pair of its marks, and cycles where there is a model of
 * them.
 */
function countOn(core, sources, elf, flags) {
  const counts = `${elf}.txt`;
  buildForBoard(core, sources, elf, flags, values.compiler);
  const { exitCode, output } = runOnBoard(core, elf, {
    qemu: ['-plugin', `${path.join(folder, 'counting.so')},out=${counts},core=${core}`],
  });
  if (exitCode !== 0) throw new Error(`${core} ended with ${exitCode}: ${output}`);
  return readFileSync(counts, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t').map(Number));
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`);
}

/** Compiler options for the folders of headers. */
function includes(files) {
  return [
    '-DQMCU_KEEP_OPTIMIZATION',
    ...new Set(files.filter((f) => f.endsWith('.h')).map((f) => `-I${path.dirname(f)}`)),
  ];
}
