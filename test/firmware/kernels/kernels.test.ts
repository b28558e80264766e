import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Executor } from '../../../src/engine/program/interpreter';
import { Random } from '../../unit/program/interpreter/support/random';
import { allOps, allWays, randomProgram } from '../../unit/program/interpreter/support/randomSteps';
import { firmwareIncludes, firmwareSources } from '../../support/firmwareSources';
import { encodeCases, type Case } from './encode';

const root = process.cwd();
const warnings = [
  '-std=c99',
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-Wshadow',
  '-Wconversion',
  '-Wsign-conversion',
  '-Wcast-qual',
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
  '-Wundef',
  '-Werror',
];
const sanitizers = ['-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

const dsp = '-DQMCU_EMULATE_DSP=1';

const builds = [
  { name: 'gcc -O2', compiler: 'gcc', flags: ['-O2'] },
  {
    name: 'clang -O2, product from 16-bit halves, two pixels to a word',
    compiler: 'clang',
    flags: ['-O2', '-DQMCU_SPLIT_MULHI=1', '-DQMCU_PLAIN_LANES=1'],
  },
  { name: 'gcc with sanitizers, DSP instructions emulated', compiler: 'gcc', flags: ['-O1', dsp, ...sanitizers] },
  {
    name: 'clang with sanitizers, DSP instructions emulated, little stack',
    compiler: 'clang',
    flags: ['-O1', dsp, '-DQMCU_COLUMN_BYTES=64', ...sanitizers],
  },
  { name: 'gcc with sanitizers', compiler: 'gcc', flags: ['-O1', ...sanitizers] },
  {
    name: 'clang with sanitizers, product from 16-bit halves, two pixels to a word, little stack',
    compiler: 'clang',
    flags: [
      '-O1',
      '-DQMCU_SPLIT_MULHI=1',
      '-DQMCU_PLAIN_LANES=1',
      '-DQMCU_COLUMN_BYTES=64',
      ...sanitizers,
      '-fsanitize=implicit-integer-sign-change,local-bounds',
    ],
  },
];

/** Set to repeat a failing run; otherwise every run takes other cases. */
const seed = Number(process.env.QUANTMCU_KERNEL_SEED ?? Date.now() % 2 ** 31);
const casesPerOp = Number(process.env.QUANTMCU_KERNEL_CASES ?? 250);

/** Cases that once failed, run every time. */
const onceFailed: Partial<Record<(typeof allOps)[number], readonly number[]>> = {
  // An output of 4 bits one byte above its 8-bit input: a byte was written between the readings of its two codes.
  requantize: [105341772],
};

describe(`kernels in C against the reference interpreter (QUANTMCU_KERNEL_SEED=${seed})`, function () {
  this.timeout(300_000);
  let folder: string;
  const batches = new Map<string, { cases: Case[]; seeds: number[]; expected: Uint8Array[] }>();

  before(() => {
    mkdirSync(path.join(root, 'out'), { recursive: true });
    folder = mkdtempSync(path.join(root, 'out', 'kernels-'));
    allWays.forEach(({ name, op, wide }, number) => {
      const seeds = [
        ...Array.from({ length: casesPerOp }, (_, i) => seed + number * 1_000_003 + i),
        ...(wide ? [] : (onceFailed[op] ?? [])),
      ];
      const cases = seeds.map((s, i) => {
        const program = randomProgram(s, op, i < casesPerOp && i % 5 === 4 ? 4 : 1, wide);
        return { program, arena: new Random(~s).bytes(program.arenaBytes) };
      });
      const expected = cases.map(({ program, arena }) => new Executor(program).run([arena]).outputs[0]);
      writeFileSync(path.join(folder, `${name}.cases`), encodeCases(cases));
      batches.set(name, { cases, seeds, expected });
    });
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const build of builds) {
    describe(build.name, () => {
      let harness: string;

      before(() => {
        harness = path.join(folder, `harness-${builds.indexOf(build)}`);
        compile(build.compiler, build.flags, harness);
      });

      for (const { name } of allWays) {
        it(`${name}: the same arena, byte for byte`, () => {
          const results = path.join(folder, `${name}.results`);
          const run = spawnSync(harness, [path.join(folder, `${name}.cases`), results], { encoding: 'utf8' });
          assert.equal(run.status, 0, run.stderr);
          const actual = readFileSync(results);
          const { seeds, expected } = batches.get(name)!;
          let offset = 0;
          expected.forEach((arena, i) => {
            const got = new Uint8Array(actual.subarray(offset, offset + arena.length));
            assert.deepEqual(got, arena, `case ${i}, seed ${seeds[i]}`);
            offset += arena.length;
          });
          assert.equal(actual.length, offset);
        });
      }
    });
  }

  it('compile as C++ too, where the header is included', () => {
    const source = path.join(folder, 'include.cpp');
    writeFileSync(source, '#include "quantmcu.h"\nvoid (*kernel)(const qmcu_map *, const qmcu_map *) = qmcu_copy;\n');
    const { status, stderr } = spawnSync(
      'g++',
      [
        '-std=c++11',
        '-Wall',
        '-Wextra',
        '-Wpedantic',
        '-Werror',
        ...firmwareIncludes,
        '-c',
        source,
        '-o',
        path.join(folder, 'include.o'),
      ],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
  });
});

/** Compiles the runtime as it ships, without warnings, together with the harness. */
function compile(compiler: string, flags: readonly string[], output: string): void {
  const here = path.join(root, 'test/firmware/kernels');
  const harness = ['harness.c', 'harness_main.c'].map((f) => path.join(here, f));
  const { status, stderr, error } = spawnSync(
    compiler,
    [...warnings, ...flags, ...firmwareIncludes, '-I', here, ...firmwareSources(), ...harness, '-o', output],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, error?.message ?? stderr);
}
