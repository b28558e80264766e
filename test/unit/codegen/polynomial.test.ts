import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { fitsPolynomial } from '../../../src/engine/codegen/polynomial';
import type { Access, Kernel, Program } from '../../../src/engine/program/types';

const window = { kernelH: 3, kernelW: 3, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1 };

/** Whether weights [9][channels] fit. */
function fits(values: readonly number[], channels: number, { bits = 8, padCodes = null as number | null, strideW = 1 } = {}): boolean {
  const program = { buffers: [{ bits, signed: false }], constants: [{ values: Int8Array.from(values) }] } as unknown as Program;
  const kernel = { op: 'depthwise2d', window: { ...window, strideW }, padCodes, weights: 0 } as unknown as Extract<Kernel, { op: 'depthwise2d' }>;
  return fitsPolynomial(program, { buffer: 0, channels } as unknown as Access, kernel);
}

describe('depthwise convolutions by polynomials', () => {
  it('are made where sums of a channel, whatever the codes, stay within a coefficient', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 18, maxLength: 18 }), (values) => {
        const within = [0, 1].every((c) => {
          const own = values.filter((_, i) => i % 2 === c);
          const sum = (sign: number): number => own.reduce((total, w) => total + (w * sign > 0 ? 255 * w : 0), 0);
          return sum(1) <= 32767 && sum(-1) >= -32768;
        });
        assert.equal(fits(values, 2), within);
      }),
    );
  });

  it('are made of all weights of 4 bits, and of all codes of 4 bits', () => {
    for (const weight of [-8, 7]) assert.ok(fits(Array<number>(18).fill(weight), 2));
    for (const weight of [-128, 127]) assert.ok(fits(Array<number>(18).fill(weight), 2, { bits: 4 }) && !fits(Array<number>(18).fill(weight), 2));
  });

  it('are not made for 2-bit codes, other padding, strides or channels', () => {
    const ones = Array<number>(18).fill(1);
    assert.ok(fits(ones, 2));
    assert.ok(!fits(ones, 2, { bits: 2 }) && !fits(ones, 2, { padCodes: 1 }) && !fits(ones, 2, { strideW: 2 }));
    assert.ok(!fits(Array<number>(9).fill(1), 1));
  });
});
