import * as assert from 'node:assert/strict';
import { UserError } from '../../../src/engine/common/errors';
import { describeModel, importModel } from '../../../src/engine/onnx';
import { ModelFolder, OnnxBuilder, float } from '../../support/onnxBuilder';
import { reportFuzz } from '../../support/fuzzReport';
import { randomNumbers, randomFloats } from '../../support/onnxOracle';

/** Mutations tried; a bench or a nightly run may ask for more. */
const MUTATIONS = Number(process.env.QUANTMCU_FUZZ ?? 5000);

/** Damaged models: whatever the bytes, the reader imports them or throws a UserError of one line, and soon. */
describe('onnx reader under mutation', function () {
  this.timeout(300_000 + MUTATIONS * 10);
  let folder: ModelFolder;
  before(() => (folder = new ModelFolder()));
  after(() => folder.remove());

  it(`${MUTATIONS} mutated models import or fail with one clear line`, async () => {
    const random = randomNumbers(Number(process.env.QUANTMCU_FUZZ_SEED ?? 20240325));
    const below = (n: number): number => Math.min(n - 1, Math.floor(((random() + 1) / 2) * n));
    const seeds = seedModels();
    let imported = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutate(Buffer.from(seeds[i % seeds.length]), below);
      const file = folder.write(bytes, 'mutated.onnx');
      for (const run of [importModel, describeModel]) {
        try {
          await run(file);
          imported++;
        } catch (error) {
          const shown = `mutation ${i}: ${(error as Error).stack}`;
          assert.ok(error instanceof UserError, shown);
          assert.ok(!error.message.includes('\n') && error.message.startsWith('mutated.onnx '), shown);
        }
      }
    }
    reportFuzz('models, imported and described', 2 * MUTATIONS, imported, 2 * MUTATIONS - imported);
    // The test would prove nothing if nearly all mutants died at the first byte.
    assert.ok(imported > MUTATIONS / 20, `only ${imported} survived`);
  });
});

/** One to eight edits: flipped bits, numbers at the edge, removed, repeated and swapped pieces, cut ends. */
function mutate(bytes: Buffer, below: (n: number) => number): Buffer {
  const edges = [0, 1, 2, 0x7f, 0x80, 0xff];
  for (let edits = 1 + below(8); edits > 0; edits--) {
    const at = below(bytes.length);
    const length = Math.min(bytes.length - at, 1 + below(24));
    switch (below(7)) {
      case 0:
        bytes[at] ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = edges[below(edges.length)];
        break;
      case 2:
        bytes[at] = below(256);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      case 5:
        bytes.copy(bytes, below(bytes.length - length + 1), at, at + length);
        break;
      case 6:
        if (below(6) === 0) bytes = bytes.subarray(0, at + 1);
        else bytes.fill(0xff, at, at + Math.min(length, 9));
        break;
    }
    if (bytes.length < 2) break;
  }
  return bytes;
}

/** Small models that between them use every operator group. */
function seedModels(): Buffer[] {
  const random = randomNumbers(7);
  const weights = (m: OnnxBuilder, dims: readonly number[]): string => randomFloats(m, random, dims);
  const build = (
    opset: number,
    dims: readonly (number | string)[],
    body: (m: OnnxBuilder, x: string) => string,
  ): Buffer => {
    const m = new OnnxBuilder(opset);
    return m.output(body(m, m.input('x', dims))).finish();
  };
  return [
    build(13, [1, 2, 6, 6], (m, x) => {
      const a = m.node('Relu', [
        m.node('Conv', [x, weights(m, [4, 2, 3, 3]), weights(m, [4])], {
          pads: [1, 1, 1, 1],
          strides: [2, 2],
          group: 1,
        }),
      ]);
      const b = m.node('BatchNormalization', [a, ...[1, 2, 3, 4].map(() => weights(m, [4]))]);
      const p = m.node('MaxPool', [m.node('Add', [a, b])], {
        kernel_shape: [2, 2],
        strides: [1, 1],
        ceil_mode: 1,
        pads: [0, 0, 1, 1],
      });
      return m.node(
        'Gemm',
        [m.node('Flatten', [m.node('GlobalAveragePool', [p])]), weights(m, [3, 4]), weights(m, [3])],
        { transB: 1 },
      );
    }),
    build(13, [1, 6, 5, 2], (m, x) => {
      const t = m.node('Transpose', [m.node('Sub', [x, weights(m, [2])])], { perm: [0, 3, 1, 2] });
      const r = m.node('Reshape', [
        m.node('Transpose', [m.node('Concat', [t, t], { axis: 1 })], { perm: [0, 2, 3, 1] }),
        m.int64s([1, -1, 4]),
      ]);
      return m.node('Softmax', [m.node('Concat', [r, r], { axis: 1 })], { axis: 2 });
    }),
    build(13, ['N', 4, 4, 4], (m, x) => {
      const s = m.node('Slice', [x, m.int64s([1]), m.int64s([3]), m.int64s([1]), m.int64s([1])]);
      const r = m.node('Resize', [s, '', m.floats([4], [1, 1, 2, 2])], { mode: 'linear' });
      const p = m.node('Pad', [r, m.int64s([0, 0, 1, 0, 0, 0, 0, 1])]);
      const g = m.node('Mul', [p, m.node('Sigmoid', [m.node('ReduceMean', [p], { axes: [2, 3] })])]);
      return m.node('PRelu', [m.node('Clip', [g, m.scalar(0), m.scalar(6)]), weights(m, [2, 1, 1])]);
    }),
    build(13, [1, 3, 4, 5], (m, x) => {
      const dims = m.node(
        'Concat',
        [
          m.node('Gather', [m.node('Shape', [x]), m.int64s([0])]),
          m.node('Constant', [], { value: { dims: [1], data: [-1], type: 'int64', typed: true } }),
        ],
        { axis: 0 },
      );
      m.node('Split', [x, m.int64s([1, 2])], { axis: 1 }, { outputs: ['s0', 's1'] });
      return m.node('MatMul', [
        m.node('Reshape', [
          m.node('AveragePool', ['s1'], { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER', count_include_pad: 1 }),
          dims,
        ]),
        weights(m, [40, 3]),
      ]);
    }),
    build(21, [1, 2, 5, 5], (m, x) => {
      const [s, z] = [m.scalar(0.02), m.initializer({ dims: [], data: [0], type: 'uint8' })];
      const q = m.node('DequantizeLinear', [m.node('QuantizeLinear', [x, s, z]), s, z]);
      const w = m.node(
        'DequantizeLinear',
        [
          m.initializer({ dims: [2, 1, 3, 3], data: Array.from({ length: 18 }, (_, i) => i - 9), type: 'int8' }),
          weights(m, [2]),
          m.initializer({ dims: [2], data: [0, 0], type: 'int8' }),
        ],
        { axis: 0 },
      );
      return m.node('HardSwish', [
        m.node('LeakyRelu', [m.node('Conv', [q, w], { group: 2, dilations: [2, 2] })], { alpha: float(0.1) }),
      ]);
    }),
    build(13, [1, 4, 3, 3], (m, x) => {
      const up = m.node('ConvTranspose', [x, weights(m, [4, 2, 3, 3])], {
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        output_padding: [1, 1],
        group: 2,
      });
      const bent = m.node('Mul', [
        up,
        m.node('Add', [m.node('Erf', [m.node('Div', [up, m.scalar(1.5)])]), m.scalar(1)]),
      ]);
      const pooled = m.node('Expand', [m.node('GlobalMaxPool', [bent]), m.int64s([1, 4, 3, 3])]);
      return m.node(
        'LogSoftmax',
        [
          m.node('Max', [
            m.node('Elu', [m.node('DepthToSpace', [x], { blocksize: 2 })]),
            m.node('DepthToSpace', [m.node('Mul', [pooled, x])], { blocksize: 2, mode: 'CRD' }),
          ]),
        ],
        { axis: 1 },
      );
    }),
    build(6, [1, 2, 4, 4], (m, x) =>
      m.node(
        'Upsample',
        [
          m.node('Add', [m.node('Pad', [x], { pads: [0, 0, 1, 1, 0, 0, 1, 1], value: float(1) }), weights(m, [2])], {
            broadcast: 1,
            axis: 1,
          }),
        ],
        { scales: float([1, 1, 2, 2]), mode: 'nearest' },
      ),
    ),
  ];
}
