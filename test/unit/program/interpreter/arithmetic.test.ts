import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  maxCode,
  minCode,
  mulhi,
  mulhiSplit,
  roundingShift,
  saturate,
  shiftBias,
} from '../../../../src/engine/program/arithmetic';

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
/** 32-bit integers, the extremes and their neighbours often. */
const int32 = fc.oneof(
  fc.integer({ min: INT32_MIN, max: INT32_MAX }),
  fc.constantFrom(INT32_MIN, INT32_MIN + 1, -65537, -65536, -65535, -1, 0, 1, 65535, 65536, INT32_MAX - 1, INT32_MAX),
);
/** ⌊a / 2ⁿ⌋; BigInt's shift is a floor. */
const floorShift = (a: bigint, n: number): number => Number(a >> BigInt(n));

describe('arithmetic', () => {
  it('mulhi is the floor of the 64-bit product over 2^32', () => {
    fc.assert(
      fc.property(int32, int32, (a, m) => {
        const expected = floorShift(BigInt(a) * BigInt(m), 32);
        assert.equal(mulhi(a, m) + 0, expected);
        assert.equal(mulhiSplit(a, m >> 16, m & 0xffff) + 0, expected);
      }),
      { numRuns: 20_000 },
    );
  });

  it('roundingShift rounds halves up', () => {
    assert.deepEqual(
      [-3, -2, -1, 0, 1, 2, 3].map((y) => roundingShift(y, 1)),
      [-1, -1, 0, 0, 1, 1, 2],
    );
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 }), fc.integer({ min: 1, max: 31 }), (y, shift) => {
        assert.equal(roundingShift(y, shift), floorShift(BigInt(y) + (1n << BigInt(shift - 1)), shift));
      }),
    );
  });

  it('saturate clamps, the upper bound last', () => {
    fc.assert(
      fc.property(int32, int32, int32, (y, min, max) =>
        assert.equal(saturate(y, min, max), Math.min(Math.max(y, min), max)),
      ),
    );
  });

  it('shiftBias follows the formula of a branch', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 18), max: 2 ** 18 }), fc.integer({ min: -20, max: 12 }), (bias, shift) => {
        const expected =
          shift >= 0
            ? Number(BigInt(bias) << BigInt(shift))
            : floorShift(BigInt(bias) + (1n << BigInt(-shift - 1)), -shift);
        assert.equal(shiftBias(bias, shift), expected);
      }),
    );
  });

  it('knows the range of every format', () => {
    const ranges = [2, 4, 8].flatMap((bits) =>
      [false, true].map((signed) => [minCode(bits, signed), maxCode(bits, signed)]),
    );
    assert.deepEqual(ranges, [
      [0, 3],
      [-2, 1],
      [0, 15],
      [-8, 7],
      [0, 255],
      [-128, 127],
    ]);
  });
});
