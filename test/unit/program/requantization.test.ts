import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mulhi, requantize as apply } from './formula';
import { branchShifts, requantTable, scaledSumTable, type SumErrors } from '../../../src/engine/program/requantization';

/** Channels of equal scales, 8-bit codes. */
const errors = (channels: number): SumErrors => ({
  outputScales: new Float64Array(channels).fill(0.1),
  outputCodes: 255,
  inputReach: [255, 255],
});

describe('requantization', () => {
  it('is within a code of the real product, half a code but for a sliver where the accumulator leaves room', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 0.2, noNaN: true }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1000, max: 2 ** 22 }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (factors, bound, share, biasShare) => {
          const bias = factors.map(() => Math.round(biasShare * bound));
          const table = requantTable(
            Float64Array.from(factors),
            Float64Array.from(bias),
            Float64Array.of(bound),
            'layer',
          );
          const acc = Math.round(share * bound);
          factors.forEach((factor, c) => {
            const y = apply(acc + table.bias[c], table.multiplier[c], table.preShift, table.shift);
            const real = (acc + bias[c]) * factor;
            const relative = Math.abs(real) * 2 ** -20 * (Math.max(...factors) / factor);
            assert.ok(Math.abs(y - real) <= 0.52 + relative, `${real} became ${y}`);
          });
        },
      ),
    );
  });

  it('branches at finer codes compute the same values with other shifts', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 0.05, noNaN: true }),
        fc.integer({ min: -20000, max: 20000 }),
        fc.constantFrom(0, -4, -6),
        fc.constantFrom(0, -4, -6),
        (factor, acc, input, output) => {
          const bound = 2 ** 15;
          const table = requantTable(Float64Array.of(factor), Float64Array.of(37), Float64Array.of(bound), 'layer');
          const shifts = branchShifts(table, input, output, (bound + 64) * 2 ** -input, 'layer');
          const bias = table.bias[0] * 2 ** shifts.biasShift;
          const y = apply(acc * 2 ** -input + bias, table.multiplier[0], shifts.preShift, shifts.shift);
          const shared = table.shift < 6 ? 2 ** (-table.shift - 1 - output) : 0;
          assert.ok(Math.abs(y - (acc + 37) * factor * 2 ** -output) <= 0.55 + factor * 2 ** -output + shared, `${y}`);
        },
      ),
    );
  });

  it('branches of an output that was 0 on all samples end at its highest code, as it does', () => {
    fc.assert(
      fc.property(fc.double({ min: 30, max: 1e12, noNaN: true }), fc.integer({ min: 1, max: 5000 }), (factor, acc) => {
        const table = requantTable(Float64Array.of(factor), Float64Array.of(629), Float64Array.of(5000), 'layer');
        const base = apply(acc + table.bias[0], table.multiplier[0], table.preShift, table.shift);
        const { preShift, shift } = branchShifts(table, 0, -6, 5219, 'layer');
        const branch = apply(acc + table.bias[0], table.multiplier[0], preShift, shift);
        assert.ok(shift >= 1 && base >= 3 && branch >= 255, `${base} became ${branch} by a shift of ${shift}`);
      }),
    );
  });

  it('an accumulator that could overflow is refused by name', () => {
    assert.throws(
      () => requantTable(Float64Array.of(0.1), Float64Array.of(0), Float64Array.of(2 ** 31), 'Layer "big"'),
      /Layer "big".*overflow 32 bits/,
    );
  });

  it('equal scales add without multiplication', () => {
    const table = scaledSumTable(
      [Float64Array.of(1, 1), Float64Array.of(1, 1)],
      [Int32Array.of(0, 0), Int32Array.of(0, 0)],
      Int32Array.of(0, 0),
      errors(2),
    );
    assert.deepEqual([table.shift, [...table.multipliers[0]], [...table.offset]], [0, [1, 1], [0, 0]]);
  });

  it('scaled sums round to nearest and honor zero points', () => {
    const zero = fc.integer({ min: 0, max: 255 });
    const ratio = fc.double({ min: 0.05, max: 8, noNaN: true });
    fc.assert(
      fc.property(ratio, ratio, zero, zero, zero, zero, zero, (ra, rb, za, zb, zo, a, b) => {
        const table = scaledSumTable(
          [Float64Array.of(ra), Float64Array.of(-rb)],
          [Int32Array.of(za), Int32Array.of(zb)],
          Int32Array.of(zo),
          errors(1),
        );
        const y = (a * table.multipliers[0][0] + b * table.multipliers[1][0] + table.offset[0]) >> table.shift;
        const real = ra * (a - za) - rb * (b - zb) + zo;
        assert.ok(Math.abs(y - real) <= 0.5 + 255 * 2 * 2 ** -table.shift, `${real} became ${y}`);
      }),
    );
  });

  it('a channel that is nearly 0 does not take the others their precision', () => {
    // Output scales of 1e-5 and 1: the first channel saturates as soon as one of its inputs is not 0.
    const scales = Float64Array.of(1e-5, 1);
    const rows = [0.3, 0.7].map((s) => Float64Array.from(scales, (scale) => s / scale));
    const zero = Int32Array.of(0, 0);
    const table = scaledSumTable(rows, [zero, zero], zero, {
      outputScales: scales,
      outputCodes: 255,
      inputReach: [127, 127],
    });
    const code = (c: number, a: number, b: number): number =>
      Math.max(
        0,
        Math.min(255, (a * table.multipliers[0][c] + b * table.multipliers[1][c] + table.offset[c]) >> table.shift),
      );
    for (const [a, b] of [
      [100, 100],
      [127, 3],
      [1, 1],
      [40, 77],
    ])
      assert.equal(code(1, a, b), Math.floor(0.3 * a + 0.7 * b + 0.5));
    for (const [a, b] of [
      [1, 0],
      [0, 1],
      [127, 127],
    ])
      assert.ok(code(0, a, b) > 0);
    assert.equal(code(0, 0, 0), 0);
  });

  it('the formula of this test is the one of the contract', () => {
    assert.equal(mulhi(-1, 1), -1);
    assert.equal(mulhi(2 ** 30, 2 ** 30), 2 ** 28);
    assert.equal(apply(5, 2 ** 30, 3, 1), Math.round((5 * 8) / 4 / 2));
  });
});
