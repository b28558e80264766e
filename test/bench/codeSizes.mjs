// Measures the code of the runtime and of kernels made for layers, section by section, on every core that there is a
// compiler for, and writes src/engine/cost/codeSizes.ts, from which told flash is computed. `node
// test/bench/codeSizes.mjs [--cores cortex-m4,…] [--runtime] [--steps] [--used] [--missing] [--again]`: cores that are
// not named keep their tables, and with options the other parts of a table stay, too. A linker that collects unused
// sections links for a program exactly the closure of the functions that it calls; kernels made for layers are
// compiled for a grid of their parameters. GCC at -O3, the level of the latency model.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { measureSteps } from './stepSizes.mjs';
import { measureUsed } from './usedCode.mjs';

const arm = (...cpu) => ({
  tools: 'arm-none-eabi',
  flags: ['-mthumb', ...cpu],
  link: ['--specs=nosys.specs', '--specs=nano.specs'],
});
const CORES = {
  'cortex-m0plus': arm('-mcpu=cortex-m0plus', '-mfloat-abi=soft'),
  'cortex-m3': arm('-mcpu=cortex-m3', '-mfloat-abi=soft'),
  'cortex-m4': arm('-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'),
  'cortex-m7': arm('-mcpu=cortex-m7', '-mfpu=fpv5-d16', '-mfloat-abi=hard'),
  'cortex-m33': arm('-mcpu=cortex-m33', '-mfpu=fpv5-sp-d16', '-mfloat-abi=hard'),
  'cortex-m55': arm('-mcpu=cortex-m55', '-mfloat-abi=hard'),
  riscv32: {
    tools: 'riscv64-unknown-elf',
    flags: ['-march=rv32imac', '-mabi=ilp32', '-msmall-data-limit=0', '--specs=picolibc.specs'],
    link: [],
  },
};
/** Cores for which kernels are made; on others the macros define calls of the kernels for all layers. */
const MADE_FOR = ['cortex-m4', 'cortex-m7', 'cortex-m33'];
const LEVEL = '-O3';

const { values } = parseArgs({
  options: {
    cores: { type: 'string', default: Object.keys(CORES).join() },
    // Of the whole runtime and its structs alone.
    runtime: { type: 'boolean', default: false },
    // Of the code of networks' steps alone.
    steps: { type: 'boolean', default: false },
    // Of the runtime that is compiled for what is used alone.
    used: { type: 'boolean', default: false },
    // Of kernels made for layers that have no size yet alone.
    missing: { type: 'boolean', default: false },
    // Of further kernels that share a block alone.
    again: { type: 'boolean', default: false },
  },
});
const target = path.join(projectRoot, 'src/engine/cost/codeSizes.ts');
const contents =
  "export { renderC } from './src/engine/codegen'; export { randomProgram } from './test/support/randomProgram'; " +
  "export { againOf, sharedBlock } from './src/engine/cost/madeKernels'; " +
  "export { CODE_TABLES } from './src/engine/cost/codeSizes'; export { alikeKernel, kernelGrid } " +
  "from './test/bench/kernelGrid'; " +
  "export { stepSources } from './test/bench/stepPrograms'; " +
  "export { randomPackable } from './test/unit/program/interpreter/support/randomWeighted';";
const bundle = await bundleTests('bench-code-sizes', [], {
  stdin: { contents, resolveDir: projectRoot, loader: 'js' },
});
const {
  againOf,
  alikeKernel,
  CODE_TABLES,
  kernelGrid,
  randomPackable,
  randomProgram,
  renderC,
  sharedBlock,
  stepSources,
} = createRequire(import.meta.url)(bundle.file);
bundle.remove();

const folder = mkdtempSync(path.join(projectRoot, 'out', 'bench-'));
const tables = { ...CODE_TABLES };
const known = [];
try {
  for (const core of values.cores.split(',')) {
    const { tools } = CORES[core];
    try {
      execFileSync(`${tools}-gcc`, ['--version'], { stdio: 'ignore' });
    } catch {
      console.error(`${core}: no ${tools}-gcc; its table stays as it is`);
      continue;
    }
    tables[core] =
      values.runtime || values.steps || values.used || values.missing || values.again
        ? {
            ...tables[core],
            ...(values.runtime ? measureRuntime(core) : {}),
            ...(values.steps ? { steps: measureCoreSteps(core) } : {}),
            ...(values.used ? measureCoreUsed(core) : {}),
            ...(values.missing ? missingKernels(core, writeRuntime().include) : {}),
            ...(values.again ? { again: measureAgain(core, writeRuntime().include) } : {}),
          }
        : measure(core);
    console.error(`${core}: ${Object.keys(tables[core].functions).length} functions`);
    writeFileSync(target, tableFile(tables));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function writeRuntime() {
  const sources = runtimeSources();
  const include = path.join(folder, 'runtime');
  mkdirSync(include, { recursive: true });
  for (const { path: name, text } of sources) writeFileSync(path.join(include, name), text);
  return { sources, include };
}

function measureCoreSteps(core) {
  const { include } = writeRuntime();
  return measureSteps(
    include,
    stepSources(core),
    (file) => sectionsOf(core, file, include),
    structSizes(core, include),
  );
}

function measureCoreUsed(core) {
  if (!MADE_FOR.includes(core)) return {};
  const { sources, include } = writeRuntime();
  const files = sources.filter((f) => f.path.endsWith('.c')).map((f) => path.join(include, f.path));
  const sections = (file, defines) => sectionsOf(core, file, include, defines);
  return measureUsed(files, sections, (all) => addLibrary(core, all));
}

function measure(core) {
  const { include } = writeRuntime();
  return {
    ...measureRuntime(core),
    steps: measureCoreSteps(core),
    ...madeKernels(core, include),
    ...measureCoreUsed(core),
    again: measureAgain(core, include),
  };
}

function measureRuntime(core) {
  const { sources, include } = writeRuntime();
  const sections = new Map();
  for (const { path: name } of sources.filter((f) => f.path.endsWith('.c')))
    for (const [key, section] of sectionsOf(core, path.join(include, name), include)) sections.set(key, section);
  addLibrary(core, sections);
  const atoms = [];
  const index = new Map();
  const atom = (key) => {
    if (!index.has(key)) {
      index.set(key, atoms.length);
      atoms.push(sections.get(key).bytes);
    }
    return index.get(key);
  };
  const closure = (roots) => {
    const seen = new Set();
    const queue = [...roots];
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      if (seen.has(key) || !sections.has(key)) continue;
      seen.add(key);
      queue.push(...sections.get(key).refs);
    }
    return [...seen].map(atom).sort((a, b) => a - b);
  };
  const functions = {};
  for (const key of [...sections.keys()].sort())
    if (/^net_qmcu_\w+$/.test(key)) functions[key.replace(/^net_/, '')] = closure([key]);
  for (const fn of MADE_FOR.includes(core) ? ['qmcu_convolve_packed', 'qmcu_fully_connected_twins'] : ['qmcu_conv2d'])
    if (!functions[fn]) throw new Error(`The runtime's sources lack ${fn}.`);
  functions.memcpy = closure(['memcpy']);
  return { atoms, functions, structs: structSizes(core, include) };
}

/** What the runtime needs of the compiler's and the C library: sections of their objects, as a program links them. */
function addLibrary(core, sections) {
  const { tools, flags, link } = CORES[core];
  const main = path.join(folder, 'main.c');
  writeFileSync(main, 'int main(void) { return 0; }\n');
  const linked = (symbols) => {
    const map = execFileSync(
      `${tools}-gcc`,
      [...flags, ...link, LEVEL, main, '-Wl,--gc-sections', ...symbols.map((s) => `-Wl,-u,${s}`)].concat([
        '-Wl,--print-map',
        '-o',
        path.join(folder, 'main.elf'),
      ]),
      { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] },
    ).split('Memory Configuration')[1];
    const bytes = new Map();
    for (const [, size, object] of map.matchAll(
      /^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+\S*\/(\S+\.a(?:\(\S+\))?)$/gm,
    ))
      bytes.set(object, (bytes.get(object) ?? 0) + Math.ceil(parseInt(size, 16) / 4) * 4);
    return bytes;
  };
  const empty = linked([]);
  const known = new Set(sections.keys());
  const missing = new Set(['memcpy', ...[...sections.values()].flatMap(({ refs }) => [...refs])]);
  for (const symbol of missing) {
    if (known.has(symbol) || /[.:$]/.test(symbol)) continue;
    const refs = new Set();
    for (const [object, bytes] of linked([symbol])) {
      const more = bytes - (empty.get(object) ?? 0);
      if (more <= 0) continue;
      sections.set(object, { bytes: more, refs: new Set() });
      refs.add(object);
    }
    sections.set(symbol, { bytes: 0, refs });
  }
}

/** All files of the runtime, with the prefix `net_`. */
function runtimeSources() {
  if (known.length > 0) return known;
  const files = new Map();
  const add = (program, target) => {
    for (const file of renderC(program, {
      name: 'net',
      provenance: { generator: '', planHash: '', modelFile: '' },
      optimize: 'speed',
      target,
    }))
      if (!/^net(_weights|_kernels|_golden|_internal|_selftest)?\.[ch]$/.test(file.path)) files.set(file.path, file);
  };
  const target = { core: 'cortex-m4', flashBytes: 1e9 };
  for (let seed = 1; seed <= 120; seed++) {
    add(randomProgram(seed));
    add(randomProgram(seed), target);
    add(randomPackable(seed), target);
  }
  known.push(...files.values());
  return known;
}

function compile(core, source, include, defines = []) {
  const { tools, flags } = CORES[core];
  const object = `${source}.${core}.o`;
  execFileSync(`${tools}-gcc`, [
    ...flags,
    LEVEL,
    ...defines,
    '-std=c99',
    '-ffunction-sections',
    '-fdata-sections',
    `-I${include}`,
    '-c',
    source,
    '-o',
    object,
  ]);
  return {
    object,
    run: (tool, ...args) => execFileSync(`${tools}-${tool}`, args, { encoding: 'utf8', maxBuffer: 1 << 28 }),
  };
}

/**
 * Sections of an object by their symbol (global ones) or by file and name, with their bytes and what they refer to.
 */
function sectionsOf(core, source, include, defines) {
  const { object, run } = compile(core, source, include, defines);
  const file = path.basename(source);
  const globals = new Set([...run('nm', object).matchAll(/ [TR] (\w+)$/gm)].map(([, symbol]) => symbol));
  const keyOf = (section) => {
    const symbol = section.replace(/^\.(text|rodata|data\.rel\.ro|data\.rel\.ro\.local)\.?/, '');
    return globals.has(symbol) ? symbol : `${file}:${section}`;
  };
  const result = new Map();
  for (const [, name, size] of run('objdump', '-h', object).matchAll(
    /^\s*\d+ (\.(?:text|rodata|data)\S*)\s+([0-9a-f]+)/gm,
  )) {
    const bytes = parseInt(size, 16);
    if (bytes === 0) continue;
    // A function and its jump table, which some cores have in a section of its own, go by one name.
    const section = result.get(keyOf(name)) ?? { bytes: 0, refs: new Set() };
    section.bytes += Math.ceil(bytes / 4) * 4;
    result.set(keyOf(name), section);
  }
  let current = null;
  for (const line of run('objdump', '-r', object).split('\n')) {
    const header = /^RELOCATION RECORDS FOR \[(\S+)\]/.exec(line);
    if (header) current = result.get(keyOf(header[1]));
    const ref = /^[0-9a-f]+ R_\S+\s+(\S+?)([+-]0x[0-9a-f]+)?$/.exec(line);
    if (ref && current) {
      current.refs.add(ref[1].startsWith('.') ? keyOf(ref[1]) : ref[1]);
      // A local function may stand by its name.
      for (const section of [`.text.${ref[1]}`, `.rodata.${ref[1]}`])
        if (result.has(`${file}:${section}`)) current.refs.add(`${file}:${section}`);
    }
  }
  return result;
}

/** Bytes of kernels made for layers, by their key, and the functions of the runtime that each kind calls. */
function madeKernels(core, include, grid = MADE_FOR.includes(core) ? kernelGrid() : []) {
  const kernels = {};
  const calls = {};
  for (let begin = 0; begin < grid.length; begin += 48) {
    const part = grid.slice(begin, begin + 48);
    const sections = compiledKernels(core, include, part);
    part.forEach(({ macro, key }, i) => {
      let bytes = 0;
      for (const section of sections(i)) {
        bytes += section.bytes;
        for (const ref of section.refs)
          if (/^net_qmcu_/.test(ref)) (calls[macro] ??= new Set()).add(ref.replace(/^net_/, ''));
      }
      kernels[key] = Math.max(kernels[key] ?? 0, bytes);
    });
  }
  return {
    kernels,
    kernelCalls: Object.fromEntries(Object.entries(calls).map(([macro, set]) => [macro, [...set].sort()])),
  };
}

/** The same where only those are measured that are not in the table. */
function missingKernels(core, include) {
  const { kernels, kernelCalls } = tables[core];
  const made = madeKernels(
    core,
    include,
    kernelGrid().filter(({ key }) => kernels[key] === undefined),
  );
  return { kernels: { ...kernels, ...made.kernels }, kernelCalls: { ...kernelCalls, ...made.kernelCalls } };
}

/** Bytes that a second kernel adds whose block is that of the first. */
function measureAgain(core, include) {
  const again = {};
  const shared = (MADE_FOR.includes(core) ? kernelGrid() : []).filter((kernel) => sharedBlock(kernel) !== undefined);
  for (let begin = 0; begin < shared.length; begin += 48) {
    const part = shared.slice(begin, begin + 48);
    const alone = kernelBytes(core, include, part);
    const beside = kernelBytes(core, include, [...part, ...part.map(alikeKernel)]);
    part.forEach((kernel, i) => {
      const { key, limits } = againOf(kernel);
      again[key] = Math.max(again[key] ?? 0, beside[i] + beside[part.length + i] - alone[i] - limits);
    });
  }
  return again;
}

function kernelBytes(core, include, kernels) {
  const sections = compiledKernels(core, include, kernels);
  return kernels.map((_, i) => sections(i).reduce((sum, { bytes }) => sum + bytes, 0));
}

/** Sections of kernels that are compiled together, by their place. */
function compiledKernels(core, include, kernels) {
  const source = path.join(include, 'kernels.c');
  const define = ({ macro, args, prototype }, i) =>
    `${prototype.replace('NAME', `k${i}`)}\n${macro}(k${i}, ${args.join(', ')})\n`;
  writeFileSync(
    source,
    `#include "net_qmcu_layer_kernels.h"\n${kernels
      .map(define)
      .join('')
      .replace(/\bqmcu_/g, 'net_qmcu_')}`,
  );
  const all = [...sectionsOf(core, source, include)];
  return (i) => all.filter(([name]) => new RegExp(`(^|\\.)k${i}(_|$|\\.)`).test(name)).map(([, section]) => section);
}

/** Bytes of the parameter structs of the runtime. */
function structSizes(core, include) {
  const header = readFileSync(path.join(include, 'net_quantmcu.h'), 'utf8');
  const names = [...header.matchAll(/\}\s*net_(qmcu_\w+);/g)].map(([, name]) => name);
  const source = path.join(include, 'structs.c');
  writeFileSync(
    source,
    '#include ' +
      `"net_quantmcu.h"\n${names.map((name) => `const char size_${name}[sizeof(net_${name})] = {1};\n`).join('')}`,
  );
  const { object, run } = compile(core, source, include);
  return Object.fromEntries(
    [...run('nm', '-S', object).matchAll(/^\S+ (\S+) R size_(\w+)$/gm)].map(([, size, name]) => [
      name,
      parseInt(size, 16),
    ]),
  );
}

function tableFile(all) {
  return `${
    existsSync(target) ? readFileSync(target, 'utf8').split('// prettier-ignore')[0] : ''
  }// prettier-ignore\nexport const CODE_TABLES: Readonly<Record<string, CodeTable>> = ${JSON.stringify(all)
    .replace(/("(?:cortex|riscv)[^"]*":\{)/g, '\n  $1')
    .replace(/(.{30,112}),/g, '$1,\n    ')};\n`;
}
