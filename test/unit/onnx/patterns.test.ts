import type { Build } from './support/operatorSuite';
import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ActivationLayer, ConvLayer } from '../../../src/engine/graph/types';
import { ModelFolder, OnnxBuilder, float } from '../../support/onnxBuilder';
import { kinds, matchesOnnxruntime, randomArray, randomNumbers, tapsMatch } from '../../support/onnxOracle';

/** What the importer recognizes, folds and leaves alone, always checked against onnxruntime as well. */
describe('onnx import: folding and patterns', function () {
  this.timeout(300_000);
  let folder: ModelFolder;
  before(() => (folder = new ModelFolder()));
  after(() => folder.remove());

  async function imported(
    dims: readonly number[],
    build: Build,
    options: { opset?: number; tolerance?: number; scale?: number } = {},
  ) {
    const m = new OnnxBuilder(options.opset ?? 14);
    m.output(build(m, m.input('x', dims), randomNumbers(11)));
    const file = folder.write(m);
    const { graph } = await matchesOnnxruntime(file, options);
    return { graph, file };
  }

  function weights(m: OnnxBuilder, random: () => number, dims: readonly number[]): string {
    return m.floats(
      dims,
      randomArray(
        dims.reduce((a, b) => a * b, 1),
        random,
      ),
    );
  }

  const conv: Build = (m, x, random) =>
    m.node('Conv', [x, weights(m, random, [4, 3, 3, 3]), weights(m, random, [4])], { pads: [1, 1, 1, 1] });

  function onlyActivation(graph: { layers: readonly { kind: string }[] }): ActivationLayer['fn'] {
    assert.equal(graph.layers[graph.layers.length - 1].kind, 'activation');
    return (graph.layers[graph.layers.length - 1] as ActivationLayer).fn;
  }

  it('folds Relu and Clip with any bounds into the layer before', async () => {
    const relu = await imported([1, 3, 6, 6], (m, x, r) => m.node('Relu', [conv(m, x, r)]));
    assert.deepEqual(kinds(relu.graph), ['conv']);
    assert.deepEqual((relu.graph.layers[0] as ConvLayer).clamp, { min: 0, max: null });
    const six = await imported([1, 3, 6, 6], (m, x, r) =>
      m.node('Clip', [m.node('Relu', [conv(m, x, r)]), m.scalar(-0.5), m.scalar(0.75)]),
    );
    assert.deepEqual((six.graph.layers[0] as ConvLayer).clamp, { min: 0, max: 0.75 });
    assert.equal(six.graph.layers.length, 1);
    const add = await imported([1, 3, 6, 6], (m, x) => m.node('Relu', [m.node('Add', [x, m.node('Neg', [x])])]));
    assert.deepEqual(kinds(add.graph), ['depthwise', 'add']);
  });

  it('keeps a clamp apart when its input is also read unclamped', async () => {
    const { graph } = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      return m.node('Concat', [a, m.node('Relu', [a])], { axis: 1 });
    });
    assert.deepEqual(kinds(graph), ['conv', 'activation', 'concat']);
  });

  it('keeps a value that is a graph output', async () => {
    const m = new OnnxBuilder(13);
    const a = conv(m, m.input('x', [1, 3, 6, 6]), randomNumbers(2));
    m.output(a).output(m.node('Relu', [a]));
    const { graph } = await matchesOnnxruntime(folder.write(m));
    assert.deepEqual(kinds(graph), ['conv', 'activation']);
    assert.equal(graph.outputs.length, 2);
  });

  it('recognizes SiLU', async () => {
    for (const swap of [false, true]) {
      const { graph } = await imported([1, 3, 6, 6], (m, x, r) => {
        const a = conv(m, x, r);
        const s = m.node('Sigmoid', [a]);
        return m.node('Mul', swap ? [s, a] : [a, s]);
      });
      assert.deepEqual(kinds(graph), ['conv', 'activation']);
      assert.equal(onlyActivation(graph).name, 'silu');
    }
  });

  it('recognizes HardSwish however it is written', async () => {
    const relu6 = (m: OnnxBuilder, a: string): string =>
      m.node('Clip', [m.node('Add', [a, m.scalar(3)]), m.scalar(0), m.scalar(6)]);
    const forms: ((m: OnnxBuilder, a: string) => string)[] = [
      (m, a) => m.node('HardSwish', [a]),
      (m, a) => m.node('Mul', [a, m.node('HardSigmoid', [a], { alpha: float(1 / 6), beta: float(0.5) })]),
      (m, a) => m.node('Div', [m.node('Mul', [a, relu6(m, a)]), m.scalar(6)]),
      (m, a) => m.node('Mul', [a, m.node('Div', [relu6(m, a), m.scalar(6)])]),
      (m, a) => m.node('Mul', [m.node('Mul', [relu6(m, a), m.scalar(1 / 6)]), a]),
      (m, a) => m.node('Mul', [m.node('Mul', [a, relu6(m, a)]), m.scalar(1 / 6)]),
      (m, a) =>
        m.node('Mul', [
          a,
          m.node('Clip', [
            m.node('Add', [m.node('Mul', [a, m.scalar(1 / 6)]), m.scalar(0.5)]),
            m.scalar(0),
            m.scalar(1),
          ]),
        ]),
    ];
    for (const [i, form] of forms.entries()) {
      const { graph } = await imported([1, 3, 6, 6], (m, x, r) => form(m, conv(m, x, r)), { scale: 4 });
      assert.deepEqual(kinds(graph), ['conv', 'activation'], `form ${i}`);
      assert.equal(onlyActivation(graph).name, 'hardSwish');
    }
  });

  it('does not mistake similar products for swishes', async () => {
    const other = await imported([1, 3, 6, 6], (m, x, r) =>
      m.node('Mul', [conv(m, x, r), m.node('Sigmoid', [conv(m, x, r)])]),
    );
    assert.ok(kinds(other.graph).includes('mul'));
    const keras = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      return m.node('Mul', [a, m.node('HardSigmoid', [a])]);
    });
    assert.deepEqual(kinds(keras.graph), ['conv', 'activation']);
    assert.equal(onlyActivation(keras.graph).name, 'formula');
    const shared = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      const s = m.node('Sigmoid', [a]);
      return m.node('Add', [m.node('Mul', [a, s]), s]);
    });
    assert.deepEqual(kinds(shared.graph), ['conv', 'activation', 'mul', 'add']);
  });

  it('joins functions of one value into one table: GELU, Mish, squares, chains', async () => {
    const half = (m: OnnxBuilder, a: string, bent: string): string =>
      m.node('Mul', [m.node('Mul', [a, m.node('Add', [bent, m.scalar(1)])]), m.scalar(0.5)]);
    const cases: [string, (m: OnnxBuilder, a: string) => string][] = [
      ['gelu', (m, a) => half(m, a, m.node('Erf', [m.node('Div', [a, m.scalar(Math.SQRT2)])]))],
      [
        'gelu by tanh',
        (m, a) =>
          half(
            m,
            a,
            m.node('Tanh', [
              m.node('Mul', [
                m.node('Add', [a, m.node('Mul', [m.node('Pow', [a, m.scalar(3)]), m.scalar(0.044715)])]),
                m.scalar(0.7978846),
              ]),
            ]),
          ),
      ],
      ['quick gelu', (m, a) => m.node('Mul', [a, m.node('Sigmoid', [m.node('Mul', [a, m.scalar(1.702)])])])],
      ['mish', (m, a) => m.node('Mul', [a, m.node('Tanh', [m.node('Softplus', [a])])])],
      ['square', (m, a) => m.node('Mul', [a, a])],
      ['chain', (m, a) => m.node('Pow', [m.node('Mul', [m.node('Sigmoid', [a]), m.scalar(2)]), m.scalar(2)])],
      [
        'difference',
        (m, a) => m.node('Sub', [m.node('Tanh', [a]), m.node('Clip', [a, m.scalar(-0.2), m.scalar(0.3)])]),
      ],
    ];
    for (const [name, build] of cases) {
      const { graph, file } = await imported([1, 3, 6, 6], (m, x, r) => build(m, conv(m, x, r)), {
        opset: 13,
        scale: 3,
      });
      assert.deepEqual(kinds(graph), ['conv', 'activation'], name);
      assert.equal(onlyActivation(graph).name, 'formula', name);
      await tapsMatch(readFileSync(file), graph);
    }
  });

  it('keeps functions apart whose parts are read elsewhere, scaled per channel or too many', async () => {
    const shared = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      const t = m.node('Tanh', [a]);
      return m.node('Concat', [m.node('Mul', [a, t]), t], { axis: 1 });
    });
    assert.deepEqual(kinds(shared.graph), ['conv', 'activation', 'mul', 'concat']);
    const perChannel = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      return m.node('Mul', [a, m.node('Tanh', [m.node('Mul', [a, weights(m, r, [4, 1, 1])])])]);
    });
    assert.ok(kinds(perChannel.graph).includes('mul'));
    const doubled = await imported([1, 3, 6, 6], (m, x) => {
      let y = m.node('Tanh', [x]);
      for (let i = 0; i < 40; i++) y = m.node('Mul', [y, y]);
      return y;
    });
    assert.ok(doubled.graph.layers.length > 5 && doubled.graph.layers.length < 40);
  });

  it('lets products broadcast what Expand copies, and copies where nothing broadcasts', async () => {
    const gate = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      return m.node('Mul', [
        a,
        m.node('Expand', [m.node('Sigmoid', [m.node('GlobalAveragePool', [a])]), m.int64s([1, 4, 6, 6])]),
      ]);
    });
    assert.deepEqual(kinds(gate.graph), ['conv', 'averagePool', 'activation', 'mul']);
    const pooled = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = conv(m, x, r);
      return m.node('Concat', [a, m.node('Expand', [m.node('GlobalAveragePool', [a]), m.int64s([1, 1, 6, 6])])], {
        axis: 1,
      });
    });
    assert.deepEqual(kinds(pooled.graph), ['conv', 'averagePool', 'resize', 'concat']);
    await imported([1, 1, 6, 5], (m, x) => m.node('Expand', [m.node('Relu', [x]), m.int64s([1, 3, 6, 5])]));
    await imported([1, 3, 1, 5], (m, x) => m.node('Expand', [m.node('Relu', [x]), m.int64s([3, 4, 1])]));
  });

  it('folds squeeze-and-excitation gates written with a hard sigmoid into their convolution', async () => {
    const { graph } = await imported([1, 3, 6, 6], (m, x, r) => {
      const a = m.node('Relu', [conv(m, x, r)]);
      const squeezed = m.node('Conv', [m.node('GlobalAveragePool', [a]), weights(m, r, [4, 4, 1, 1])]);
      const gate = m.node('Div', [
        m.node('Clip', [m.node('Add', [squeezed, m.scalar(3)]), m.scalar(0), m.scalar(6)]),
        m.scalar(6),
      ]);
      return m.node('Mul', [a, gate]);
    });
    assert.deepEqual(kinds(graph), ['conv', 'averagePool', 'conv', 'mul']);
    const gate = graph.layers[2] as ConvLayer;
    assert.equal(gate.clamp.min, 0);
    assert.ok(Math.abs(gate.clamp.max! - 1) < 1e-6);
  });

  it('takes a leading Transpose as NHWC, with normalization before it or not', async () => {
    const nhwc = (m: OnnxBuilder, x: string, r: () => number): string =>
      conv(m, m.node('Transpose', [x], { perm: [0, 3, 1, 2] }), r);
    const plain = await imported([1, 6, 5, 3], nhwc);
    assert.deepEqual(kinds(plain.graph), ['conv']);
    assert.equal(plain.graph.inputs[0].order, null);
    assert.deepEqual(plain.graph.maps[0].shape, { h: 6, w: 5, c: 3 });
    const normalized = await imported([1, 6, 5, 3], (m, x, r) =>
      nhwc(m, m.node('Div', [m.node('Sub', [x, m.floats([3], [0.4, 0.5, 0.6])]), m.floats([3], [0.2, 0.3, 0.25])]), r),
    );
    assert.deepEqual(kinds(normalized.graph), ['depthwise', 'conv']);
    const last = await imported([1, 6, 5, 3], (m, x, r) =>
      m.node('Transpose', [nhwc(m, x, r)], { perm: [0, 2, 3, 1] }),
    );
    assert.deepEqual(kinds(last.graph), ['conv']);
    assert.equal(last.graph.outputs[0].order, null);
  });

  it('lays out an input as its first layer wants it', async () => {
    const sequence = await imported([1, 10, 12], (m, x, r) =>
      m.node('Conv', [m.node('Unsqueeze', [x, m.int64s([1])]), weights(m, r, [2, 1, 3, 3])]),
    );
    assert.deepEqual(kinds(sequence.graph), ['conv']);
    assert.deepEqual(sequence.graph.maps[0].shape, { h: 10, w: 12, c: 1 });
    const transposed = await imported([1, 10, 12], (m, x, r) =>
      m.node('Conv', [m.node('Transpose', [x], { perm: [0, 2, 1] }), weights(m, r, [2, 12, 3])]),
    );
    assert.deepEqual(kinds(transposed.graph), ['conv']);
    const flat = await imported([1, 120], (m, x, r) =>
      m.node('Conv', [m.node('Reshape', [x, m.int64s([1, 2, 6, 10])]), weights(m, r, [2, 2, 3, 3])]),
    );
    assert.equal(flat.graph.layers[flat.graph.layers.length - 1].kind, 'conv');
  });

  it('imports QDQ models as the float graph they describe', async () => {
    // 16-bit codes make the rounding that is dropped too small to matter.
    const m = new OnnxBuilder(21);
    const random = randomNumbers(8);
    const qdq = (value: string, scale: number, zero: number, type: 'uint16' | 'int16'): string => {
      const s = m.scalar(scale);
      const z = m.initializer({ dims: [], data: [zero], type });
      return m.node('DequantizeLinear', [m.node('QuantizeLinear', [value, s, z]), s, z]);
    };
    const x = qdq(m.input('x', [1, 3, 8, 8]), 2 / 65535, 32768, 'uint16');
    const codes = Array.from({ length: 108 }, () => Math.floor(random() * 127));
    const w = m.node(
      'DequantizeLinear',
      [
        m.initializer({ dims: [4, 3, 3, 3], data: codes, type: 'int8' }),
        m.floats([4], [0.01, 0.02, 0.015, 0.005]),
        m.initializer({ dims: [4], data: [0, 0, 0, 0], type: 'int8' }),
      ],
      { axis: 0 },
    );
    const b = m.node('DequantizeLinear', [
      m.initializer({ dims: [4], data: [1000, -2000, 50, 0], type: 'int32' }),
      m.scalar(1e-4),
    ]);
    // The zero point at the smallest code stands for a Relu that the quantizer removed; 4 / 65535 · 65535 = 4 is its
    // upper end.
    const y = qdq(m.node('Conv', [x, w, b]), 4 / 65535, 0, 'uint16');
    m.output(qdq(m.node('MaxPool', [y], { kernel_shape: [2, 2], strides: [2, 2] }), 4 / 65535, 0, 'uint16'));
    const { graph } = await matchesOnnxruntime(folder.write(m), { tolerance: 5e-4, scale: 0.99 });
    assert.deepEqual(kinds(graph), ['conv', 'maxPool']);
    const { clamp } = graph.layers[0] as ConvLayer;
    assert.equal(clamp.min, 0);
    assert.ok(Math.abs(clamp.max! - 4) < 1e-4);
  });

  it('quantized constants and int4 weights in blocks', async () => {
    const { graph } = await imported(
      [1, 8],
      (m, x, r) => {
        const w = m.node(
          'DequantizeLinear',
          [
            m.initializer({ dims: [8, 3], data: Array.from({ length: 24 }, (_, i) => (i % 16) - 8), type: 'int4' }),
            weights(m, r, [2, 3]),
          ],
          { axis: 0, block_size: 4 },
        );
        return m.node('MatMul', [x, w]);
      },
      { opset: 21 },
    );
    assert.deepEqual(kinds(graph), ['fullyConnected']);
    await imported([1, 8], (m, x, r) => {
      const s = m.scalar(0.01);
      const z = m.initializer({ dims: [], data: [3], type: 'int8' });
      return m.node('MatMul', [
        x,
        m.node('DequantizeLinear', [m.node('QuantizeLinear', [weights(m, r, [8, 3]), s, z]), s, z]),
      ]);
    });
  });

  it('drops what leads to no output, even if it is unsupported', async () => {
    const { graph } = await imported([1, 3, 6, 6], (m, x, r) => {
      m.node('NonZero', [m.node('Tanh', [x])]);
      return conv(m, x, r);
    });
    assert.deepEqual(kinds(graph), ['conv']);
  });

  it('names are unique and kept as text', async () => {
    const m = new OnnxBuilder(13, 8, '<b>"net"</b>');
    const random = randomNumbers(3);
    let value = m.input('x"<script>', [1, 3, 6, 6]);
    for (const name of ['same', 'same', ''])
      value = m.node('Conv', [value, weights(m, random, [3, 3, 1, 1])], {}, { name, outputs: [`../${value}\u202e`] });
    m.output(value);
    const { importModel } = await import('../../../src/engine/onnx');
    const graph = await importModel(folder.write(m));
    assert.equal(graph.name, '<b>"net"</b>');
    assert.equal(new Set(graph.layers.map((l) => l.name)).size, 3);
    assert.equal(new Set(graph.maps.map((l) => l.name)).size, 4);
    assert.equal(graph.maps[0].name, 'x"<script>');
  });

  it('taps lead to the same values in the original file', async () => {
    const { graph, file } = await imported([1, 3, 12, 12], (m, x, r) => {
      const a = m.node('Relu', [
        m.node('BatchNormalization', [
          conv(m, x, r),
          ...[1, 2, 3].map(() => weights(m, r, [4])),
          m.floats([4], [1, 0.5, 2, 0.7]),
        ]),
      ]);
      const b = m.node('Clip', [
        m.node('Conv', [a, weights(m, r, [4, 1, 3, 3])], { group: 4, strides: [2, 2] }),
        m.scalar(0),
        m.scalar(0.5),
      ]);
      const h = m.node('Reshape', [m.node('Transpose', [b], { perm: [0, 2, 3, 1] }), m.int64s([1, -1, 2])]);
      const s = m.node('Softmax', [m.node('Concat', [h, m.node('Neg', [h])], { axis: 1 })]);
      return m.node('MatMul', [
        m.node('Reshape', [m.node('Transpose', [s], { perm: [0, 2, 1] }), m.int64s([1, -1])]),
        weights(m, r, [200, 5]),
      ]);
    });
    assert.equal(await tapsMatch(readFileSync(file), graph), graph.maps.length - 1);
    const withClamp = [...graph.taps.values()].filter((tap) => tap.preClamp !== null);
    assert.equal(withClamp.length, 2);
  });
});
