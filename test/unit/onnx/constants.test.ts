import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeModel } from '../../../src/engine/onnx';
import { ModelFolder, OnnxBuilder, float, type OnnxType } from '../../support/onnxBuilder';
import { kinds, matchesOnnxruntime, randomArray, randomNumbers } from '../../support/onnxOracle';
import { OperatorSuite, runs, seed, weights } from './support/operatorSuite';

/** Matrices, constants, element types and older opsets: the imported graph, evaluated in float, equals onnxruntime. */
describe('onnx matrices, constants and older forms against onnxruntime', function () {
  this.timeout(300_000);
  const suite = new OperatorSuite();
  const { compare, sameFunction } = suite;

  it('Gemm: transposes, alpha, beta, any bias', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(null, [], [5], [1, 5], [1]),
        fc.constantFrom(1, 4),
        seed,
        async (transA, transB, bias, rows, s) => {
          await compare(
            transA ? [1, rows * 6] : [1, rows * 6],
            13,
            (m, x, random) => {
              const a = m.node('Reshape', [x, m.int64s(transA ? [6, rows] : [rows, 6])]);
              const inputs = [a, weights(m, random, transB ? [5, 6] : [6, 5])];
              if (bias) inputs.push(weights(m, random, bias));
              return m.node('Gemm', inputs, {
                transA: Number(transA),
                transB: Number(transB),
                alpha: float(0.5),
                beta: float(1.5),
              });
            },
            { seed: s },
          );
        },
      ),
      runs,
    );
  });

  it('Gemm and MatMul over flattened maps in any valid order', async () => {
    const flat = await compare([1, 3, 4, 5], 13, (m, x, r) =>
      m.node('Gemm', [m.node('Flatten', [m.node('Relu', [x])]), weights(m, r, [7, 60])], { transB: 1 }),
    );
    assert.deepEqual(kinds(flat.graph), ['activation', 'fullyConnected']);
    const nhwc = await compare([1, 3, 4, 5], 13, (m, x, r) => {
      const t = m.node('Transpose', [m.node('Relu', [x])], { perm: [0, 2, 3, 1] });
      return m.node('MatMul', [m.node('Reshape', [t, m.int64s([1, -1])]), weights(m, r, [60, 7])]);
    });
    assert.deepEqual(kinds(nhwc.graph), ['activation', 'fullyConnected']);
    const rows = await compare([1, 3, 4, 5], 13, (m, x, r) =>
      m.node('MatMul', [m.node('Transpose', [x], { perm: [0, 2, 3, 1] }), weights(m, r, [3, 7])]),
    );
    assert.deepEqual(kinds(rows.graph), ['conv']);
    await compare([1, 3, 4, 5], 13, (m, x, r) => m.node('MatMul', [x, weights(m, r, [5, 7])]));
    await compare([1, 3, 4, 5], 13, (m, x, r) => m.node('MatMul', [x, weights(m, r, [5])]));
    await compare([1, 4, 5], 13, (m, x, r) => m.node('MatMul', [weights(m, r, [1, 6, 4]), x]));
    await compare([9], 13, (m, x, r) => m.node('MatMul', [x, weights(m, r, [9, 4])]));
  });

  it('constants computed by whatever operators', async () => {
    const plus = (x: string, m: OnnxBuilder, constant: string): string =>
      m.node('Add', [m.node('Relu', [x]), constant]);
    const grid = (m: OnnxBuilder): string =>
      m.node(
        'Range',
        ['0', '6', '1'].map((v) => m.scalar(Number(v))),
      );
    const cases: [number, (m: OnnxBuilder, r: () => number) => string][] = [
      [13, (m, r) => m.node('Tile', [weights(m, r, [1, 3, 1, 2]), m.int64s([1, 1, 4, 3])])],
      [
        13,
        (m, r) =>
          m.node('Where', [m.node('Greater', [weights(m, r, [3, 4, 6]), m.scalar(0)]), m.scalar(0.5), m.scalar(-1)]),
      ],
      [13, (m, r) => m.node('ReduceSum', [weights(m, r, [3, 4, 6]), m.int64s([1])])],
      [13, (m, r) => m.node('ReduceMax', [weights(m, r, [3, 4, 6])], { axes: [-1], keepdims: 1 })],
      [
        14,
        (m) =>
          m.node('Trilu', [m.node('ConstantOfShape', [m.int64s([4, 6])], { value: { dims: [1], data: [1] } })], {
            upper: 0,
          }),
      ],
      [13, (m) => m.node('Sin', [m.node('Mul', [grid(m), m.scalar(0.7)])])],
      [13, (m) => m.node('CumSum', [grid(m), m.scalar(0, 'int64')], { exclusive: 1, reverse: 1 })],
      [13, (m) => m.node('OneHot', [m.int64s([1, 3, 0, 5]), m.scalar(6, 'int64'), m.floats([2], [0, 2])])],
      [13, (m, r) => m.node('MatMul', [weights(m, r, [3, 4, 5]), weights(m, r, [5, 6])])],
      [
        13,
        (m, r) =>
          m.node('Gemm', [weights(m, r, [5, 4]), weights(m, r, [6, 5]), weights(m, r, [6])], { transA: 1, transB: 1 }),
      ],
      [13, (m, r) => m.node('Softmax', [weights(m, r, [3, 4, 6])], { axis: 1 })],
      [13, (m, r) => m.node('Mean', [weights(m, r, [3, 4, 6]), weights(m, r, [4, 1]), m.scalar(2)])],
      [13, (m, r) => m.node('Clip', [weights(m, r, [4, 6]), m.scalar(-0.1), m.scalar(0.3)])],
      [13, (m, r) => m.node('Pad', [weights(m, r, [4, 3]), m.int64s([0, 1, 0, 2])], { mode: 'reflect' })],
      [
        13,
        (m, r) =>
          m.node('GatherND', [
            weights(m, r, [5, 6]),
            m.initializer({ dims: [4, 1], data: [3, -1, 0, 2], type: 'int64' }),
          ]),
      ],
      [
        13,
        (m, r) =>
          m.node('ScatterND', [
            weights(m, r, [4, 6]),
            m.initializer({ dims: [2, 2], data: [0, 1, 3, 5], type: 'int64' }),
            m.floats([2], [7, 8]),
          ]),
      ],
      [
        13,
        (m, r) =>
          m.node(
            'GatherElements',
            [
              weights(m, r, [4, 6]),
              m.initializer({ dims: [4, 6], data: Array.from({ length: 24 }, (_, i) => i % 6), type: 'int64' }),
            ],
            { axis: 1 },
          ),
      ],
      [
        13,
        (m, r) => m.node('Cast', [m.node('ArgMax', [weights(m, r, [4, 5, 6])], { axis: 1, keepdims: 0 })], { to: 1 }),
      ],
      [13, (m, r) => m.node('Max', [weights(m, r, [4, 6]), weights(m, r, [6]), m.scalar(0.1)])],
      [
        13,
        (m, r) => m.node('TopK', [weights(m, r, [4, 9]), m.int64s([6])], { axis: 1 }, { outputs: ['best', 'places'] }),
      ],
      [13, (m, r) => m.node('Round', [m.node('Mul', [weights(m, r, [4, 6]), m.scalar(5)])])],
      [13, (m, r) => m.node('Split', [weights(m, r, [8, 6])], { axis: 0 }, { outputs: ['upper', 'lower'] })],
      [
        13,
        (m) =>
          m.node(
            'Cast',
            [
              m.node('And', [
                m.node('GreaterOrEqual', [grid(m), m.scalar(2)]),
                m.node('Not', [m.node('Equal', [grid(m), m.scalar(4)])]),
              ]),
            ],
            { to: 1 },
          ),
      ],
    ];
    for (const [opset, constant] of cases) await compare([1, 3, 4, 6], opset, (m, x, r) => plus(x, m, constant(m, r)));
  });

  it('float16 models, float16, bfloat16 and typed weights', async () => {
    const m = new OnnxBuilder(13);
    const x = m.input('x', [1, 3, 5, 5], 'float16');
    const random = randomNumbers(3);
    const w = m.initializer({ dims: [4, 3, 3, 3], data: randomArray(108, random, 0.2), type: 'float16' });
    m.output(m.node('Relu', [m.node('Conv', [x, w])]), null, 'float16');
    await matchesOnnxruntime(suite.folder.write(m), { tolerance: 4e-3 });
    const typed: OnnxType[] = ['float16', 'float64', 'int8', 'int64', 'uint16', 'int32'];
    const raw: OnnxType[] = ['float16', 'bfloat16', 'float64', 'int8', 'int16', 'int32', 'uint8'];
    const types = [...typed.map((type) => ({ type, typed: true })), ...raw.map((type) => ({ type, typed: false }))];
    for (const { type, typed } of types) {
      await compare([1, 2, 4, 4], 13, (b, v) => {
        const data = type.startsWith('u')
          ? [3, 200, 7, 0]
          : type.includes('float')
            ? [0.5, -1.25, 3.0625, -0.001]
            : [3, -100, 7, 0];
        const k = b.node('Cast', [b.initializer({ dims: [2, 2, 1, 1], data, type, typed })], { to: 1 });
        return b.node('Conv', [v, k]);
      });
    }
    await compare([1, 2, 4, 4], 13, (b, v) =>
      b.node('Conv', [v, b.initializer({ dims: [2, 2, 1, 1], data: [1, -2, 0.5, 4], typed: true })]),
    );
  });

  it('constant subgraphs: shapes, arithmetic, transposed weights', async () => {
    await compare([1, 3, 4, 5], 13, (m, x, random) => {
      const a = m.node('Conv', [x, m.node('Transpose', [weights(m, random, [3, 6, 1, 1])], { perm: [1, 0, 2, 3] })]);
      const shape = m.node('Shape', [a]);
      const batch = m.node('Gather', [shape, m.scalar(0, 'int64')], { axis: 0 });
      const dims = m.node(
        'Concat',
        [
          m.node('Unsqueeze', [batch, m.int64s([0])]),
          m.node('Constant', [], { value: { dims: [1], data: [-1], type: 'int64' } }),
        ],
        { axis: 0 },
      );
      const flat = m.node('Reshape', [a, dims]);
      const scale = m.node('Mul', [m.node('Sqrt', [m.scalar(4)]), m.node('Constant', [], { value_float: float(1.5) })]);
      return m.node('Mul', [flat, scale]);
    });
    await compare([1, 4, 8, 8], 13, (m, x) => {
      const hw = m.node('Slice', [m.node('Shape', [x]), m.int64s([2]), m.int64s([4])]);
      const half = m.node('Cast', [m.node('Floor', [m.node('Div', [m.node('Cast', [hw], { to: 1 }), m.scalar(2)])])], {
        to: 7,
      });
      const sizes = m.node('Concat', [m.node('Slice', [m.node('Shape', [x]), m.int64s([0]), m.int64s([2])]), half], {
        axis: 0,
      });
      return m.node('Resize', [x, '', '', sizes], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      });
    });
    await compare([1, 4, 4, 4], 13, (m, x) => {
      const values = m.node('Where', [
        m.node('Equal', [m.int64s([1, 2, 3, 4]), m.int64s([1, 0, 3, 0])]),
        m.floats([1], [2]),
        m.node('Neg', [m.node('ConstantOfShape', [m.int64s([4])], { value: { dims: [1], data: [3] } })]),
      ]);
      return m.node('Add', [x, m.node('Unsqueeze', [m.node('Expand', [values, m.int64s([4])]), m.int64s([1, 2])])]);
    });
  });

  it('uint8 and int8 inputs through Cast or DequantizeLinear', async () => {
    for (const type of ['uint8', 'int8'] as const) {
      const m = new OnnxBuilder(13);
      const x = m.input('x', [1, 3, 5, 5], type);
      const random = randomNumbers(5);
      m.output(m.node('Conv', [m.node('Cast', [x], { to: 1 }), weights(m, random, [2, 3, 3, 3])]));
      await matchesOnnxruntime(suite.folder.write(m));
      const n = new OnnxBuilder(13);
      const v = n.input('x', [1, 3, 5, 5], type);
      const real = n.node('DequantizeLinear', [v, n.scalar(0.02), n.initializer({ dims: [], data: [7], type })]);
      n.output(n.node('Conv', [real, weights(n, random, [2, 3, 3, 3])]));
      await matchesOnnxruntime(suite.folder.write(n));
    }
  });

  it('legacy broadcast attributes (opset 6)', async () => {
    await sameFunction(
      [
        6,
        (m, x, random) =>
          m.node(
            'Mul',
            [m.node('Add', [x, weights(m, random, [3])], { broadcast: 1, axis: 1 }), weights(m, random, [4, 5])],
            { broadcast: 1 },
          ),
      ],
      [
        13,
        (m, x, random) =>
          m.node('Mul', [m.node('Add', [x, weights(m, random, [3, 1, 1])]), weights(m, random, [4, 5])]),
      ],
    );
  });

  it('attributes of opset 1: paddings, shape, consumed_inputs, scales by direction', async () => {
    await sameFunction(
      [1, (m, x) => m.node('Pad', [x], { paddings: [0, 0, 1, 0, 0, 0, 0, 2], value: float(0.5) })],
      [13, (m, x) => m.node('Pad', [x, m.int64s([0, 0, 1, 0, 0, 0, 0, 2]), m.scalar(0.5)])],
    );
    await sameFunction(
      [1, (m, x) => m.node('Relu', [m.node('Reshape', [x], { shape: [1, -1] })], { consumed_inputs: [0] })],
      [13, (m, x) => m.node('Relu', [m.node('Reshape', [x, m.int64s([1, -1])])])],
    );
    await sameFunction(
      [1, (m, x) => m.node('Upsample', [x], { mode: 'nearest', height_scale: float(2), width_scale: float(3) })],
      [9, (m, x) => m.node('Upsample', [x, m.floats([4], [1, 1, 2, 3])], { mode: 'nearest' })],
    );
    await sameFunction(
      [1, (m, x) => m.node('Cast', [m.node('Concat', [x, x])], { to: 'FLOAT' })],
      [13, (m, x) => m.node('Concat', [x, x], { axis: 1 })],
    );
  });

  it('weights in Constant nodes are described as those in initializers', async () => {
    const folder = new ModelFolder();
    const weight = { dims: [4, 3, 3, 3], data: randomArray(108, randomNumbers(1)) };
    const model = (stored: 'Constant' | 'initializer', height: number | string) => {
      const m = new OnnxBuilder(13);
      const x = m.input('x', [1, 3, height, 8]);
      const w = stored === 'Constant' ? m.node('Constant', [], { value: weight }) : m.initializer(weight);
      return folder.write(m.output(m.node('Relu', [m.node('Conv', [x, w])])), `${stored}.onnx`);
    };
    for (const height of [8, 'h']) {
      const [inNodes, inInitializers] = await Promise.all(
        (['Constant', 'initializer'] as const).map((stored) => describeModel(model(stored, height))),
      );
      assert.deepEqual(
        inNodes.nodes.map(({ opType, parameters, macs }) => [opType, parameters, macs]),
        [
          ['Conv', 108, height === 'h' ? null : 108 * 36],
          ['Relu', 0, null],
        ],
      );
      assert.deepEqual(inNodes.parameters, inInitializers.parameters);
      assert.equal(inNodes.macs, inInitializers.macs);
    }
    folder.remove();
  });
});
