import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseDamping, DAMPINGS, USUAL_DAMPING } from '../../../src/engine/compensate/damping';
import type { Samples } from '../../../src/engine/compensate/leastSquares';

const unclamped = { min: null, max: null };

/** Deterministic values in [−1, 1). */
function generator(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  };
}

/** Samples whose targets are what `truth` makes of the codes, and noise. */
function samplesOf(
  random: () => number,
  size: { taps: number; outputs: number; rows: number },
  truth: Float64Array,
  noise: number,
): Samples {
  const { taps, outputs, rows } = size;
  const codes = Int16Array.from({ length: taps * rows }, () => Math.round(7.5 + 7.5 * random()));
  const targets = new Float32Array(outputs * rows);
  for (let o = 0; o < outputs; o++) {
    for (let t = 0; t < rows; t++) {
      let sum = noise * random();
      for (let k = 0; k < taps; k++) sum += truth[o * taps + k] * codes[k * rows + t];
      targets[o * rows + t] = sum;
    }
  }
  return { ...size, codes, targets };
}

describe('damping by cross-validation', () => {
  const taps = 40;
  const outputs = 3;
  const images = 32;

  it('is the least where many exact samples contradict the given weights', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = generator(seed);
        const truth = Float64Array.from({ length: taps * outputs }, random);
        const weights = truth.map((w) => w + 0.5 * random());
        assert.equal(
          chooseDamping(samplesOf(random, { taps, outputs, rows: images * 16 }, truth, 0), weights, unclamped, images),
          DAMPINGS[0],
        );
      }),
      { numRuns: 10 },
    );
  });

  it('is large where the given weights are right and there is a sample per image and much noise', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = generator(seed);
      const size = { taps, outputs: 16, rows: 64 };
      const truth = Float64Array.from({ length: taps * size.outputs }, random);
      const damping = chooseDamping(samplesOf(random, size, truth, 40), truth, unclamped, size.rows);
      assert.ok(damping >= 32, `${damping}`);
    }
  });

  it('counts no error beyond the clamp', () => {
    const random = generator(5);
    const truth = Float64Array.from({ length: taps * outputs }, random);
    const wrong = truth.map((w) => w + 0.3 * random());
    const samples = samplesOf(random, { taps, outputs, rows: images * 16 }, truth, 0);
    assert.equal(chooseDamping(samples, wrong, unclamped, images), DAMPINGS[0]);
    // All targets lie far below the lower bound, and so does every fit: nothing distinguishes them, and nothing is
    // changed.
    const clipped = { ...samples, targets: samples.targets.map((v) => v - 1e4) };
    assert.equal(chooseDamping(clipped, wrong, { min: 0, max: null }, images), USUAL_DAMPING);
  });

  it('is the usual one for a few images', () => {
    const random = generator(7);
    const truth = Float64Array.from({ length: taps }, random);
    assert.equal(
      chooseDamping(
        samplesOf(random, { taps, outputs: 1, rows: 15 * 16 }, truth, 0),
        truth.map((w) => w + 0.5),
        unclamped,
        15,
      ),
      USUAL_DAMPING,
    );
  });
});
