import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MapStatistics } from '../../../src/engine/calibration/types';
import type { Bits } from '../../../src/engine/graph/bits';
import { centeredZeroPoints, channelCenters, recenter } from '../../../src/engine/quantize/centering';
import { channelError, codeRange } from '../../../src/engine/quantize/histogramError';
import { baseScales } from '../../../src/engine/quantize/scales';
import { mulberry32 } from '../../support/graphBuilder';

const BINS = 256;

/** Statistics of one channel of values. */
function statisticsOf(values: readonly number[]): MapStatistics {
  const min = Math.min(...values);
  const max = Math.max(...values);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  const width = (max - min) / BINS || 1;
  const histograms = new Uint32Array(BINS);
  for (const v of values) histograms[Math.min(BINS - 1, Math.floor((v - min) / width))]++;
  const one = (v: number): Float64Array => Float64Array.of(v);
  return {
    map: 0,
    name: 'x',
    shape: { h: 1, w: 1, c: 1 },
    min: one(min),
    max: one(max),
    mean: one(mean),
    variance: one(variance),
    bins: BINS,
    lo: one(min),
    width: one(width),
    histograms,
  };
}

function normal(mean: number, sigma: number, seed: number): number[] {
  const uniform = mulberry32(seed);
  const random = (): number => (uniform() + 1) / 2;
  return Array.from(
    { length: 2000 },
    () => mean + sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function scaleOf(stats: MapStatistics, bits: Bits): number {
  const single = { maps: [0], groups: 1, groupOf: [Int32Array.of(0)], proportional: false };
  return baseScales(single, () => stats, [{ bits, signed: true }]).scales[0];
}

/** Mean squared error of rounding the values themselves. */
function roundingError(values: readonly number[], scale: number, zero: number, bits: Bits): number {
  const { min, max } = codeRange(bits, true);
  return (
    values.reduce(
      (sum, v) => sum + (v - scale * (Math.max(min, Math.min(max, Math.round(v / scale) + zero)) - zero)) ** 2,
      0,
    ) / values.length
  );
}

describe('codes centered on what a channel holds', () => {
  const centered = (values: readonly number[], bits: Bits): { error: number; symmetric: number; zero: number } => {
    const stats = statisticsOf(values);
    const centers = channelCenters(stats, bits);
    const scale = scaleOf(recenter(stats, centers), bits);
    const [zero] = centeredZeroPoints(centers, Float64Array.of(scale), bits, false);
    return {
      error: roundingError(values, scale, zero, bits),
      symmetric: roundingError(values, scaleOf(stats, bits), 0, bits),
      zero,
    };
  };

  it('are never clearly worse than codes centered at 0', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -4, max: 4, noNaN: true }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.nat(),
        fc.constantFrom<Bits>(4, 2),
        (mean, sigma, seed, bits) => {
          const { error, symmetric } = centered(normal(mean, sigma, seed), bits);
          // Judged by histograms, so not exactly.
          assert.ok(error <= 1.05 * symmetric, `${error} against ${symmetric}`);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are judged by the scale that they get in the end, where the mean and 0 are as good', () => {
    const { error, symmetric } = centered(normal(-3.4799151914967417, 2.1880875608064025, 2147483643), 2);
    assert.ok(error <= symmetric, `${error} against ${symmetric}`);
  });

  it('make far less error where the mean is far from 0', () => {
    const { error, symmetric, zero } = centered(normal(2, 0.5, 7), 4);
    assert.ok(error < symmetric / 2, `${error} against ${symmetric}`);
    assert.ok(zero < 0);
  });

  it('stay within what zero points may be, and leave a balanced channel alone', () => {
    const far = centered(normal(1000, 0.1, 3), 4);
    assert.ok(Math.abs(far.zero) <= 14);
    assert.equal(Math.abs(centeredZeroPoints(Float64Array.of(0), Float64Array.of(0.1), 4, false)[0]), 0);
  });

  it('have a code for 0 where the reader pads', () => {
    for (const center of [-100, -1, 1, 100]) {
      const [zero] = centeredZeroPoints(Float64Array.of(center), Float64Array.of(0.1), 4, true);
      assert.ok(zero >= -8 && zero <= 7);
    }
  });

  it('are judged by the error that the histogram gives', () => {
    const stats = statisticsOf(normal(1, 1, 5));
    const centers = channelCenters(stats, 4);
    const moved = recenter(stats, centers);
    assert.ok(
      channelError(moved, 0, scaleOf(moved, 4), 0, 4, true) <= channelError(stats, 0, scaleOf(stats, 4), 0, 4, true),
    );
  });
});
