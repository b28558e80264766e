import assert from 'node:assert/strict';
import path from 'node:path';
import { asFirmware } from '../../support/asFirmware';
import { ModelFolder, OnnxBuilder, float } from '../../support/onnxBuilder';
import { kinds, matchesOnnxruntime } from '../../support/onnxOracle';

type Build = (m: OnnxBuilder, x: string) => string;

const epsilon = 1e-5;

/** LayerNormalization as it was exported before opset 17, over the last dimension. */
const layerNormInParts: Build = (m, x) => {
  const centered = m.node('Sub', [x, m.node('ReduceMean', [x], { axes: [-1] })]);
  const variance = m.node('ReduceMean', [m.node('Pow', [centered, m.scalar(2)])], { axes: [-1] });
  return m.node('Div', [centered, m.node('Sqrt', [m.node('Add', [variance, m.scalar(epsilon)])])]);
};

const rms: Build = (m, x) => {
  const mean = m.node('ReduceMean', [m.node('Mul', [x, x])], { axes: [-1] });
  return m.node('Div', [x, m.node('Sqrt', [m.node('Add', [m.scalar(epsilon), mean])])]);
};

const unitLength: Build = (m, x) =>
  m.node('Div', [x, m.node('Clip', [m.node('ReduceL2', [x], { axes: [3] }), m.scalar(1e-12)])]);

const whole: Build = (m, x) =>
  m.node('LayerNormalization', [x, m.floats([1], [1]), m.floats([1], [0])], { axis: 1, epsilon: float(epsilon) });

const lp: Build = (m, x) => m.node('LpNormalization', [x], { axis: -1, p: 2 });

describe('norms', function () {
  this.timeout(120_000);
  const models = new ModelFolder();
  after(() => models.remove());

  function model(build: Build, opset: number, dims: readonly number[] = [1, 6, 5, 4]): string {
    const m = new OnnxBuilder(opset);
    m.output(build(m, m.input('x', dims)));
    return models.write(m);
  }

  it('are one layer, as a node or in parts', async () => {
    for (const [build, opset] of [
      [layerNormInParts, 13],
      [rms, 13],
      [unitLength, 13],
      [lp, 13],
    ] as const) {
      const { graph } = await matchesOnnxruntime(model(build, opset));
      assert.deepEqual(
        kinds(graph).filter((kind) => kind !== 'permute'),
        ['normalize'],
        build.name,
      );
    }
    const { graph } = await matchesOnnxruntime(model(whole, 17));
    assert.ok(kinds(graph).includes('normalize'));
  });

  it('stay parts where they divide by something else', async () => {
    const other: Build = (m, x) => m.node('Div', [m.node('Relu', [x]), m.node('ReduceL2', [x], { axes: [3] })]);
    const { graph } = await matchesOnnxruntime(model(other, 13));
    assert.ok(!kinds(graph).includes('normalize'));
  });

  it('lose no more than rounding of what they read must, where pixels differ a thousandfold in size', async () => {
    const dims = [1, 16, 16, 3];
    for (const [name, build] of Object.entries({ layerNormInParts, rms, unitLength })) {
      let n = 0;
      // Pixels of three values each: every other one is small.
      const scale = (random: () => number): number => random() * (Math.floor(n++ / 3) % 2 === 0 ? 1 : 0.05);
      const { snr } = await asFirmware(model(build, 13, dims), path.join(models.folder, name), { scale, samples: 12 });
      const least = roundedInput(name !== 'unitLength', name === 'layerNormInParts');
      assert.ok(snr[0] > least - 1.5, `${name}: ${snr[0].toFixed(1)} dB, of a rounded input ${least.toFixed(1)} dB`);
    }
  });
});

/** Signal to noise of a float norm whose input alone is rounded to 8 bits, in dB, on pixels as above. */
function roundedInput(mean: boolean, centered: boolean): number {
  let state = 1;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 1073741824 - 1;
  const norm = (x: readonly number[]): number[] => {
    const middle = centered ? x.reduce((a, b) => a + b, 0) / x.length : 0;
    const squares = x.reduce((sum, v) => sum + (v - middle) ** 2, 0);
    const size = Math.sqrt(mean ? squares / x.length + epsilon : squares);
    return x.map((v) => (v - middle) / Math.max(size, 1e-12));
  };
  let signal = 0;
  let noise = 0;
  for (let p = 0; p < 20_000; p++) {
    const x = Array.from({ length: 3 }, () => uniform() * (p % 2 === 0 ? 1 : 0.05));
    const exact = norm(x);
    const rounded = norm(x.map((v) => Math.round(v * 127.5) / 127.5));
    exact.forEach((v, i) => {
      signal += v ** 2;
      noise += (v - rounded[i]) ** 2;
    });
  }
  return 10 * Math.log10(signal / noise);
}
