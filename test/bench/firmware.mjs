// What a network takes on each core, from linked images: flash by its parts, RAM, stack and instructions, at each way
// of using flash. `npm run build && node test/bench/firmware.mjs [--model NAME,…] [--core m4,m0plus,…]
// [--bits 8,default] [--optimize size,balanced,speed]
// [--plans DIR]` measures what is asked for, merges it into firmware.json and writes
// firmware.md; `--write` only writes it. Plans are made once and kept in DIR. Each image runs its self-test on the
// emulated board, so that a row stands for bytes that are right. Needs the reference models in QUANTMCU_SHARED_DATA for
// all but the sample. Flash counts the sections of our files that the linker kept (the C library is the application's),
// RAM is the arena, stack is found by painting it, instructions are those of one inference of zeros.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { counting, openCountingBoard, run } from './countingBoard.mjs';
import { firmwareReport } from './firmwareReport.mjs';
import { linkedSections } from './linkedSections.mjs';

const data = process.env.QUANTMCU_SHARED_DATA ?? path.join(projectRoot, '../shared/data');
const model = (name) => path.join(data, 'models', `${name}.onnx`);
const images = (name) => path.join(data, 'images', name);
const sample = path.join(projectRoot, 'media/sample');
/** `default`: what a user gets who names a board that holds the model. */
const small = ['--target', 'nano33ble'];
const large = ['--target', 'custom', '--core', 'cortex-m4', '--sram', '256K', '--flash', '16M'];
const MODELS = [
  { name: 'sample', file: path.join(sample, 'gauge.onnx'), images: path.join(sample, 'images'), as: 'unit' },
  { name: 'ResNet-8', file: model('resnet8_cifar10_mlperf'), images: images('cifar10'), as: 'raw' },
  { name: 'VWW-96', file: model('vww_mobilenetv1_0.25_96_mlperf'), images: images('vww'), as: 'unit' },
  { name: 'KWS', file: model('kws_dscnn_mlperf'), images: path.join(data, 'other/kws_mfcc_1000.npz') },
  { name: 'MCUNet-VWW', file: model('mcunet_vww_80'), images: images('vww'), as: 'tf' },
  {
    name: 'MobileNetV1 0.25',
    file: model('mobilenetv1_0.25_224_imagenet'),
    images: images('imagenet_sample'),
    as: 'tf',
  },
  {
    name: 'MobileNetV2',
    file: model('mobilenetv2_1.0_224_tv'),
    images: images('imagenet_sample'),
    as: 'imagenet',
    target: large,
  },
];
const BITS = {
  8: ['--bits', '8', '--grid', 'none', '--target', 'custom', '--core', 'cortex-m4', '--sram', '4M', '--flash', '16M'],
  default: null,
};

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: MODELS.map(({ name }) => name).join() },
    core: { type: 'string', default: 'm4,m0plus,m3,m33,m55,rv32imac' },
    bits: { type: 'string', default: '8,default' },
    optimize: { type: 'string', default: 'size,balanced,speed' },
    plans: { type: 'string', default: path.join(tmpdir(), 'quantmcu-firmware-plans') },
    write: { type: 'boolean', default: false },
  },
});
const here = path.join(projectRoot, 'test/bench');
const results = path.join(here, 'firmware.json');
/** @type {Record<string, object>} */
const rows = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {};
if (!values.write) await measureAll();
const sorted = Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(results, `${JSON.stringify(sorted, null, 1)}\n`);
writeFileSync(
  path.join(here, 'firmware.md'),
  firmwareReport(
    Object.values(rows),
    MODELS.map(({ name }) => name),
  ),
);

async function measureAll() {
  mkdirSync(values.plans, { recursive: true });
  const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-firmware-'));
  try {
    const board = await openCountingBoard(work);
    for (const network of MODELS.filter(({ name }) => values.model.split(',').includes(name))) {
      if (!existsSync(network.file)) {
        console.log(`${network.name}: ${network.file} is not there`);
        continue;
      }
      for (const bits of values.bits.split(','))
        for (const core of values.core.split(','))
          for (const optimize of values.optimize.split(',')) {
            const row = measure({ network, bits, core, optimize, work, board });
            rows[`${row.model}/${bits}/${core}/${optimize}`] = row;
            console.log(row);
            writeFileSync(results, `${JSON.stringify(rows, null, 1)}\n`);
          }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One image, built and run. */
function measure({ network, bits, core, optimize, work, board }) {
  const plan = planFor(network, bits, core);
  const project = mkdtempSync(path.join(work, 'project-'));
  const generate = ['generate', plan, '--project', project, '--layout', 'plain', '--optimize', optimize];
  cli([...generate, '--selftest', 'checksum']);
  const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).map((f) => path.join(project, f));
  const weights = files.find((f) => f.endsWith('_weights.c'));
  const name = path.basename(weights, '_weights.c');
  const header = readFileSync(path.join(path.dirname(weights), `${name}.h`), 'utf8');
  const macro = (id) => Number(new RegExp(`_${id} (\\d+)`).exec(header)?.[1]);
  const driver = path.join(project, 'driver.c');
  writeFileSync(driver, driverText(name));
  const sources = [driver, ...files.filter((f) => f.endsWith('.c'))];
  const elf = path.join(project, 'firmware.elf');
  const include = [...new Set(files.filter((f) => f.endsWith('.h')).map((f) => `-I${path.dirname(f)}`))];
  board.buildForBoard(core, sources, elf, ['-O3', '-DQMCU_KEEP_OPTIMIZATION', `-I${counting}`, ...include]);
  const { output, instructions } = board.count(core, elf);
  const stack = Number(/stack (\d+)/.exec(output)?.[1]);
  if (!(stack > 0)) throw new Error(`${network.name} on ${core} says no stack: ${output}`);
  const sections = linkedBytes(elf, sources);
  const bytesOf = (file) => sections.get(sources.find((s) => path.basename(s) === file)) ?? 0;
  const selftest = bytesOf(`${name}_selftest.c`);
  const all = [...sections.values()].reduce((a, b) => a + b, 0) - bytesOf('driver.c') - selftest;
  const constants = bytesOf(`${name}_weights.c`);
  const biases = readFileSync(weights, 'utf8').matchAll(/_bias_\d+\[(\d+)\]/g);
  if (!(constants > 0 && all > constants)) throw new Error(`${elf}.map names no sections of ${name}`);
  return {
    model: network.name,
    bits,
    core,
    optimize,
    code: all - constants,
    weights: macro('WEIGHT_BYTES'),
    tables: constants - macro('WEIGHT_BYTES'),
    channels: [...biases].reduce((sum, [, length]) => sum + Number(length), 0),
    selftest,
    ram: macro('ARENA_BYTES'),
    stack,
    macs: macro('MACS'),
    instructions,
  };
}

/** A plan for a core: made once, for the kernels do not change it. */
function planFor(network, bits, core) {
  const id = `${network.name}-${bits}`.replace(/[^\w.-]/g, '_');
  const folder = path.join(values.plans, id);
  const plan = path.join(folder, 'net.quantmcu.json');
  if (!existsSync(plan)) {
    mkdirSync(folder, { recursive: true });
    const how = network.as ? ['--preprocess', network.as] : [];
    const target = BITS[bits] ?? network.target ?? small;
    cli(['quantize', network.file, '--images', network.images, '--limit', '128', ...how, ...target, '--out', plan]);
  }
  const { target, ...rest } = JSON.parse(readFileSync(plan, 'utf8'));
  const flashBytes = 16 * 1024 * 1024;
  const given = { ...target, id: 'custom', flashBytes: bits === '8' ? flashBytes : target.flashBytes };
  const forCore = path.join(folder, `${core}.quantmcu.json`);
  const named = { m0plus: 'cortex-m0plus', rv32imac: 'riscv32' }[core] ?? `cortex-${core}`;
  writeFileSync(forCore, JSON.stringify({ ...rest, target: { ...given, core: named } }));
  return forCore;
}

/** Bytes of code and constants of each source that are in the image; `buildForBoard` numbers their objects. */
function linkedBytes(elf, sources) {
  const sections = linkedSections(`${elf}.map`);
  return new Map(sources.map((source, i) => [source, sections.get(`${elf}.${i}.o`)?.flash ?? 0]));
}

function driverText(name) {
  const prefix = name.toUpperCase();
  return `#include "counting.h"
#include "semihosting.h"
#include "${name}.h"
static ${prefix}_ARENA(arena);
#define PAINTED 6144

/* Deeper than anything that the caller has on the stack. */
static __attribute__((noinline)) uint32_t depth(int paint)
{
    volatile uint8_t *const low = (volatile uint8_t *)__builtin_frame_address(0) - PAINTED;
    uint32_t i = 0;
    for (; paint != 0 ? i < PAINTED - 128u : low[i] == 0xA5u; i++) {
        if (paint != 0) {
            low[i] = 0xA5u;
        }
    }
    return PAINTED - i;
}

static __attribute__((noinline)) int inference(void)
{
    COUNTING_BEGIN();
    const int status = ${name}_invoke(arena);
    COUNTING_END();
    return status;
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)depth(1);
    if (inference() != ${prefix}_OK) {
        return 1;
    }
    semihosting_print("stack ");
    semihosting_print_unsigned(depth(0));
    semihosting_print("\\n");
    return ${name}_selftest(arena);
}
`;
}

function cli(args) {
  return run(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args]);
}
