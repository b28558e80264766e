import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { fitsTwins, twinWeights } from '../../../src/engine/codegen/weights/twins';
import type { Program, Step } from '../../../src/engine/program/types';

/** A fully connected layer's parts that matter here. */
function layer(
  values: readonly number[],
  rows: number,
  bits: 8 | 4 | 2,
  signed: boolean,
): { program: Program; step: Step } {
  const program = {
    buffers: [{ bits, signed }],
    constants: [{ values: Int8Array.from(values) }],
  } as unknown as Program;
  const step = {
    kernel: { op: 'fullyConnected', weights: 0 },
    inputs: [{ buffer: 0 }],
    output: { channels: rows },
  } as unknown as Step;
  return { program, step };
}

const rowsOfWeights = (least: number) =>
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 30 })).chain(([rows, length]) =>
    fc.record({
      rows: fc.constant(rows),
      length: fc.constant(length),
      values: fc.array(fc.integer({ min: least, max: 127 }), { minLength: rows * length, maxLength: rows * length }),
    }),
  );

describe('weights in twins', () => {
  it('give both rows back, and zeros where they are padded', () => {
    fc.assert(
      fc.property(rowsOfWeights(-127), ({ rows, length, values }) => {
        const twins = twinWeights(values, length);
        const padded = Math.ceil(length / 4) * 4;
        assert.equal(twins.byteLength, Math.ceil(rows / 4) * 4 * padded);
        for (let row = 0; row < Math.ceil(rows / 4) * 4; row += 2) {
          for (let k = 0; k < padded; k++) {
            const both = twins[Math.floor(row / 4) * 2 * padded + Math.floor(k / 2) * 4 + (row % 4) + (k % 2)];
            const second = (both << 24) >> 24;
            const inside = (r: number): number => (r < rows && k < length ? values[r * length + k] : 0);
            assert.equal(second, inside(row + 1));
            assert.equal((both - second) / 256, inside(row));
          }
        }
      }),
    );
  });

  it('are refused exactly where a number or a sum of a first row would not fit', () => {
    fc.assert(
      fc.property(
        rowsOfWeights(-128),
        fc.constantFrom<8 | 4 | 2>(8, 4, 2),
        fc.boolean(),
        ({ rows, length, values }, bits, signed) => {
          const { program, step } = layer(values, rows, bits, signed);
          const tooLarge = values.some(
            (w, i) => w === -128 && Math.floor(i / length) % 2 === 0 && (values[i + length] ?? 0) < 0,
          );
          assert.equal(fitsTwins(program, step), !tooLarge);
        },
      ),
    );
    for (const [length, fits] of [
      [259, true],
      [260, false],
    ] as const) {
      const { program, step } = layer(Array<number>(length).fill(127), 1, 8, false);
      assert.equal(255 * 127 * length < 2 ** 23, fits);
      assert.equal(fitsTwins(program, step), fits);
    }
  });
});
