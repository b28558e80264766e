import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { rowsOfGroups, withCommonShift } from '../../../src/engine/codegen/special';
import { mulhi, roundingShift } from '../../../src/engine/program/arithmetic';
import type { Requantization } from '../../../src/engine/program/types';

describe('kernels that layers share', () => {
  it('requantize to the same codes with another shift', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 22 }),
        (number, multiplier, preShift, shift) => {
          // Sums stay in range when they are shifted.
          const sum = number >> preShift;
          const code = (r: Pick<Requantization, 'preShift' | 'shift'>): number =>
            roundingShift(mulhi(sum << r.preShift, multiplier), r.shift);
          const common = withCommonShift({ preShift, shift } as Requantization);
          assert.equal(code(common), code({ preShift, shift }));
          assert.ok(common.preShift === 0 || common.shift <= 5);
        },
      ),
    );
  });

  it('have rows that fit the stack wherever any do', () => {
    for (const kernel of [3, 5])
      for (const stride of [1, 2])
        for (let width = 1; width <= 160; width++) {
          const region = { y0: 0, x0: 0, y1: 40, x1: width };
          const room = Math.floor(2048 / 16 / (Math.ceil(width / 4) * stride + 1));
          const rows = rowsOfGroups(region, kernel, stride, true);
          assert.ok(rows >= kernel && (rows <= room || room < kernel), `${kernel} ${stride} ${width}: ${rows}`);
        }
  });
});
