import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bits } from '../../../../src/engine/graph/bits';
import { maxCode, minCode } from '../../../../src/engine/program/arithmetic';
import { Executor } from '../../../../src/engine/program/interpreter';
import type { CodeBlock } from '../../../../src/engine/program/interpreter/codes';
import { ConstantTables, Scratch, type KernelContext } from '../../../../src/engine/program/interpreter/context';
import { prepareKernel } from '../../../../src/engine/program/interpreter/kernels';
import { simdMemory } from '../../../../src/engine/program/interpreter/simd/memory';
import type { Constant, Kernel, Program, Requantization, StepWindow } from '../../../../src/engine/program/types';
import { calibrateModel, realModels } from '../../../firmware/support/realModels';
import { projectRoot } from '../../../support/paths';
import { stepWindow } from '../../../support/programBuilder';
import { Random } from './support/random';

const folder = path.join(projectRoot, 'src/engine/program/interpreter/simd');

/** One step of a kind with its blocks and constants, larger and odder than those of random Programs. */
class RandomStep {
  readonly constants: Constant[] = [];
  readonly random: Random;
  readonly input: CodeBlock;
  readonly output: CodeBlock;
  readonly kernel: Kernel;

  constructor(seed: number, op: 'conv2d' | 'depthwise2d' | 'fullyConnected') {
    const r = (this.random = new Random(seed));
    const weightBits = r.pick([8, 4] as const);
    if (op === 'fullyConnected') {
      this.input = this.block(r.int(1, 3), r.int(1, 3), r.int(1, 70));
      this.output = this.block(1, 1, r.int(1, 40));
      const length = this.input.h * this.input.w * this.input.channels;
      this.kernel = {
        op,
        weights: this.weights(this.output.channels * length, weightBits),
        weightBits,
        requant: this.requant(length, weightBits),
      };
      return;
    }
    const group = op === 'conv2d' ? r.pick([1, 1, 1, 2, 3]) : 1;
    const window: StepWindow = {
      kernelH: r.int(1, 4),
      kernelW: r.int(1, 4),
      strideH: r.int(1, 3),
      strideW: r.int(1, 3),
      dilationH: r.pick([1, 1, 2]),
      dilationW: r.pick([1, 1, 2]),
      padTop: 0,
      padLeft: 0,
    };
    const pointwise = op === 'conv2d' && r.chance(0.3);
    const w: StepWindow = pointwise
      ? stepWindow(1)
      : { ...window, padTop: r.int(-1, window.kernelH), padLeft: r.int(-1, window.kernelW) };
    this.input = this.block(r.int(1, 12), r.int(1, 14), group * r.int(1, op === 'conv2d' ? 21 : 40));
    const outC = op === 'conv2d' ? group * r.int(1, 21) : this.input.channels;
    this.output = pointwise ? this.block(this.input.h, this.input.w, outC) : this.block(r.int(1, 9), r.int(1, 9), outC);
    const inC = this.input.channels;
    const taps = w.kernelH * w.kernelW * (op === 'conv2d' ? inC / group : 1);
    const padCodes = r.chance(0.5)
      ? this.constant(
          'table',
          Int16Array.from({ length: inC }, () => this.code(this.input)),
        )
      : null;
    const weights = this.weights(op === 'conv2d' ? outC * taps : taps * inC, weightBits);
    const requant = this.requant(taps, weightBits);
    this.kernel =
      op === 'conv2d'
        ? { op, window: w, group, weights, weightBits, padCodes, requant }
        : { op, window: w, weights, weightBits, padCodes, requant };
  }

  /** The step's output by plain TypeScript or by whatever is fastest. */
  run(codes: Int16Array, reference: boolean): number[] {
    const context: KernelContext = {
      inputs: [this.input],
      output: this.output,
      constants: new ConstantTables(this.constants),
      scratch: new Scratch(),
      reference,
    };
    const length = this.output.h * this.output.w * this.output.channels;
    const out = new Int16Array(length + 8).fill(-999);
    prepareKernel(this.kernel, context)([codes], out);
    assert.ok(
      out.subarray(length).every((c) => c === -999),
      'codes after the output changed',
    );
    return [...out.subarray(0, length)];
  }

  /** Input codes: any, or only extremes, at which sums are largest. */
  codes(): Int16Array {
    const { bits, signed, h, w, channels } = this.input;
    const extremes = [minCode(bits, signed), maxCode(bits, signed)];
    const saturating = this.random.chance(0.3);
    return Int16Array.from({ length: h * w * channels }, () =>
      saturating ? this.random.pick(extremes) : this.code(this.input),
    );
  }

  private code({ bits, signed }: CodeBlock): number {
    return this.random.int(minCode(bits, signed), maxCode(bits, signed));
  }

  private block(h: number, w: number, channels: number): CodeBlock {
    const bits = this.random.pick<Bits>([8, 8, 4, 2]);
    const pixelBytes = Math.ceil((channels * bits) / 8);
    return { offset: 0, h, w, channels, pixelBytes, rowBytes: w * pixelBytes, bits, signed: this.random.chance(0.5) };
  }

  private constant(kind: Constant['kind'], values: Constant['values']): number {
    this.constants.push({
      id: this.constants.length,
      kind,
      name: '',
      bits: 32,
      signed: true,
      values,
      dims: [values.length],
    });
    return this.constants.length - 1;
  }

  private weights(length: number, bits: 8 | 4): number {
    const most = 2 ** (bits - 1) - 1;
    const saturating = this.random.chance(0.2);
    return this.constant(
      'weights',
      Int8Array.from({ length }, () =>
        saturating ? this.random.pick([-most - 1, most]) : this.random.int(-most - 1, most),
      ),
    );
  }

  private requant(taps: number, weightBits: number): Requantization {
    const { random, output } = this;
    const n = output.channels;
    const typical = Math.max(8, Math.sqrt(taps) * 2 ** (this.input.bits + weightBits - 3));
    const min = minCode(output.bits, output.signed);
    const max = maxCode(output.bits, output.signed);
    return {
      bias: this.constant(
        'bias',
        Int32Array.from({ length: n }, () => random.int(-typical, typical)),
      ),
      biasShift: random.pick([0, 0, -4, 4]),
      multiplier: this.constant(
        'multiplier',
        Int32Array.from({ length: n }, () =>
          random.chance(0.1) ? random.pick([0, 1, 2 ** 31 - 1]) : random.int(2 ** 28, 2 ** 31 - 1),
        ),
      ),
      preShift: random.pick([0, 0, 1, 4]),
      shift: Math.max(1, Math.min(31, Math.round(Math.log2(typical)) - output.bits + random.int(-2, 2))),
      min: random.chance(0.7) ? min : random.int(min, max),
      max: random.chance(0.7)
        ? max
        : {
            constant: this.constant(
              'table',
              Int16Array.from({ length: n }, () => random.int(min, max)),
            ),
          },
    };
  }
}

describe('kernels in WebAssembly', () => {
  it('are what this Node runs', () => assert.notEqual(simdMemory(), null));

  it('are what their source compiles to', async () => {
    const compiler = (await import(pathToFileURL(path.join(folder, 'assembly/compile.mjs')).href)) as {
      sources: string[];
      compileSource(source: string): Promise<string>;
    };
    for (const source of compiler.sources) {
      const module = path.join(projectRoot, 'src/engine', path.dirname(source), '../module.ts');
      assert.equal(
        readFileSync(module, 'utf8'),
        await compiler.compileSource(source),
        `${source}: run \`npm run kernels\`.`,
      );
    }
  });

  for (const op of ['conv2d', 'depthwise2d', 'fullyConnected'] as const) {
    it(`${op} gives the codes of the reference in TypeScript`, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const step = new RandomStep(seed, op);
          const codes = step.codes();
          assert.deepEqual(step.run(codes, false), step.run(codes, true));
        }),
        { numRuns: 600 },
      );
    });
  }

  it('do not see what an earlier, larger step left in their memory', () => {
    const small = new RandomStep(3, 'depthwise2d');
    const codes = small.codes();
    const before = small.run(codes, false);
    const large = new RandomStep(11, 'conv2d');
    large.run(large.codes().fill(255), false);
    assert.deepEqual(small.run(codes, false), before);
  });
});

describe('whole models in WebAssembly and in plain TypeScript', () => {
  const chosen = [
    'kws_dscnn_mlperf',
    'mcunet_vww_80',
    'mobilenetv1_0.25_96_imagenet',
    'mobilenetv2_1.0_224_tv',
    'resnet20_cifar10',
    'squeezenet1.1_224_imagenet',
  ];
  for (const model of realModels.filter(({ file }) => chosen.includes(file.replace('.onnx', '')))) {
    it(`${model.file}: every map has the same codes, at 8 bits and patch by patch at mixed bits`, async function () {
      this.timeout(300_000);
      const calibrated = await calibrateModel(this, model, 2);
      sameMaps(calibrated.plain(), 1);
      sameMaps(calibrated.mixed('recompute', 2), 2);
      if (!model.large) sameMaps(calibrated.mixed('runtime', 3), 3);
    });
  }
});

function sameMaps(program: Program, seed: number): void {
  const random = new Random(seed);
  const inputs = program.inputs.map(({ buffer }) => random.bytes(program.buffers[buffer].bytes));
  const expected: Int16Array[] = [];
  new Executor(program, { reference: true }).run(inputs, {
    afterStep: ({ codes, length }) => expected.push(codes.slice(0, length)),
  });
  let i = 0;
  new Executor(program).run(inputs, {
    afterStep: ({ step, codes, length }) =>
      assert.ok(
        Buffer.compare(bytesOf(codes.subarray(0, length)), bytesOf(expected[i++])) === 0,
        `step ${step.id} (${step.kernel.op})`,
      ),
  });
  assert.equal(i, expected.length);
}

function bytesOf({ buffer, byteOffset, byteLength }: Int16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
