import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MapAccumulator } from '../../../src/engine/calibration/statistics';
import type { MapStatistics } from '../../../src/engine/calibration/types';
import type { Bits } from '../../../src/engine/graph/bits';
import type { MapFormat } from '../../../src/engine/quantize/types';
import { codeDistribution, codeEntropy, entropyChange } from '../../../src/engine/vdqs/entropy';
import { randomNumbers } from '../../support/onnxOracle';

/** Statistics of values [position][channel] given as one array in HWC order. */
function observe(values: Float32Array, channels: number): MapStatistics {
  const accumulator = new MapAccumulator({
    id: 0,
    name: 'm',
    shape: { h: 1, w: values.length / channels, c: channels },
  });
  accumulator.add(values, 'HWC');
  return accumulator.finish();
}

const format = (bits: Bits, signed: boolean, scales: number[], zeroPoints: number[] = [0]): MapFormat => ({
  bits,
  signed,
  scales: Float64Array.from(scales),
  zeroPoints: Int32Array.from(zeroPoints),
});

function directDistribution(values: Float32Array, channels: number, f: MapFormat): Float64Array {
  const [min, max] = f.signed ? [-(2 ** (f.bits - 1)), 2 ** (f.bits - 1) - 1] : [0, 2 ** f.bits - 1];
  const out = new Float64Array(max - min + 1);
  values.forEach((v, i) => {
    const c = i % channels;
    const code =
      Math.round(v / f.scales[f.scales.length === 1 ? 0 : c]) + f.zeroPoints[f.zeroPoints.length === 1 ? 0 : c];
    out[Math.min(max, Math.max(min, code)) - min] += 1 / values.length;
  });
  return out;
}

const entropyOf = (p: Float64Array): number => -p.reduce((sum, x) => sum + (x > 0 ? x * Math.log2(x) : 0), 0);

describe('entropy of codes', () => {
  const random = randomNumbers(11);
  // Fewer positions than statistics take samples from, so that both see the same values.
  const N = 1000;
  const relu = Float32Array.from({ length: N * 2 }, (_, i) =>
    Math.max(0, (random() + random()) * (i % 2 === 0 ? 1 : 5)),
  );
  const signed = Float32Array.from({ length: N * 2 }, (_, i) => (random() + random() + 0.1) * (i % 2 === 0 ? 2 : 0.5));

  it('equals that of the quantized values, for any width, sign and per-channel scale', () => {
    const cases: [Float32Array, MapFormat, number][] = [];
    for (const bits of [8, 4, 2] as const) {
      cases.push(
        [relu, format(bits, false, [2 / (2 ** bits - 1), 10 / (2 ** bits - 1)]), 0.02],
        [relu, format(bits, false, [5 / 2 ** bits]), 0.02],
      );
      cases.push(
        [signed, format(bits, true, [4 / 2 ** (bits - 1), 1 / 2 ** (bits - 1)]), 0.03],
        [signed, format(bits, true, [0.11], [1]), 0.03],
      );
    }
    for (const [values, f, tolerance] of cases) {
      const distribution = codeDistribution(observe(values, 2), f);
      assert.ok(Math.abs(distribution.reduce((a, b) => a + b, 0) - 1) < 1e-9);
      const direct = directDistribution(values, 2, f);
      const distance = distribution.reduce((sum, p, i) => sum + Math.abs(p - direct[i]), 0);
      // At 8 bits there are as many codes as bins; a sample of 2000 values then scatters between neighbours.
      assert.ok(distance < (f.bits === 8 ? 0.35 : tolerance), `${f.bits} bits: distance ${distance}`);
      const [h, expected] = [codeEntropy(observe(values, 2), f), entropyOf(direct)];
      assert.ok(Math.abs(h - expected) < (f.bits === 8 ? 0.12 : 0.03), `${f.bits} bits: ${h} instead of ${expected}`);
    }
  });

  it('keeps the zeros of a Relu in the code of 0', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 1 : 0));
    const f = format(8, false, [1 / 2048]);
    assert.ok(Math.abs(codeDistribution(observe(values, 1), f)[0] - 0.9) < 1e-9);
    const shifted = codeDistribution(observe(values, 1), format(8, true, [1 / 127], [-100]));
    assert.ok(Math.abs(shifted[28] - 0.9) < 1e-9);
  });

  it('lies between 0 and b, and falls when codes are merged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        (list, scale) => {
          const statistics = observe(Float32Array.from(list), 1);
          for (const bits of [8, 4, 2] as const) {
            const h = codeEntropy(statistics, format(bits, true, [scale]));
            assert.ok(h >= 0 && h <= bits + 1e-9);
          }
        },
      ),
    );
    const h = ([8, 4, 2] as const).map((bits) =>
      codeEntropy(observe(signed, 2), format(bits, true, [4 / 2 ** (bits - 1), 1 / 2 ** (bits - 1)])),
    );
    assert.ok(h[0] > h[1] && h[1] > h[2]);
    assert.ok(entropyChange(h[0], h[2]) > entropyChange(h[0], h[1]) && entropyChange(h[0], h[1]) > 0);
    assert.deepEqual([entropyChange(0, 0), entropyChange(4, 4), entropyChange(4, 1)], [0, 0, 0.75]);
  });

  it('is 0 for a constant map', () => {
    assert.equal(codeEntropy(observe(new Float32Array(50).fill(3), 1), format(8, false, [0.1])), 0);
  });
});
