import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { OnnxBuilder, float, type AttributeValue } from '../../support/onnxBuilder';
import { kinds, randomArray } from '../../support/onnxOracle';
import { OperatorSuite, seed, weights, type Build } from './support/operatorSuite';

/** Activations, arithmetic and normalization: the imported graph, evaluated in float, equals onnxruntime. */
describe('onnx activations, arithmetic and normalization against onnxruntime', function () {
  this.timeout(300_000);
  const { compare, sameFunction } = new OperatorSuite();

  it('activations', async () => {
    const cases: [string, Record<string, AttributeValue>, number][] = [
      ['LeakyRelu', { alpha: float(0.2) }, 13],
      ['HardSigmoid', { alpha: float(0.3), beta: float(0.4) }, 13],
      ['Clip', { min: float(-0.5), max: float(0.7) }, 10],
      ['Clip', { max: float(0.25) }, 6],
      ['Elu', { alpha: float(0.3) }, 13],
      ['Selu', { alpha: float(1.2), gamma: float(0.8) }, 13],
      ['Celu', { alpha: float(0.4) }, 13],
      ['ThresholdedRelu', { alpha: float(-0.5) }, 13],
      ['Shrink', { lambd: float(0.3), bias: float(0.3) }, 13],
      ['Shrink', { lambd: float(0.2), bias: float(0.9) }, 13],
      ['Gelu', { approximate: 'tanh' }, 20],
    ];
    // As they are without attributes.
    const bare: Record<number, string[]> = {
      10: ['Clip'],
      13: [
        'Relu',
        'LeakyRelu',
        'Sigmoid',
        'Tanh',
        'HardSigmoid',
        'Neg',
        'Identity',
        'Elu',
        'Selu',
        'Celu',
        'Softplus',
        'Softsign',
        'Erf',
        'Exp',
        'Abs',
        'ThresholdedRelu',
        'Shrink',
      ],
      14: ['HardSwish'],
      18: ['Mish'],
      20: ['Gelu'],
    };
    for (const [opset, ops] of Object.entries(bare)) for (const op of ops) cases.push([op, {}, Number(opset)]);
    for (const [op, attributes, opset] of cases) {
      await compare(
        [1, 3, 4, 5],
        opset,
        (m, x, random) =>
          m.node('Relu', [m.node('Conv', [m.node(op, [x], attributes), weights(m, random, [2, 3, 1, 1])])]),
        { scale: 4 },
      );
    }
  });

  it('Log and LogSoftmax', async () => {
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Log', [m.node('Add', [m.node('Abs', [x]), m.scalar(0.5)])]));
    const head = await compare(
      [1, 3, 4, 5],
      13,
      (m, x, random) =>
        m.node('LogSoftmax', [m.node('Flatten', [m.node('Conv', [x, weights(m, random, [10, 3, 4, 5])])])], {
          axis: 1,
        }),
      { scale: 3 },
    );
    assert.ok(!kinds(head.graph).includes('permute'));
    for (const [opset, axis] of [
      [13, 1],
      [13, -1],
      [11, 1],
      [11, 2],
    ] as const)
      await compare([1, 3, 4, 5], opset, (m, x) => m.node('LogSoftmax', [m.node('Relu', [x])], { axis }));
  });

  it('Pow and Sqrt with constants', async () => {
    for (const exponent of [2, 3, -2])
      await compare([1, 3, 4, 5], 13, (m, x) =>
        m.node('Pow', [m.node('Add', [m.node('Abs', [x]), m.scalar(0.5)]), m.scalar(exponent)]),
      );
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Sqrt', [m.node('Relu', [x])]));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Pow', [x, m.scalar(2)]));
  });

  it('division of and by feature maps', async () => {
    const above = (m: OnnxBuilder, x: string): string => m.node('Add', [m.node('Abs', [x]), m.scalar(0.5)]);
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Div', [x, m.node('GlobalAveragePool', [above(m, x)])]));
    await compare([1, 3, 4, 5], 13, (m, x, random) => m.node('Div', [weights(m, random, [3, 1, 1]), above(m, x)]));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Reciprocal', [above(m, x)]));
    const { graph } = await compare([1, 3, 4, 5], 13, (m, x) =>
      m.node('Div', [x, m.node('Add', [m.node('Abs', [x]), m.scalar(1)])]),
    );
    assert.deepEqual(kinds(graph), ['activation']);
  });

  it('Clip, Min and Max with inputs', async () => {
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Clip', [x, m.scalar(-0.3), m.scalar(0.4)]));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Clip', [x, '', m.scalar(0.4)]));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Min', [m.node('Max', [m.scalar(-0.2), x]), m.scalar(0.1)]));
    for (const op of ['Max', 'Min']) {
      await compare([1, 3, 4, 5], 13, (m, x, random) =>
        m.node(op, [x, m.node('Conv', [x, weights(m, random, [3, 3, 1, 1])])]),
      );
      await compare([1, 3, 4, 5], 13, (m, x) =>
        m.node(op, [m.scalar(0.2), m.node('GlobalAveragePool', [x]), m.node('Neg', [x]), x, m.scalar(0.3)]),
      );
      await compare([1, 3, 4, 5], 13, (m, x) => m.node('Relu', [m.node(op, [x])]));
    }
  });

  it('PRelu with slopes per channel and one for all', async () => {
    for (const dims of [[3, 1, 1], [1], [1, 3, 1, 1]])
      await compare([1, 3, 4, 5], 13, (m, x, random) => m.node('PRelu', [x, weights(m, random, dims)]));
    await sameFunction(
      [6, (m, x, random) => m.node('PRelu', [x, weights(m, random, [3])])],
      [13, (m, x, random) => m.node('PRelu', [x, weights(m, random, [3, 1, 1])])],
    );
  });

  it('arithmetic with constants of any broadcast shape, on either side', async () => {
    const shapes = fc.constantFrom<number[]>(
      [],
      [1],
      [4, 1, 1],
      [1, 4, 1, 1],
      [1, 1, 1, 1],
      [6],
      [5, 1],
      [5, 6],
      [1, 4, 5, 6],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('Add', 'Sub', 'Mul', 'Div'),
        shapes,
        fc.boolean(),
        fc.boolean(),
        seed,
        async (op, dims, first, afterConv, s) => {
          await compare(
            [1, 4, 5, 6],
            13,
            (m, x, random) => {
              const k = m.floats(
                dims,
                randomArray(
                  dims.reduce((a, b) => a * b, 1),
                  random,
                ).map((v) => v + Math.sign(v)),
              );
              const a = afterConv ? m.node('Conv', [x, weights(m, random, [4, 4, 1, 1])]) : x;
              const y = m.node(op, first && op !== 'Div' ? [k, a] : [a, k]);
              return afterConv ? m.node('Conv', [y, weights(m, random, [2, 4, 3, 3])], { pads: [1, 0, 1, 0] }) : y;
            },
            { seed: s },
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('arithmetic between feature maps, with broadcast gates', async () => {
    for (const op of ['Add', 'Sub', 'Mul']) {
      await compare([1, 4, 5, 6], 13, (m, x, random) =>
        m.node(op, [x, m.node('Conv', [x, weights(m, random, [4, 4, 1, 1])])]),
      );
      const gates: ((m: OnnxBuilder, x: string, random: () => number) => string)[] = [
        (m, x) => m.node('GlobalAveragePool', [x]),
        (m, x, random) => m.node('Conv', [x, weights(m, random, [1, 4, 1, 1])]),
        (m, x) => m.node('ReduceMean', [x], { axes: [1, 2, 3] }),
        (m, x) => m.node('ReduceMean', [x], { axes: [3] }),
      ];
      for (const gate of gates) {
        await compare([1, 4, 5, 6], 13, (m, x, random) => m.node(op, [m.node('Relu', [x]), gate(m, x, random)]));
        await compare([1, 4, 5, 6], 13, (m, x, random) => m.node(op, [gate(m, x, random), m.node('Relu', [x])]));
      }
    }
    await compare([1, 4, 5, 6], 13, (m, x, random) =>
      m.node('Sum', [x, m.node('Relu', [x]), m.node('Tanh', [x]), weights(m, random, [4, 1, 1])]),
    );
    await compare([1, 4, 5, 6], 13, (m, x) => m.node('Mul', [x, x]));
    await compare([1, 4, 5, 6], 13, (m, x, random) =>
      m.node('Mean', [x, m.node('Relu', [x]), weights(m, random, [4, 1, 1]), m.node('GlobalMaxPool', [x])]),
    );
    await compare([1, 4, 5, 6], 13, (m, x) => m.node('Relu', [m.node('Mean', [m.node('Tanh', [x])])]));
  });

  it('BatchNormalization in every place', async () => {
    const bn = (m: OnnxBuilder, x: string, c: number, random: () => number): string =>
      m.node(
        'BatchNormalization',
        [
          x,
          weights(m, random, [c]),
          weights(m, random, [c]),
          weights(m, random, [c]),
          m.floats(
            [c],
            randomArray(c, random).map((v) => Math.abs(v) + 0.1),
          ),
        ],
        { epsilon: float(1e-3) },
      );
    const afterConv = await compare([1, 3, 6, 6], 13, (m, x, r) =>
      m.node('Relu', [bn(m, m.node('Conv', [x, weights(m, r, [4, 3, 3, 3])]), 4, r)]),
    );
    assert.deepEqual(kinds(afterConv.graph), ['conv']);
    const beforeConv = await compare([1, 3, 6, 6], 13, (m, x, r) =>
      m.node('Conv', [bn(m, x, 3, r), weights(m, r, [4, 3, 3, 3])]),
    );
    assert.deepEqual(kinds(beforeConv.graph), ['conv']);
    const padded = await compare([1, 3, 6, 6], 13, (m, x, r) =>
      m.node('Conv', [bn(m, x, 3, r), weights(m, r, [4, 3, 3, 3])], { pads: [1, 1, 1, 1] }),
    );
    assert.deepEqual(kinds(padded.graph), ['depthwise', 'conv']);
    const grouped = await compare([1, 4, 6, 6], 13, (m, x, r) =>
      m.node('Conv', [bn(m, x, 4, r), weights(m, r, [6, 2, 3, 3])], { group: 2 }),
    );
    assert.deepEqual(kinds(grouped.graph), ['conv']);
    const vector = await compare([1, 8], 13, (m, x, r) => bn(m, m.node('Gemm', [x, weights(m, r, [8, 5])]), 5, r));
    assert.deepEqual(kinds(vector.graph), ['fullyConnected']);
    const shared = await compare([1, 3, 6, 6], 13, (m, x, r) => {
      const a = m.node('Conv', [x, weights(m, r, [4, 3, 1, 1])]);
      return m.node('Add', [a, bn(m, a, 4, r)]);
    });
    assert.deepEqual(kinds(shared.graph), ['conv', 'depthwise', 'add']);
  });

  it('LayerNormalization, InstanceNormalization, GroupNormalization, LpNormalization and norms', async () => {
    const layer =
      (dims: number[], axis: number): Build =>
      (m, x, r) =>
        m.node(
          'LayerNormalization',
          [m.node('Relu', [x]), weights(m, r, dims.slice(axis)), weights(m, r, dims.slice(axis))],
          { axis },
        );
    for (const [dims, axis] of [
      [[1, 8], 1],
      [[1, 5, 8], -1],
      [[1, 4, 6, 5], 1],
      [[1, 6, 5, 4], -1],
    ] as [number[], number][])
      await compare(dims, 17, layer(dims, axis));
    await compare([1, 6, 5, 4], 17, (m, x, r) =>
      m.node('InstanceNormalization', [x, weights(m, r, [6]), weights(m, r, [6])]),
    );
    await compare([1, 6, 20], 17, (m, x, r) =>
      m.node('InstanceNormalization', [x, weights(m, r, [6]), weights(m, r, [6])]),
    );
    // As PyTorch exports GroupNorm below opset 18.
    await compare([1, 6, 5, 4], 13, (m, x, r) => {
      const groups = m.node('Reshape', [x, m.int64s([0, 3, -1])]);
      const ones = m.floats([3], [1, 1, 1]);
      const normal = m.node('InstanceNormalization', [groups, ones, m.floats([3], [0, 0, 0])]);
      return m.node('Mul', [m.node('Reshape', [normal, m.int64s([1, 6, 5, 4])]), weights(m, r, [6, 1, 1])]);
    });
    await compare([1, 6, 5, 4], 21, (m, x, r) =>
      m.node('GroupNormalization', [x, weights(m, r, [6]), weights(m, r, [6])], { num_groups: 2 }),
    );
    for (const p of [1, 2]) {
      await compare([1, 6, 5, 4], 13, (m, x) => m.node('LpNormalization', [x], { axis: 1, p }));
      await compare([1, 12], 13, (m, x) => m.node('LpNormalization', [x], { p }));
    }
    for (const axes of [undefined, [1], [2, 3], [0, 1, 2, 3]])
      await compare([1, 6, 5, 4], 13, (m, x) => m.node('MeanVarianceNormalization', [x], { axes }));
    await compare([1, 6, 5, 4], 13, (m, x) => m.node('ReduceL2', [x], { axes: [1] }));
    await compare([1, 6, 5, 4], 13, (m, x) => m.node('ReduceL1', [x], { axes: [2, 3], keepdims: 0 }));
    await compare([1, 12], 13, (m, x) => m.node('Div', [x, m.node('ReduceL2', [x], { axes: [1] })]));
    await compare([1, 6, 5, 4], 13, (m, x) => m.node('ReduceSumSquare', [x], { axes: [2, 3] }));
  });

  it('Softmax before and since opset 13, on every axis', async () => {
    for (const axis of [1, 2, 3, -1]) {
      await compare([1, 3, 4, 5], 13, (m, x) => m.node('Softmax', [x], { axis }), { scale: 3 });
      await compare([1, 3, 4, 5], 11, (m, x) => m.node('Softmax', [x], { axis }), { scale: 3 });
    }
    await compare([1, 9], 11, (m, x) => m.node('Softmax', [x]));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Softmax', [x]));
  });
});
