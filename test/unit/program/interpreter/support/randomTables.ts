import { maxCode, minCode } from '../../../../../src/engine/program/arithmetic';
import type { PerChannel, Requantization, ScaledSum } from '../../../../../src/engine/program/types';
import type { Format, ProgramBuilder } from './programBuilder';

const INT32 = 2 ** 31;

/** Bounds inside a format: all of it or part. */
export function randomClamp(b: ProgramBuilder, format: Format): { min: number; max: number } {
  const min = minCode(format.bits, format.signed);
  const max = maxCode(format.bits, format.signed);
  if (b.random.chance(0.6)) return { min, max };
  const low = b.random.int(min, max);
  return { min: low, max: b.random.int(low, max) };
}

/** A plain number, or a table with other values for every channel. */
export function randomPerChannel(
  b: ProgramBuilder,
  channels: number,
  bits: 16 | 32,
  value: () => number,
): number | PerChannel {
  if (b.random.chance(0.5)) return value();
  const values = Array.from({ length: channels }, value);
  return { constant: bits === 16 ? b.table16(values) : b.table32(values) };
}

/**
 * A requantization whose results use the output's codes and sometimes saturate.
 * @param accBound largest magnitude that an accumulator can have
 * @param typical  magnitude that accumulators usually have
 */
export function randomRequant(
  b: ProgramBuilder,
  channels: number,
  format: Format,
  accBound: number,
  typical: number,
): Requantization {
  const { random } = b;
  const biasShift = random.pick([0, 0, -4, 4, random.int(-12, 8)]);
  const room = INT32 - accBound - 2;
  const biasBound = Math.floor(Math.min(room, typical * random.pick([0.1, 1, 3])) / 2 ** biasShift);
  const bias = Int32Array.from({ length: channels }, () =>
    random.int(-Math.min(biasBound, INT32 - 2 ** 12), Math.min(biasBound, INT32 - 2 ** 12)),
  );
  const reach = Math.min(INT32 - 1, accBound + Math.ceil(typical * 3) + 2);
  const preShift = random.chance(0.5) ? 0 : random.int(0, Math.max(0, 31 - Math.ceil(Math.log2(reach + 1))));
  const multiplier = Int32Array.from({ length: channels }, () =>
    random.chance(0.1) ? random.pick([0, 1, INT32 - 1]) : random.int(2 ** 28, INT32 - 1),
  );
  const ideal = Math.round(Math.log2((typical * 2 ** preShift) / 4 / 2 ** (format.bits - 1)));
  const shift = Math.max(1, Math.min(31, random.chance(0.1) ? random.int(1, 31) : ideal + random.int(-2, 1)));
  const { min, max } = randomClamp(b, format);
  return {
    bias: b.constant('bias', 32, true, bias),
    biasShift,
    multiplier: b.constant('multiplier', 32, true, multiplier),
    preShift,
    shift,
    min,
    max: random.chance(0.7)
      ? max
      : { constant: b.table16(Array.from({ length: channels }, () => random.int(min, max))) },
  };
}

/** Multipliers of one or two inputs and an offset that keep the sum in 32 bits. */
export function randomScaledSum(
  b: ProgramBuilder,
  inputs: readonly Format[],
  channels: number,
  output: Format,
): ScaledSum {
  const { random } = b;
  const shift = random.chance(0.2) ? random.int(0, 31) : random.int(4, 16);
  // Two products of 16-bit codes and the offset stay within 32 bits.
  const limit = inputs.some(({ bits }) => bits === 16) ? 32000 : 32767;
  const size = Math.min(limit, 2 ** Math.max(1, shift + random.int(-2, 2)));
  const multipliers = inputs.map(() =>
    randomPerChannel(b, channels, 16, () =>
      random.chance(0.1) ? random.pick([limit === 32767 ? -32768 : -limit, limit, 0]) : random.int(-size, size),
    ),
  );
  const offset = randomPerChannel(b, channels, 32, () => random.int(-(2 ** 20), 2 ** 20));
  return { multipliers, offset, shift, ...randomClamp(b, output) };
}
