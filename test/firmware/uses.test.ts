import assert from 'node:assert/strict';
import type { GeneratedFile } from '../../src/engine/codegen';
import type { KernelOp, Program } from '../../src/engine/program/types';
import { OPTIMIZE_LEVELS, type Optimize } from '../../src/engine/targets/types';
import { randomByteProgram, randomProgram } from '../support/randomProgram';
import { randomPackable, randomRows } from '../unit/program/interpreter/support/randomWeighted';
import { layersProgram, LAYERS_BY_USE } from '../support/usesProgram';
import { buildForHost, compile, putFiles, removeFolder, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

/** The first seed; others find more: `SEED=100 node test/firmware/run.mjs test/firmware/uses.test.ts`. */
const FIRST = Number(process.env.SEED ?? 1);

/** What the programs have together of the kernels that depend on what is used. */
const KERNELS: readonly (readonly KernelOp[])[] = [
  ['conv2d', 'depthwise2d'],
  ['conv2d', 'fullyConnected', 'add'],
  ['depthwise2d', 'maxPool', 'add'],
];

/** Compiled so that a program stops where no layer is told to come; all sanitizers would take minutes to compile. */
const flags = ['-O1', '-DQMCU_KEEP_OPTIMIZATION', '-fsanitize=unreachable', '-fno-sanitize-recover=unreachable'];
const target = { core: 'cortex-m4', flashBytes: 1 << 20 } as const;

describe('the runtime compiled for what a program uses', function () {
  this.timeout(600_000);
  let folder: string;
  beforeEach(() => (folder = scratchFolder('uses')));
  afterEach(() => removeFolder(folder));

  function check(program: Program, optimize: Optimize): void {
    const { inputs, outputs, files } = reference(program, 4, 2, undefined, { optimize, target, cores: ['dsp'] });
    assert.ok(/#define \w+_QMCU_CONV2D_PIXELS \d/.test(header(files).text), 'compiled whole');
    const result = buildForHost(folder, program, files, { compiler: 'gcc', flags }).run(inputs);
    assert.deepEqual(toHex(result.outputs), toHex(outputs));
    assert.equal(result.selftest, 0);
  }

  KERNELS.forEach((kernels, i) => {
    const optimize = OPTIMIZE_LEVELS[i % OPTIMIZE_LEVELS.length];
    const seed = FIRST + 100 * i;
    it(`computes the same, and never comes where no layer was told to: ${kernels.join()}, ${optimize}, ${seed}`, () =>
      check(randomByteProgram(seed, kernels), optimize));
  });

  const few = {
    'packed columns': { program: randomPackable(FIRST), optimize: 'speed' },
    'rows of 5 x 5': { program: randomRows(FIRST, 5, 1), optimize: 'balanced' },
    'all kinds of layers': { program: randomProgram(FIRST), optimize: 'size' },
  } as const;
  Object.entries(few).forEach(([name, { program, optimize }]) =>
    it(`computes the same with fewer bits: ${name}, ${optimize}`, () => check(program, optimize)),
  );

  Object.entries(LAYERS_BY_USE).forEach(([name, { optimize, layers }], i) =>
    it(`computes the same: ${name}, ${optimize}`, () => check(layersProgram(FIRST + i, layers), optimize)),
  );

  it('is refused by the sources of a model that uses more', () => {
    const files = (layers: string): readonly GeneratedFile[] =>
      reference(layersProgram(1, LAYERS_BY_USE[layers].layers), 1, 1, undefined, {
        optimize: 'size',
        target,
        cores: ['dsp'],
      }).files;
    const long = files('long columns');
    const other = header(files('rows of 5 x 5'));
    const sources = putFiles(folder, [...long.filter((f) => f.path !== other.path), other]);
    assert.throws(
      () => compile('gcc', [sources.find((f) => f.endsWith('net.c'))!], 'net', ['-c']),
      /lacks parts net uses: generate net for this project again/,
    );
  });
});

/** The header that says what the runtime is compiled for. */
function header(files: readonly GeneratedFile[]): GeneratedFile {
  return files.find((f) => /quantmcu\.h$/.test(f.path))!;
}
