import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MapAccumulator } from '../../../src/engine/calibration/statistics';
import type { MapStatistics } from '../../../src/engine/calibration/types';
import type { FeatureMap, Shape } from '../../../src/engine/graph/types';

const mapOf = (shape: Shape): FeatureMap => ({ id: 3, name: 'm', shape, producer: 0, consumers: [] });

/** Sum of a channel's counts whose bins lie wholly at or above `value`, and that of those that reach above it. */
function countsAbove(s: MapStatistics, c: number, value: number): [number, number] {
  let sure = 0;
  let possible = 0;
  for (let k = 0; k < s.bins; k++) {
    const n = s.histograms[c * s.bins + k];
    if (s.lo[c] + k * s.width[c] >= value) sure += n;
    if (s.lo[c] + (k + 1) * s.width[c] >= value) possible += n;
  }
  return [sure, possible];
}

const close = (a: number, b: number, scale: number): void =>
  assert.ok(Math.abs(a - b) <= 1e-9 * scale, `${a} instead of ${b}`);

describe('statistics of a feature map', () => {
  it('equal direct computation, whatever the order and layout of samples', () => {
    const value = fc.oneof(
      fc.float({ min: -100, max: 100, noNaN: true }),
      fc.constant(0),
      fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true }),
      fc.constantFrom(1e6, -3e4),
    );
    const extent = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        extent,
        extent,
        extent,
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        fc.infiniteStream(value),
        (h, w, c, samples, chw, stream) => {
          const accumulator = new MapAccumulator(mapOf({ h, w, c }), 32);
          const seen: number[][] = Array.from({ length: c }, () => []);
          for (let s = 0; s < samples; s++) {
            const values = new Float32Array(h * w * c);
            for (let p = 0; p < h * w; p++) {
              for (let ch = 0; ch < c; ch++) {
                const v = Math.fround(stream.next().value as number);
                values[chw ? ch * h * w + p : p * c + ch] = v;
                seen[ch].push(v);
              }
            }
            assert.ok(accumulator.add(values, chw ? 'CHW' : 'HWC'));
          }
          const s = accumulator.finish();
          seen.forEach((all, ch) => {
            const mean = all.reduce((a, b) => a + b, 0) / all.length;
            const variance = all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length;
            const largest = Math.max(...all.map(Math.abs), 1e-6);
            // Adding 0 makes −0 a 0.
            assert.deepEqual([s.min[ch] + 0, s.max[ch] + 0], [Math.min(...all) + 0, Math.max(...all) + 0]);
            close(s.mean[ch], mean, largest);
            close(s.variance[ch], variance, largest * largest);
            assert.equal(s.zeros![ch], all.filter((v) => v === 0).length);
            // All values are counted, none outside the bins, and every cut between bins is right up to the bin it lies
            // in.
            assert.equal(
              s.histograms.subarray(ch * s.bins, (ch + 1) * s.bins).reduce((a, b) => a + b, 0),
              all.length,
            );
            assert.ok(s.lo[ch] <= s.min[ch] && s.lo[ch] + s.bins * s.width[ch] >= s.max[ch] - 1e-6 * s.width[ch]);
            for (const at of [mean, s.min[ch], (s.min[ch] + s.max[ch]) / 2, ...all.slice(0, 5)]) {
              const [sure, possible] = countsAbove(s, ch, at);
              const slack = s.width[ch] * 1e-6;
              assert.ok(
                sure <= all.filter((v) => v >= at - slack).length &&
                  possible >= all.filter((v) => v >= at + slack).length,
              );
            }
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts the same in large planes as in small ones', () => {
    // 900 values at once are counted in two arrays in turn, 30 × 30 as single samples are not.
    const values = Float32Array.from({ length: 901 }, (_, i) => Math.max(0, Math.sin(i * i)));
    const whole = new MapAccumulator(mapOf({ h: 1, w: 901, c: 1 }));
    whole.add(values, 'CHW');
    const single = new MapAccumulator(mapOf({ h: 1, w: 1, c: 1 }));
    // The extremes first, so that both have the same bins.
    const order = [values.indexOf(Math.min(...values)), values.indexOf(Math.max(...values))];
    for (let i = 0; i < values.length; i++) if (!order.includes(i)) order.push(i);
    for (const i of order) single.add(values.subarray(i, i + 1), 'HWC');
    const [a, b] = [whole.finish(), single.finish()];
    assert.deepEqual(a.histograms, b.histograms);
    assert.deepEqual([a.zeros, a.lo, a.width], [b.zeros, b.lo, b.width]);
    assert.ok(a.zeros![0] > 400);
  });

  it('keeps at least half of its bins in use however far the range grows', () => {
    for (const direction of [1, -1]) {
      const accumulator = new MapAccumulator(mapOf({ h: 1, w: 2, c: 1 }), 64);
      for (let i = 0; i < 40; i++) accumulator.add(Float32Array.of(direction * 1.7 ** i, 0), 'HWC');
      const s = accumulator.finish();
      assert.ok(s.max[0] - s.min[0] > (s.bins / 2 - 1) * s.width[0]);
      assert.equal(
        s.histograms.reduce((a, b) => a + b, 0),
        80,
      );
    }
  });

  it('samples positions of large maps for the histogram, but not for range and moments', () => {
    const shape = { h: 100, w: 100, c: 1 };
    const values = Float32Array.from({ length: 10_000 }, (_, i) => (i === 4321 ? 50 : (i % 10) / 10));
    const accumulator = new MapAccumulator(mapOf(shape));
    for (let i = 0; i < 5; i++) accumulator.add(values, 'CHW');
    const s = accumulator.finish();
    assert.equal(s.max[0], 50);
    close(s.mean[0], values.reduce((a, b) => a + b, 0) / values.length, 50);
    const counted = s.histograms.reduce((a, b) => a + b, 0);
    assert.ok(counted > 5 * 500 && counted <= 5 * 1024);
  });

  it('remembers a constant channel and refuses values that are not finite', () => {
    const accumulator = new MapAccumulator(mapOf({ h: 1, w: 1, c: 2 }));
    accumulator.add(Float32Array.of(5, 0), 'HWC');
    accumulator.add(Float32Array.of(5, 0), 'HWC');
    const s = accumulator.finish();
    assert.deepEqual([s.min[0], s.max[0], s.variance[0], s.histograms[0], s.lo[0], s.zeros![1]], [5, 5, 0, 2, 5, 2]);
    assert.ok(s.width.every((w) => w > 0 && w < 1e-6));
    for (const bad of [NaN, Infinity, -Infinity])
      assert.equal(new MapAccumulator(mapOf({ h: 1, w: 2, c: 1 })).add(Float32Array.of(1, bad), 'CHW'), false);
    assert.throws(() => new MapAccumulator(mapOf({ h: 1, w: 1, c: 1 })).finish(), RangeError);
  });
});
