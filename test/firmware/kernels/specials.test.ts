import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { specialKernel, type SpecialKernel } from '../../../src/engine/codegen/special';
import { fitsTwins } from '../../../src/engine/codegen/weights/twins';
import { Executor } from '../../../src/engine/program/interpreter';
import type { Program } from '../../../src/engine/program/types';
import { Random } from '../../unit/program/interpreter/support/random';
import { randomPackable, randomRows } from '../../unit/program/interpreter/support/randomWeighted';
import { randomProgram } from '../../unit/program/interpreter/support/randomSteps';
import { firmwareIncludes, firmwareSources } from '../../support/firmwareSources';
import { buildForBoard, runOnBoard } from '../board/board';
import { compile, removeFolder, runCommand, shortSanitizerFlags, scratchFolder } from '../support/hostBuild';
import { encodeCases, type Case } from './encode';

const root = process.cwd();
const here = path.join(root, 'test/firmware/kernels');

/** Set to repeat a failing run; otherwise every run takes other cases. */
const seed = Number(process.env.QUANTMCU_KERNEL_SEED ?? Date.now() % 2 ** 31);
const count = Number(process.env.QUANTMCU_SPECIAL_CASES ?? 12);

/** What harness_board.c has room for. */
const LARGEST_ARENA = 1 << 16;

const emulated = ['-DQMCU_EMULATE_DSP=1'];

describe(`kernels made for one layer against the reference interpreter (QUANTMCU_KERNEL_SEED=${seed})`, function () {
  this.timeout(1_800_000);
  let folder: string;
  let specials: string;
  const seeds: number[] = [];
  let expected: Uint8Array[];

  before(() => {
    folder = scratchFolder('specials');
    const cases: Case[] = [];
    const kernels: SpecialKernel[] = [];
    const collect = (
      wanted: number,
      programOf: (s: number) => Program,
      only: SpecialKernel['macro'] | null,
      shared = false,
    ): void => {
      const packs = only?.endsWith('_PACKED') ?? false;
      for (let s = seed, found = 0; found < wanted; s++) {
        const program = programOf(s);
        // Kernels for long columns are there where the arena has room for them; here they get it from their callers.
        const arenaBytes = program.arenaBytes + (only?.includes('LONG') ? 1 << 16 : 0);
        const kernel = specialKernel({ ...program, arenaBytes }, program.steps[0], { packs, shared });
        if (kernel === undefined || (only !== null && kernel.macro !== only) || program.arenaBytes > LARGEST_ARENA)
          continue;
        const arena = new Random(~s).bytes(program.arenaBytes);
        // Sums of small codes go further before they leave their fields, those of few further still.
        if (packs && s % 2 === 0) arena.forEach((byte, i) => (arena[i] = s % 4 === 0 && byte > 20 ? 0 : byte & 0x1f));
        cases.push({ program, arena, pack: kernel.pack });
        kernels.push(kernel);
        seeds.push(s);
        found++;
      }
    };
    collect(count, (s) => randomProgram(s, 'conv2d'), null);
    collect(count / 2, (s) => randomProgram(s, 'depthwise2d'), null);
    collect(count / 2, randomPackable, 'QMCU_SPECIAL_PACKED');
    collect(count / 6, randomPackable, 'QMCU_SPECIAL_LONG_PACKED');
    collect(
      count / 6,
      (s) => (s % 2 === 0 ? randomPackable(s) : withByteWeights(randomPackable(s))),
      'QMCU_SPECIAL_LONG_CONV2D',
    );
    collect(count / 2, (s) => randomRows(s, 3, 1), 'QMCU_SPECIAL_POLYNOMIAL');
    for (const kernel of [3, 5] as const)
      for (const stride of [1, 2] as const)
        collect(count / 8, (s) => randomRows(s, kernel, stride), 'QMCU_SPECIAL_DEPTHWISE2D');
    collect(count / 8, (s) => askew((n) => randomRows(n, 3, 1), s), null);
    // What layers share.
    collect(count / 4, (s) => randomProgram(s, 'conv2d'), 'QMCU_SPECIAL_CONV2D', true);
    collect(count / 2, randomPackable, 'QMCU_SPECIAL_SHARED_PACKED', true);
    collect(count / 6, randomPackable, 'QMCU_SPECIAL_SHARED_LONG_PACKED', true);
    collect(count / 4, (s) => randomRows(s, 3, 1), 'QMCU_SPECIAL_POLYNOMIAL', true);
    for (const kernel of [3, 5] as const)
      for (const stride of [1, 2] as const)
        collect(count / 8, (s) => randomRows(s, kernel, stride), 'QMCU_SPECIAL_DEPTHWISE2D', true);
    for (let s = seed, wanted = cases.length + count / 2; cases.length < wanted; s++) {
      const program = randomProgram(s, 'fullyConnected');
      const { kernel } = program.steps[0];
      if (kernel.op !== 'fullyConnected' || kernel.weightBits !== 8 || program.arenaBytes > LARGEST_ARENA) continue;
      const { values } = program.constants[kernel.weights];
      // Quantized weights are symmetric.
      values.forEach((weight, i) => (values[i] = Math.max(-127, weight)));
      if (!fitsTwins(program, program.steps[0])) continue;
      cases.push({ program, arena: new Random(~s).bytes(program.arenaBytes), twins: true });
      seeds.push(s);
    }
    expected = cases.map(({ program, arena }) => new Executor(program).run([arena]).outputs[0]);
    writeFileSync(path.join(folder, 'cases'), encodeCases(cases));
    specials = path.join(folder, 'specials.c');
    writeFileSync(specials, definitions(kernels));
  });

  after(() => removeFolder(folder));

  for (const [name, compiler, flags] of [
    // GCC takes four minutes and two gigabytes for these kernels with sanitizers.
    ['clang with sanitizers, DSP instructions emulated', 'clang', ['-O1', ...emulated, ...shortSanitizerFlags]],
    ['gcc, DSP instructions emulated', 'gcc', ['-O1', ...emulated]],
    ['clang, DSP instructions emulated, little stack', 'clang', ['-O2', ...emulated, '-DQMCU_COLUMN_BYTES=128']],
    ['clang, DSP instructions emulated, columns in parts', 'clang', ['-O1', ...emulated, '-DQMCU_COLUMN_BYTES=1280']],
    ['clang without DSP instructions', 'clang', ['-O1']],
  ] as const) {
    it(`give the same arenas, byte for byte: ${name}`, () => {
      const executable = path.join(folder, 'harness');
      compile(compiler, [...sources(), specials, path.join(here, 'harness_main.c')], executable, [
        '-DHARNESS_SPECIALS',
        ...firmwareIncludes,
        `-I${here}`,
        ...flags,
      ]);
      runCommand(executable, [path.join(folder, 'cases'), path.join(folder, 'results')]);
      compare();
    });
  }

  for (const [compiler, level] of [
    ['gcc', '-O2'],
    ['gcc', '-Os'],
    ['clang', '-O2'],
  ] as const) {
    it(`give the same arenas, byte for byte: emulated Cortex-M4, ${compiler} ${level}`, () => {
      const elf = path.join(folder, `m4${compiler}${level}.elf`);
      buildForBoard(
        'm4',
        [...sources(), specials, path.join(here, 'harness_board.c')],
        elf,
        ['-std=c11', level, '-DHARNESS_SPECIALS', '-DCASES_BYTES=3000000', ...firmwareIncludes, `-I${here}`],
        compiler,
      );
      const { exitCode, output } = runOnBoard('m4', elf, {
        cwd: folder,
        args: ['cases', 'results', String(statSync(path.join(folder, 'cases')).size)],
      });
      assert.equal(exitCode, 0, output);
      compare();
    });
  }

  function compare(): void {
    const actual = readFileSync(path.join(folder, 'results'));
    let offset = 0;
    expected.forEach((arena, i) => {
      const got = actual.subarray(offset, offset + arena.length);
      const wrong = arena.findIndex((byte, at) => byte !== got[at]);
      assert.equal(wrong, -1, `case ${i}, seed ${seeds[i]}: byte ${wrong} is ${got[wrong]} instead of ${arena[wrong]}`);
      offset += arena.length;
    });
    assert.equal(actual.length, offset);
  }
});

/**
 * One of the programs whose output lies over its input, of as many bytes per pixel, by a distance that is no multiple
 * of them, and leaves room to compute all rows but the last beside it.
 */
function askew(programOf: (s: number) => Program, seed: number): Program {
  for (let s = seed * 1000; ; s++) {
    const program = programOf(s);
    const {
      inputs: [input],
      output,
      kernel,
    } = program.steps[0];
    if (kernel.op !== 'depthwise2d') continue;
    const [from, to] = [program.buffers[input.buffer], program.buffers[output.buffer]];
    const distance = from.offset - to.offset;
    const aside = distance % from.pixelBytes;
    const same = from.pixelBytes === to.pixelBytes && from.bits === to.bits && to.rowBytes <= from.rowBytes;
    if (
      same &&
      distance > 0 &&
      distance < to.bytes &&
      aside !== 0 &&
      distance - aside >= kernel.window.padTop * from.rowBytes
    )
      return program;
  }
}

function sources(): string[] {
  return [...firmwareSources(), path.join(here, 'harness.c')];
}

/** A kernel for every program and the tables in which the harness finds them. */
function definitions(kernels: readonly SpecialKernel[]): string {
  const table = (paramsType: string): string =>
    kernels.map((k, i) => (k.paramsType === paramsType ? `special_${i}` : '0')).join(', ');
  return `#include "qmcu_layer_kernels.h"

${kernels.map(definition).join('')}
typedef void conv2d_function(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);
typedef void depthwise2d_function(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);
extern conv2d_function *const harness_conv2d[];
extern depthwise2d_function *const harness_depthwise2d[];
conv2d_function *const harness_conv2d[] = { ${table('qmcu_conv2d_params')} };
depthwise2d_function *const harness_depthwise2d[] = { ${table('qmcu_depthwise2d_params')} };
`;
}

/** `special_<i>`; where the kernel wants scratch it gets no more than it asked for. */
function definition({ paramsType, macro, args, scratch }: SpecialKernel, i: number): string {
  const parameters = `const ${paramsType} *params, const qmcu_map *in, const qmcu_map *out`;
  if (!scratch) return `void special_${i}(${parameters});\n${macro}(special_${i}, ${args.join(', ')})\n`;
  return `void long_${i}(${parameters}, int16_t *scratch);
${macro}(long_${i}, ${args.join(', ')})
void special_${i}(${parameters});
void special_${i}(${parameters})
{
    static QMCU_ALIGN(8) uint8_t scratch[${scratch.bytes}];
    long_${i}(params, in, out, (int16_t *)(void *)scratch);
}
`;
}

/** The program with its weights stored as bytes. */
function withByteWeights(program: Program): Program {
  return {
    ...program,
    steps: program.steps.map((step) =>
      step.kernel.op === 'conv2d' ? { ...step, kernel: { ...step.kernel, weightBits: 8 } } : step,
    ),
  };
}
