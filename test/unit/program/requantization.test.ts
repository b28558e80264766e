import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mulhi, requantize as apply } from './formula';
import { branchShifts, requantTable, scaledSumTable } from '../../../src/engine/program/requantization';

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
          const table = requantTable(Float64Array.from(factors), Float64Array.from(bias), Float64Array.of(bound), 'layer');
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
      fc.property(fc.double({ min: 1e-4, max: 0.05, noNaN: true }), fc.integer({ min: -20000, max: 20000 }), fc.constantFrom(0, -4, -6), fc.constantFrom(0, -4, -6), (factor, acc, input, output) => {
        const bound = 2 ** 15;
        const table = requantTable(Float64Array.of(factor), Float64Array.of(37), Float64Array.of(bound), 'layer');
        const shifts = branchShifts(table, input, output, (bound + 64) * 2 ** -input, 'layer');
        const bias = table.bias[0] * 2 ** shifts.biasShift;
        const y = apply(acc * 2 ** -input + bias, table.multiplier[0], shifts.preShift, shifts.shift);
        const shared = table.shift < 6 ? 2 ** (-table.shift - 1 - output) : 0;
        assert.ok(Math.abs(y - (acc + 37) * factor * 2 ** -output) <= 0.55 + factor * 2 ** -output + shared, `${y}`);
      }),
    );
  });

  it('an accumulator that could overflow is refused by name', () => {
    assert.throws(() => requantTable(Float64Array.of(0.1), Float64Array.of(0), Float64Array.of(2 ** 31), 'Layer "big"'), /Layer "big".*overflow 32 bits/);
  });

  it('equal scales add without multiplication', () => {
    const table = scaledSumTable([Float64Array.of(1, 1), Float64Array.of(1, 1)], [Int32Array.of(0, 0), Int32Array.of(0, 0)], Int32Array.of(0, 0));
    assert.deepEqual([table.shift, [...table.multipliers[0]], [...table.offset]], [0, [1, 1], [0, 0]]);
  });

  it('scaled sums round to nearest and honor zero points', () => {
    const zero = fc.integer({ min: 0, max: 255 });
    const ratio = fc.double({ min: 0.05, max: 8, noNaN: true });
    fc.assert(
      fc.property(ratio, ratio, zero, zero, zero, zero, zero, (ra, rb, za, zb, zo, a, b) => {
        const table = scaledSumTable([Float64Array.of(ra), Float64Array.of(-rb)], [Int32Array.of(za), Int32Array.of(zb)], Int32Array.of(zo));
        const y = (a * table.multipliers[0][0] + b * table.multipliers[1][0] + table.offset[0]) >> table.shift;
        const real = ra * (a - za) - rb * (b - zb) + zo;
        assert.ok(Math.abs(y - real) <= 0.5 + 255 * 2 * 2 ** -table.shift, `${real} became ${y}`);
      }),
    );
  });

  it('the formula of this test is the one of the contract', () => {
    assert.equal(mulhi(-1, 1), -1);
    assert.equal(mulhi(2 ** 30, 2 ** 30), 2 ** 28);
    assert.equal(apply(5, 2 ** 30, 3, 1), Math.round((5 * 8) / 4 / 2));
  });
});
