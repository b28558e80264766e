import assert from 'node:assert/strict';
import { fitWeights } from '../../../src/engine/compensate/leastSquares';
import { clippedTarget } from '../../../src/engine/compensate/sampledSystem';
import { cholesky, gram, rowProducts, solveRows, transpose } from '../../../src/engine/compensate/linear';
import { samplePixels } from '../../../src/engine/compensate/positions';
import { roundRows } from '../../../src/engine/compensate/roundRows';

/** Deterministic values in [−1, 1). */
function values(n: number, seed: number): Float64Array {
  let s = seed >>> 0;
  return Float64Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

function naiveProducts(a: Float64Array, aRows: number, b: Float64Array, bRows: number, n: number): Float64Array {
  const out = new Float64Array(aRows * bRows);
  for (let i = 0; i < aRows; i++)
    for (let j = 0; j < bRows; j++) for (let t = 0; t < n; t++) out[i * bRows + j] += a[i * n + t] * b[j * n + t];
  return out;
}

function close(actual: Float64Array, expected: Float64Array, tolerance = 1e-9): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((v, i) => assert.ok(Math.abs(v - expected[i]) <= tolerance, `${i}: ${v} instead of ${expected[i]}`));
}

/** e·H·eᵀ of one row. */
function rowError(weights: Float64Array, codes: Int8Array, scale: number, h: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) sum += (weights[i] - scale * codes[i]) * h[i * n + j] * (weights[j] - scale * codes[j]);
  return sum;
}

describe('error compensation', () => {
  it('multiplies rows in blocks as one by one, whatever the sizes', () => {
    for (const [a, b, n] of [
      [1, 1, 1],
      [2, 4, 7],
      [3, 5, 16],
      [5, 9, 33],
      [4, 3, 2],
    ]) {
      const x = values(a * n, 1);
      const y = values(b * n, 2);
      const out = new Float64Array(a * b);
      rowProducts(x, a, y, b, n, out);
      close(out, naiveProducts(x, a, y, b, n));
      close(gram(x, a, n), naiveProducts(x, a, x, a, n));
    }
  });

  it('solves a positive definite system by Cholesky and refuses another', () => {
    const n = 7;
    const a = gram(values(n * 20, 3), n, 20);
    const x = values(n * 2, 4);
    const right = naiveProducts(x, 2, a, n, n);
    const l = cholesky(a, n);
    close(naiveProducts(l, n, l, n, n), a);
    solveRows(l, transpose(l, n, n), n, right, 2);
    close(right, x, 1e-8);
    assert.throws(() => cholesky(Float64Array.of(1, 2, 2, 1), 2), RangeError);
  });

  it('finds the weights and mean that made the targets', () => {
    const taps = 5;
    const rows = 200;
    const codes = Int16Array.from(values(taps * rows, 5), (v) => Math.round(v * 7) + 3);
    const truth = values(2 * taps, 6);
    const targets = Float32Array.from(
      naiveProducts(truth, 2, transpose(Float64Array.from(codes), taps, rows), rows, taps),
    );
    const start = truth.map((w, i) => w + (i % 2 === 0 ? 0.1 : -0.1));
    const fit = fitWeights(
      { taps, outputs: 2, rows, codes: codes.slice(), targets },
      start,
      { min: null, max: null },
      1e-9,
    );
    close(fit.weights, truth, 1e-5);
    const tied = fitWeights(
      { taps, outputs: 2, rows, codes: codes.slice(), targets },
      start,
      { min: null, max: null },
      1e9,
    );
    close(tied.weights, start, 1e-5);
  });

  it('asks nothing of a prediction beyond the clamp, and the bound of one inside', () => {
    const relu6 = { min: 0, max: 6 };
    assert.equal(clippedTarget(-3, -1, relu6), -1);
    assert.equal(clippedTarget(-3, 2, relu6), 0);
    assert.equal(clippedTarget(9, 7, relu6), 7);
    assert.equal(clippedTarget(9, 5, relu6), 6);
    assert.equal(clippedTarget(4, 5, relu6), 4);
  });

  it('rounds 4-bit rows with less error than to nearest at the same H', () => {
    const n = 24;
    const rows = 6;
    // Strongly correlated inputs: errors can cancel.
    const base = values(60, 7);
    const inputs = values(n * 60, 8).map((v, i) => v + 3 * base[i % 60]);
    const h = gram(inputs, n, 60);
    for (let k = 0; k < n; k++) h[k * n + k] += 0.1;
    const weights = values(rows * n, 9);
    const { codes, scales } = roundRows(weights, rows, n, h, 4);
    let feedback = 0;
    let plain = 0;
    for (let o = 0; o < rows; o++) {
      const row = weights.subarray(o * n, (o + 1) * n);
      const own = codes.subarray(o * n, (o + 1) * n);
      assert.ok(own.every((c) => c >= -7 && c <= 7));
      const full = row.reduce((m, w) => Math.max(m, Math.abs(w)), 0) / 7;
      const nearest = [1, 0.9, 0.8, 0.7, 0.6, 0.5].map((f) =>
        rowError(
          row,
          Int8Array.from(row, (w) => Math.max(-7, Math.min(7, Math.round(w / (full * f))))),
          full * f,
          h,
          n,
        ),
      );
      const error = rowError(row, own, scales[o], h, n);
      feedback += error;
      plain += Math.min(...nearest);
    }
    assert.ok(feedback < 0.6 * plain, `${feedback} against ${plain}`);
  });

  it('rounds rows of independent inputs to nearest, and leaves empty rows empty', () => {
    const weights = Float64Array.of(1, -0.5, 0.25, 0, 0, 0);
    for (const [bits, step] of [
      [8, 1 / 127],
      [4, 1 / 7],
    ] as const) {
      const { codes, scales } = roundRows(weights, 2, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), bits);
      for (let k = 0; k < 3; k++)
        assert.ok(Math.abs(weights[k] - scales[0] * codes[k]) <= 0.51 * Math.max(step, scales[0]));
      assert.deepEqual([...codes.subarray(3)], [0, 0, 0]);
      assert.equal(scales[1], 1);
    }
  });

  it('samples pixels of every part of a map, the same ones each time', () => {
    const pixels = samplePixels(1000, 10, 42);
    assert.deepEqual(
      [...pixels].map((p) => Math.floor(p / 100)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(pixels, samplePixels(1000, 10, 42));
    assert.deepEqual([...samplePixels(3, 10, 1)], [0, 1, 2]);
  });
});
