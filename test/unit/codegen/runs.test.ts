import assert from 'node:assert/strict';
import fc from 'fast-check';
import { longestRun } from '../../../src/engine/codegen/weights/runs';

/** Whether every run of `n` products from a multiple of four on stays in 16 bits, and all shorter ones. */
function fits(row: readonly number[], n: number, min: number, max: number): boolean {
  for (let from = 0; from < row.length; from += 4) {
    let low = 0;
    let high = 0;
    for (let k = from; k < Math.min(row.length, from + n); k++) {
      low += Math.min(row[k] * min, row[k] * max);
      high += Math.max(row[k] * min, row[k] * max);
      if (low < -32768 || high > 32767) return false;
    }
  }
  return true;
}

describe('longestRun', () => {
  it('is the longest multiple of four whose sums stay in 16 bits, in every row', () => {
    fc.assert(
      fc.property(
        fc.constantFrom({ min: 0, max: 255 }, { min: -128, max: 127 }, { min: 0, max: 15 }, { min: -2, max: 1 }),
        fc.integer({ min: 1, max: 90 }).chain((length) =>
          fc.record({
            length: fc.constant(length),
            rows: fc.array(fc.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length }), {
              minLength: 1,
              maxLength: 4,
            }),
          }),
        ),
        fc.constantFrom(1, 16),
        ({ min, max }, { length, rows: given }, divisor) => {
          const rows = given.map((row) => row.map((w) => Math.trunc(w / divisor)));
          const run = longestRun(rows.flat(), length, { min, max });
          assert.equal(run % 4, 0);
          assert.ok(rows.every((row) => fits(row, run, min, max)));
          if (run < length) assert.ok(!rows.every((row) => fits(row, run + 4, min, max)));
        },
      ),
    );
  });

  it('covers eighteen products of the largest codes and 4-bit weights, rounded to fours', () => {
    assert.equal(longestRun(new Int8Array(64).fill(7), 64, { min: 0, max: 255 }), 16);
    assert.equal(longestRun(new Int8Array(64).fill(-128), 64, { min: 0, max: 255 }), 0);
  });
});
