import assert from 'node:assert/strict';
import { UserError } from '../../src/engine/common/errors';
import { asFirmware, type FirmwareOptions } from '../support/asFirmware';
import { ModelFolder, OnnxBuilder, float, type AttributeValue } from '../support/onnxBuilder';
import { randomArray, randomNumbers } from '../support/onnxOracle';
import { removeFolder, scratchFolder } from './support/hostBuild';

/** Exports as they are met in practice: the integer network's values beside onnxruntime's, or one clear line. */
describe('odd exports', function () {
  this.timeout(600_000);
  const models = new ModelFolder();
  after(() => models.remove());

  async function snr(file: string, options: FirmwareOptions = {}): Promise<readonly number[]> {
    const folder = scratchFolder('odd');
    try {
      return (await asFirmware(file, folder, options)).snr;
    } finally {
      removeFolder(folder);
    }
  }

  const random = randomNumbers(3);
  const weights = (m: OnnxBuilder, ...dims: number[]): string => {
    const count = dims.reduce((product, d) => product * d, 1);
    return m.floats(dims, randomArray(count, random, 1.5 / Math.sqrt(count / dims[0])));
  };
  const pads = [1, 1, 1, 1];

  it('a QDQ model whose ReLU was removed has the ranges of its real values', async () => {
    const m = new OnnxBuilder();
    const conv = m.node('Conv', [m.input('x', [1, 3, 8, 8]), weights(m, 6, 3, 3, 3), weights(m, 6)], { pads });
    const [scale, zero] = [m.scalar(0.012), m.scalar(0, 'uint8')];
    const codes = m.node('QuantizeLinear', [conv, scale, zero]);
    m.output(
      m.node('MaxPool', [m.node('DequantizeLinear', [codes, scale, zero])], { kernel_shape: [2, 2], strides: [2, 2] }),
    );
    const [value] = await snr(models.write(m));
    assert.ok(value > 33, `${value} dB`);
  });

  it('a Focus layer on arrays that are no pixels, with padding and without', async () => {
    for (const padding of [pads, [0, 0, 0, 0]]) {
      const m = new OnnxBuilder();
      const x = m.input('x', [1, 3, 16, 16]);
      const slice = (v: string, start: number, axis: number): string =>
        m.node('Slice', [v, m.int64s([start]), m.int64s([2 ** 31 - 1]), m.int64s([axis]), m.int64s([2])]);
      const parts = [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ].map(([row, column]) => slice(slice(x, row, 2), column, 3));
      m.output(m.node('Conv', [m.node('Concat', parts, { axis: 1 }), weights(m, 8, 12, 3, 3)], { pads: padding }));
      const [value] = await snr(models.write(m));
      assert.ok(value > 33, `${value} dB`);
    }
  });

  it('SiLU with a residual at the default search', async () => {
    const m = new OnnxBuilder();
    const silu = (v: string): string => m.node('Mul', [v, m.node('Sigmoid', [v])]);
    const a = silu(m.node('Conv', [m.input('x', [1, 3, 10, 10]), weights(m, 8, 3, 3, 3)], { pads }));
    const b = silu(m.node('Conv', [a, weights(m, 8, 8, 3, 3)], { pads }));
    const pooled = m.node('Flatten', [m.node('GlobalAveragePool', [m.node('Add', [a, b])])]);
    m.output(m.node('Gemm', [pooled, weights(m, 8, 5)]));
    const [value] = await snr(models.write(m), { bits: undefined, weights: 'auto' });
    assert.ok(value > 15, `${value} dB`);
  });

  it('pooling that rounds up, 4-bit weights in int32_data and a long vector', async () => {
    const m = new OnnxBuilder(21, 10);
    const codes = Array.from({ length: 4 * 3 * 9 }, (_, i) => ((7 * i) % 16) - 8);
    const w = m.node('DequantizeLinear', [
      m.initializer({ dims: [4, 3, 3, 3], data: codes, type: 'int4', typed: true }),
      m.scalar(0.05),
    ]);
    const conv = m.node('Conv', [m.input('x', [1, 3, 15, 18]), w], { pads });
    m.output(
      m.node('AveragePool', [conv], { kernel_shape: [4, 3], strides: [1, 3], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    );
    const [value] = await snr(models.write(m));
    assert.ok(value > 30, `${value} dB`);
    const long = new OnnxBuilder();
    long.output(long.node('Gemm', [long.input('x', [1, 150_000]), weights(long, 150_000, 2)]));
    const [of] = await snr(models.write(long), { samples: 4 });
    assert.ok(of > 25, `${of} dB`);
  });

  it('operators that few exporters write', async () => {
    const image = (m: OnnxBuilder): string =>
      m.node('Conv', [m.input('x', [1, 3, 9, 8]), weights(m, 6, 3, 3, 3)], { pads });
    const single = (op: string, attributes: Record<string, AttributeValue>) => (m: OnnxBuilder) =>
      m.node(op, [image(m)], attributes);
    // A step or a root doubles the errors of what it reads near its edge.
    const cases: readonly [string, (m: OnnxBuilder) => string, number][] = [
      ['ThresholdedRelu', single('ThresholdedRelu', { alpha: float(0.25) }), 28],
      ['Shrink', single('Shrink', { lambd: float(0.3), bias: float(0.3) }), 30],
      ['ReduceMin', single('ReduceMin', { axes: [2, 3] }), 33],
      ['MeanVarianceNormalization', single('MeanVarianceNormalization', {}), 33],
      ['LpPool', single('LpPool', { kernel_shape: [2, 2], strides: [2, 2] }), 30],
      ['GlobalLpPool', single('GlobalLpPool', { p: 1 }), 33],
      ['Mean', (m) => ((v) => m.node('Mean', [v, m.node('Relu', [v]), m.node('Tanh', [v])]))(image(m)), 33],
    ];
    const all: string[] = [];
    for (const [name, build, least] of cases) {
      const m = new OnnxBuilder();
      m.output(build(m));
      const [value] = await snr(models.write(m));
      if (process.env.VERBOSE) console.log(name, value.toFixed(1));
      if (!(value > least)) all.push(`${name}: ${value} dB`);
    }
    assert.deepEqual(all, []);
  });

  it('one clear line for weights beyond all sums and for windows that see padding only', async () => {
    const far = new OnnxBuilder();
    const data = randomArray(4 * 27, random);
    data[5] = 1e30;
    const conv = far.node('Conv', [far.input('x', [1, 3, 8, 8]), far.floats([4, 3, 3, 3], data)], { pads });
    far.output(far.node('Conv', [far.node('Relu', [conv]), weights(far, 4, 4, 1, 1)]));
    await assert.rejects(
      snr(models.write(far)),
      (e) => e instanceof UserError && /so large .*sound checkpoint/.test(e.message),
    );
    const blind = new OnnxBuilder();
    const x = blind.input('x', [1, 2, 8, 2]);
    blind.output(
      blind.node('Conv', [x, weights(blind, 2, 1, 3, 3)], { group: 2, dilations: [1, 3], pads: [1, 4, 2, 1] }),
    );
    await assert.rejects(
      snr(models.write(blind)),
      (e) => e instanceof UserError && /reads nothing but padding/.test(e.message),
    );
  });
});
