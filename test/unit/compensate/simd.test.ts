import assert from 'node:assert/strict';
import fc from 'fast-check';
import { gram } from '../../../src/engine/compensate/linear';
import { FeedbackRounder, SimdRounder } from '../../../src/engine/compensate/roundRows';
import { PlainPredictor, SimdPredictor } from '../../../src/engine/compensate/predictor';
import { PlainSystem, SimdSystem } from '../../../src/engine/compensate/sampledSystem';
import { PlainSolver, SimdSolver } from '../../../src/engine/compensate/solver';
import { algebra } from '../../../src/engine/compensate/simd/algebra';

const simd = algebra()!;

/** @param summed the least magnitude that rounding is relative to: that of the terms, where sums may cancel */
function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, summed = 0): void {
  assert.equal(actual.length, expected.length);
  let largest = summed;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(actual[i] - expected[i]) <= relative * largest + 1e-12,
      `${i}: ${actual[i]} instead of ${expected[i]}`,
    );
}

/** Mean magnitude of targets that are uniform in [−1, 1). */
const MEAN_TARGET = 0.5;

const problem = fc.record({
  taps: fc.integer({ min: 1, max: 21 }),
  rows: fc.integer({ min: 1, max: 1100 }),
  outputs: fc.integer({ min: 1, max: 133 }),
  seed: fc.integer(),
});

/** Uniform in [0, 1), always the same for a seed. */
function generator(seed: number): () => number {
  let s = seed >>> 0;
  return () => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

describe('error compensation in WebAssembly', () => {
  it('sums what the plain implementation sums, whatever the sizes', () => {
    fc.assert(
      fc.property(problem, ({ taps, rows, outputs, seed }) => {
        const random = generator(seed);
        const codes = Int16Array.from({ length: taps * rows }, () => Math.floor(random() * 511) - 255);
        const targets = Float32Array.from({ length: outputs * rows }, () => random() * 2 - 1);
        const weights = Float64Array.from({ length: outputs * taps }, () => random() * 2 - 1);
        const plain = new PlainSystem(codes, taps, rows);
        const fast = new SimdSystem(simd, codes, taps, rows);
        assert.deepEqual(fast.mean, plain.mean);
        closeTo(fast.covariance(), plain.covariance(), 1e-9);
        const offsets = Float64Array.from({ length: outputs }, () => Math.fround(random() - 0.5));
        for (const prediction of [
          null,
          { weights, clamp: { min: -0.5, max: null } },
          { weights: weights.map((w) => w / 255), clamp: { min: -0.25, max: 0.75 } },
        ]) {
          const expected = plain.correlate(targets, offsets, prediction);
          const actual = fast.correlate(targets, offsets, prediction);
          closeTo(actual.products, expected.products, 1e-3);
          // All means may be near 0 where there are few; what they are summed from is as large as the targets.
          closeTo(actual.means, expected.means, 1e-5, MEAN_TARGET / Math.sqrt(rows));
        }
        closeTo(fast.predict(weights, outputs), plain.predict(weights, outputs), 1e-5);
        // Once more: what was placed before is not overwritten.
        closeTo(fast.predict(weights, outputs), plain.predict(weights, outputs), 1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it('predicts exactly what the plain implementation predicts, beside a system in the same memory', () => {
    fc.assert(
      fc.property(problem, ({ taps, rows, outputs, seed }) => {
        const random = generator(seed);
        const codes = Int16Array.from({ length: taps * rows }, () => Math.floor(random() * 511) - 255);
        const weights = Float64Array.from({ length: outputs * taps }, () => random() * 2 - 1);
        const offsets = Float64Array.from({ length: outputs }, () => random() * 2 - 1);
        const system = new SimdSystem(simd, codes, taps, rows);
        const before = system.predict(weights, outputs);
        const predictionsOf = (predictor: Pick<PlainPredictor, 'predict'>): Float64Array[] => {
          const all: Float64Array[] = [];
          predictor.predict(weights, offsets, (o, values) => (all[o] = values.slice()));
          return all;
        };
        assert.deepEqual(
          predictionsOf(new SimdPredictor({ taps, rows, codes }, simd)),
          predictionsOf(new PlainPredictor({ taps, rows, codes })),
        );
        assert.deepEqual(system.predict(weights, outputs), before);
      }),
      { numRuns: 30 },
    );
  });

  it('solves what the plain implementation solves, whatever the sizes, beside a system in the same memory', () => {
    fc.assert(
      fc.property(
        fc.record({ n: fc.integer({ min: 1, max: 70 }), count: fc.integer({ min: 1, max: 19 }), seed: fc.integer() }),
        ({ n, count, seed }) => {
          const random = generator(seed);
          const a = gram(
            Float64Array.from({ length: n * 80 }, () => random() * 2 - 1),
            n,
            80,
          );
          for (let k = 0; k < n; k++) a[k * n + k] += 1;
          const right = Float64Array.from({ length: n * count }, () => random() * 2 - 1);
          const codes = Int16Array.from({ length: n * 50 }, () => Math.floor(random() * 16));
          const system = new SimdSystem(simd, codes, n, 50);
          const before = system.predict(right, count);
          const fast = new SimdSolver(a, n, simd);
          const plain = new PlainSolver(a, n);
          for (let round = 0; round < 2; round++) {
            const [x, y] = [right.slice(), right.slice()];
            fast.solve(x, count);
            plain.solve(y, count);
            closeTo(x, y, 1e-9);
            // Solutions satisfy the equations.
            for (let r = 0; r < count; r++)
              closeTo(
                Float64Array.from({ length: n }, (_, i) =>
                  a.subarray(i * n, (i + 1) * n).reduce((sum, v, k) => sum + v * x[r * n + k], 0),
                ),
                right.subarray(r * n, (r + 1) * n),
                1e-9,
              );
          }
          assert.deepEqual(system.predict(right, count), before);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('refuses a matrix that is not positive definite, as the plain implementation does', () => {
    const a = new Float64Array(30 * 30);
    for (let k = 0; k < 30; k++) a[k * 30 + k] = k === 25 ? -1 : 1;
    assert.throws(() => new PlainSolver(a, 30), RangeError);
    assert.throws(() => new SimdSolver(a, 30, simd), RangeError);
  });

  it('counts the largest codes exactly: no sum overflows', () => {
    const codes = new Int16Array(2 * 32_768).fill(255).fill(-255, 32_768 + 16_384);
    closeTo(new SimdSystem(simd, codes, 2, 32_768).covariance(), new PlainSystem(codes, 2, 32_768).covariance(), 1e-12);
  });

  it('rounds rows with the error that the plain implementation leaves', () => {
    fc.assert(
      fc.property(
        fc.record({
          top: fc.constantFrom(7, 127),
          taps: fc.integer({ min: 1, max: 40 }),
          rows: fc.integer({ min: 1, max: 9 }),
          seed: fc.integer(),
        }),
        ({ top, taps, rows, seed }) => {
          const random = generator(seed);
          const inputs = Float64Array.from({ length: taps * 64 }, (_, i) => random() + 2 * Math.sin(i));
          const hessian = gram(inputs, taps, 64);
          for (let k = 0; k < taps; k++) hessian[k * taps + k] += 0.1 * hessian[0];
          const weights = Float64Array.from({ length: rows * taps }, () => random() * 2 - 1);
          const errorOf = (rounder: Pick<FeedbackRounder, 'round'>): number => {
            const codes = new Int8Array(rows * taps);
            const scales = new Float64Array(rows);
            rounder.round(weights, rows, codes, scales);
            assert.ok(codes.every((c) => c >= -top && c <= top));
            let sum = 0;
            for (let o = 0; o < rows; o++) {
              const e = Float64Array.from(
                { length: taps },
                (_, k) => weights[o * taps + k] - scales[o] * codes[o * taps + k],
              );
              for (let i = 0; i < taps; i++) for (let j = 0; j < taps; j++) sum += e[i] * hessian[i * taps + j] * e[j];
            }
            return sum;
          };
          const plain = errorOf(new FeedbackRounder(hessian, taps, top));
          const fast = errorOf(new SimdRounder(hessian, taps, top, simd));
          let power = 0;
          for (const w of weights) power += w * w * hessian[0];
          // Ties fall differently in 32 bits: a row may end in another local minimum.
          assert.ok(
            fast <= 1.5 * plain + 1e-3 * power && plain <= 1.5 * fast + 1e-3 * power,
            `${fast} against ${plain}`,
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
