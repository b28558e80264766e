// Code of other libraries for the operators of the MLPerf networks at 8 bits, in the harness of firmware.mjs: `node
// test/bench/peers.mjs --cmsis-nn DIR [--core m4,m0plus,…] [--level=-O2,-O3]`, where DIR is a checkout of
// https://github.com/ARM-software/CMSIS-NN. Writes firmware-peers.json, which firmware.mjs shows beside ours; nothing
// of the library is kept. What is counted is all that an image links which calls the library's wrappers of convolution,
// depthwise and fully connected layers, average and maximum pooling, addition and softmax, less the C library.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: {
    'cmsis-nn': { type: 'string' },
    core: { type: 'string', default: 'm4,m33,m55,m3,m0plus' },
    level: { type: 'string', default: '-O2,-O3' },
  },
});
const CPU = {
  m0plus: ['-mcpu=cortex-m0plus', '-mfloat-abi=soft'],
  m3: ['-mcpu=cortex-m3', '-mfloat-abi=soft'],
  m4: ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'],
  m33: ['-mcpu=cortex-m33', '-mfloat-abi=hard'],
  m55: ['-mcpu=cortex-m55', '-mfloat-abi=hard'],
};
const ROOTS = [
  'arm_convolve_wrapper_s8',
  'arm_depthwise_conv_wrapper_s8',
  'arm_fully_connected_s8',
  'arm_avgpool_s8',
  'arm_max_pool_s8',
  'arm_elementwise_add_s8',
  'arm_softmax_s8',
];
const library = values['cmsis-nn'];
if (library === undefined || !existsSync(path.join(library, 'Include/arm_nnfunctions.h')))
  throw new Error('Give a checkout of https://github.com/ARM-software/CMSIS-NN with --cmsis-nn.');
const results = path.join(projectRoot, 'test/bench/firmware-peers.json');
const rows = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {};
const sources = closure(library);
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-peers-'));
try {
  for (const core of values.core.split(','))
    for (const level of values.level.split(',')) {
      const code = codeOf(core, level);
      rows[`CMSIS-NN/${core}/${level}`] = { library: 'CMSIS-NN', revision: revisionOf(library), core, level, code };
      console.log(core, level, code);
    }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const sorted = Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(results, `${JSON.stringify(sorted, null, 1)}\n`);

/** Files with the roots and all that they call. */
function closure(folder) {
  const files = readdirSync(path.join(folder, 'Source'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c'))
    .map((file) => path.join(folder, 'Source', file));
  const definers = new Map();
  for (const file of files)
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/^[A-Za-z_][\w *]*\b(arm_\w+)\([^;{]*\)\s*\{/gm))
      definers.set(name, file);
  const found = new Set();
  const visit = (name) => {
    const file = definers.get(name);
    if (file === undefined || found.has(file)) return;
    found.add(file);
    for (const [called] of readFileSync(file, 'utf8').matchAll(/\barm_\w+/g)) visit(called);
  };
  ROOTS.forEach(visit);
  return [...found];
}

/** Bytes of code and constants of an image that calls all roots, less one that calls none. */
function codeOf(core, level) {
  const link = (name, text, more) => {
    const main = path.join(work, `${name}.c`);
    const elf = path.join(work, `${name}.elf`);
    writeFileSync(main, text);
    const include = `-I${path.join(library, 'Include')}`;
    const flags = ['-mthumb', ...CPU[core], level, '-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections'];
    run('arm-none-eabi-gcc', [
      ...flags,
      '--specs=nano.specs',
      '--specs=nosys.specs',
      include,
      main,
      ...more,
      '-o',
      elf,
    ]);
    const [text_, data] = run('arm-none-eabi-size', [elf]).split('\n')[1].trim().split(/\s+/).map(Number);
    return text_ + data;
  };
  // Memory and division functions of the C library are in both.
  const common = `#include <string.h>\nvolatile int n = 3;\nchar a[9], b[9];\nvolatile long long w = 7;
int main(void) {
    memcpy(a, b, (size_t)n); memset(a, n, (size_t)n);
    memmove(b, a, (size_t)n); w = w * n / 3; return n / (int)w`;
  const declarations = ROOTS.map((root) => `void ${root}(void);\n`).join('');
  const table = `void (*volatile const calls[])(void) = {${ROOTS.join(', ')}};\n`;
  const whole = link('all', `${declarations}${table}${common} + (calls[n] != 0); }\n`, sources);
  return whole - link('none', `${common}; }\n`, []);
}

function revisionOf(folder) {
  const { status, stdout } = spawnSync('git', ['-C', folder, 'rev-parse', '--short=7', 'HEAD'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stdout + stderr}`);
  return stdout;
}
