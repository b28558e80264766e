import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { fitsPolynomial } from '../../../src/engine/codegen/weights/polynomial';
import { mulhi, roundingShift, saturate } from '../../../src/engine/program/arithmetic';
import type { Access, KernelOf, Program } from '../../../src/engine/program/types';

const window = { kernelH: 3, kernelW: 3, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1 };
const even = 2 ** 20;

interface Options {
  readonly bits?: number;
  readonly signed?: boolean;
  readonly padCodes?: number | null;
  readonly strideW?: number;
  readonly bias?: number;
  readonly multiplier?: number;
  readonly preShift?: number;
  readonly shift?: number;
  readonly max?: number;
}

/** Whether weights [9][channels] fit, all channels of one bias and multiplier. */
function fits(
  values: readonly number[],
  channels: number,
  {
    bits = 8,
    signed = false,
    padCodes = null,
    strideW = 1,
    bias = 0,
    multiplier = even,
    preShift = 0,
    shift = 6,
    max = 255,
  }: Options = {},
): boolean {
  const constants = [
    Int8Array.from(values),
    new Int32Array(channels).fill(bias),
    new Int32Array(channels).fill(multiplier),
  ].map((v) => ({ values: v }));
  const program = {
    buffers: [
      { bits, signed },
      { bits: 8, signed: false },
    ],
    constants,
  } as unknown as Program;
  const requant = { bias: 1, biasShift: 0, multiplier: 2, preShift, shift, min: 0, max };
  const kernel = {
    op: 'depthwise2d',
    window: { ...window, strideW },
    padCodes,
    weights: 0,
    requant,
  } as unknown as KernelOf<'depthwise2d'>;
  return fitsPolynomial(
    program,
    { buffer: 0, channels } as unknown as Access,
    { buffer: 1, channels } as unknown as Access,
    kernel,
  );
}

/** The sums of a channel's negative and positive products with the largest code. */
function range(weights: readonly number[], largestCode = 255): [number, number] {
  const sum = (sign: number): number => weights.reduce((total, w) => total + (w * sign > 0 ? largestCode * w : 0), 0);
  return [sum(-1), sum(1)];
}

/** The code of a sum as qmcu_depthwise2d_dsp_weights.c and qmcu_depthwise2d_dsp_polynomial.h make it. */
function codeOf(sum: number, bias: number, multiplier: number, preShift: number, shift: number, max: number): number {
  const steps = Math.floor((bias + 2 ** 14) / 2 ** 15);
  const coefficient = sum + bias - steps * 2 ** 15;
  assert.ok(coefficient >= -(2 ** 15) && coefficient < 2 ** 15, 'leaves its coefficient');
  const used = steps % 2 === 0 ? multiplier : multiplier - (multiplier % 2);
  const n = shift + 16 - preShift;
  const above = 255 - max;
  const y = Math.floor((coefficient * used) / 2 ** 16) + 2 ** (n - 1) + above * 2 ** n + (steps * used) / 2;
  assert.equal(y, y | 0, 'leaves 32 bits');
  return Math.max(0, saturate(Math.floor(y / 2 ** n), 0, 255) - above);
}

describe('depthwise convolutions by polynomials', () => {
  it('are made where sums of a channel, whatever the codes, stay within a coefficient', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 18, maxLength: 18 }), (values) => {
        const within = [0, 1].every((c) => {
          const [least, largest] = range(values.filter((_, i) => i % 2 === c));
          return largest <= 32767 && least >= -32768;
        });
        assert.equal(fits(values, 2), within);
      }),
    );
  });

  it('are made of weights and codes of 4 bits', () => {
    for (const weight of [-8, 7]) assert.ok(fits(Array<number>(18).fill(weight), 2));
    for (const weight of [-128, 127])
      assert.ok(fits(Array<number>(18).fill(weight), 2, { bits: 4 }) && !fits(Array<number>(18).fill(weight), 2));
  });

  it('make the codes of the reference of every sum, whatever the bias and the multiplier', () => {
    let made = 0;
    const samples = fc.record({
      weights: fc.array(fc.integer({ min: -8, max: 7 }), { minLength: 9, maxLength: 9 }),
      bias: fc.oneof(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: -300_000, max: 300_000 })),
      multiplier: fc.integer({ min: 14, max: 30 }).chain((n) => fc.integer({ min: 2 ** n, max: 2 ** (n + 1) - 1 })),
      preShift: fc.integer({ min: 0, max: 12 }),
      shift: fc.integer({ min: 1, max: 12 }),
      max: fc.integer({ min: 0, max: 255 }),
      place: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }),
    });
    fc.assert(
      fc.property(samples, ({ weights, bias, multiplier, preShift, shift, max, place }) => {
        if (
          !fits(
            weights.flatMap((w) => [w, w]),
            2,
            { bias, multiplier, preShift, shift, max },
          )
        )
          return;
        made++;
        const [least, largest] = range(weights);
        for (const part of [0, 1, ...place]) {
          const sum = Math.round(least + part * (largest - least));
          const a = (sum + bias) * 2 ** preShift;
          assert.equal(
            codeOf(sum, bias, multiplier, preShift, shift, max),
            saturate(roundingShift(mulhi(a, multiplier), shift), 0, max),
          );
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(made > 100, `${made} were made`);
  });

  it('take odd multipliers but for odd steps of the bias with which an even one makes other codes', () => {
    const ones = Array<number>(18).fill(1);
    // 32 768 * 2^12 * m / 2^32 / 2^1: with m one less, one sum in 64 or so has another code.
    const fine = { preShift: 12, shift: 1 };
    assert.ok(!fits(ones, 2, { ...fine, bias: 32_768, multiplier: 1_234_567 }));
    assert.ok(
      fits(ones, 2, { ...fine, bias: 32_768, multiplier: 1_234_566 }) &&
        fits(ones, 2, { ...fine, bias: 65_536, multiplier: 1_234_567 }),
    );
    assert.ok(fits(ones, 2, { bias: 32_768, multiplier: 1_234_567, shift: 12 }));
  });

  it('are made for codes of all bits, but not for other padding, strides or channels', () => {
    const ones = Array<number>(18).fill(1);
    assert.ok(fits(ones, 2));
    assert.ok(
      fits(ones, 2, { bits: 2 }) &&
        fits(ones, 2, { bits: 4 }) &&
        !fits(ones, 2, { padCodes: 1 }) &&
        !fits(ones, 2, { strideW: 2 }),
    );
    assert.ok(!fits(Array<number>(9).fill(1), 1));
  });
});
