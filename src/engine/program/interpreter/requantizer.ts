import { mulhiSplit, saturate, shiftBias } from '../arithmetic';
import type { Requantization } from '../types';
import { checkClamp, check, type KernelContext } from './context';

/**
 * A {@link Requantization} ready to run: bias shifted, multipliers split for exact products in doubles, one entry per
 * channel.
 */
export class Requantizer {
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly max: Int32Array;
  readonly min: number;
  readonly preShift: number;
  readonly shift: number;
  private readonly multiplierHigh: Int32Array;
  private readonly multiplierLow: Int32Array;
  private readonly rounding: number;

  constructor(requant: Requantization, context: KernelContext) {
    const channels = context.output.channels;
    const { constants } = context;
    check(
      requant.shift >= 1 && requant.shift <= 31 && requant.preShift >= 0 && requant.preShift <= 31,
      `Shifts ${requant.preShift}, ${requant.shift} are out of range.`,
    );
    const multiplier = constants.int32(requant.multiplier, channels);
    this.multiplier = multiplier;
    this.bias = constants.once(`bias ${requant.bias} ${requant.biasShift} ${channels}`, () =>
      constants.int32(requant.bias, channels).map((b) => shiftBias(b, requant.biasShift)),
    );
    this.multiplierHigh = constants.once(`high ${requant.multiplier}`, () => multiplier.map((m) => m >> 16));
    this.multiplierLow = constants.once(`low ${requant.multiplier}`, () => multiplier.map((m) => m & 0xffff));
    this.max = constants.perChannel(requant.max, channels);
    this.max.forEach((max) => checkClamp(context.output, requant.min, max));
    this.min = requant.min;
    this.preShift = requant.preShift;
    this.shift = requant.shift;
    this.rounding = 1 << (requant.shift - 1);
  }

  /** Code of output channel c. */
  code(acc: number, c: number): number {
    const a = ((acc + this.bias[c]) | 0) << this.preShift;
    const y = (mulhiSplit(a, this.multiplierHigh[c], this.multiplierLow[c]) + this.rounding) >> this.shift;
    return saturate(y, this.min, this.max[c]);
  }
}
