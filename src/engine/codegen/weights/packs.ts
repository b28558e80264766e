import { maxCode, minCode, shiftBias } from '../../program/arithmetic';
import { regionWidth } from '../../graph/region';
import type { KernelOf, Program, Requantization, Step } from '../../program/types';

/** How a convolution's weights are arranged in words of two output channels each, see `qmcu_conv2d_dsp_packed.h`. */
export type PackKind = 'halves' | 'words';

/** What a packed convolution is made for; the names are those of `qmcu_pack_shape`. */
export interface Pack {
  readonly kind: PackKind;
  /** Codes of a column. */
  readonly length: number;
  /** The same, zeros included. */
  readonly padded: number;
  readonly unit: number;
  readonly unroll: number;
  readonly always: boolean;
  readonly limits: readonly number[];
}

/** Bits of the lower field of a half, and of a field of sums in 64 bits. */
const HALF_BITS = 12;
const FIELD_BITS = 14;
/** Place of a word's second weight. */
const SECOND = { halves: HALF_BITS, words: 28 } as const;
/** Four codes of 8 bits times weights of 4 bits always fit a field. */
const UNITS = [16, 12, 8, 4] as const;
const LARGEST_UNROLL = 32;
/** With more, sums of squares of codes might leave 31 bits. */
const MOST_TAPS = 2 ** 15;

/**
 * How a convolution on cores with the DSP extension may be packed; undefined where it may not: the codes' bits decide
 * the kind, the weights how far sums go before they leave their fields.
 */
export function packOf(
  { buffers, constants }: Program,
  { inputs: [input], output }: Step,
  kernel: KernelOf<'conv2d'>,
): Pack | undefined {
  const { bits, signed, role } = buffers[input.buffer];
  const kind = bits <= 4 ? 'halves' : 'words';
  // Pixels of an image are large numbers, unlike most codes of feature maps: their sums would have to be taken out of
  // the fields all the time.
  if (kind === 'words' && role === 'input') return undefined;
  if (kernel.weightBits !== 4 || kernel.group !== 1 || output.channels % 4 !== 0 || regionWidth(output.region) < 4)
    return undefined;
  const length = kernel.window.kernelH * kernel.window.kernelW * input.channels;
  if (length > MOST_TAPS) return undefined;
  const rows = new Rows(constants[kernel.weights].values, length, {
    min: minCode(bits, signed),
    max: maxCode(bits, signed),
  });
  if (!rows.standInWords(kind) || (kind === 'halves' && !rows.fit(2 ** 18))) return undefined;
  // Of two weights in a half only the first one's sums stand below others.
  const every = kind === 'halves' ? 2 : 1;
  const bound = 2 ** ((kind === 'halves' ? HALF_BITS : FIELD_BITS) - 1);
  for (const most of UNITS) {
    const unit = unitOf(length, most);
    const padded = paddedTo(length, unit);
    const longest = rows.longest(bound, unit, padded, every);
    if (longest < unit) continue;
    const always = longest >= padded;
    return {
      kind,
      length,
      padded,
      unit,
      unroll: unrollOf(padded),
      always,
      limits: always ? [] : rows.squareLimits(bound - 1, unit, padded, every),
    };
  }
  return undefined;
}

/** The unit up to `most` that leaves least padding, the largest of them. */
function unitOf(length: number, most: number): number {
  return UNITS.filter((unit) => unit <= most).reduce(
    (best, unit) => (paddedTo(length, unit) < paddedTo(length, best) ? unit : best),
    most,
  );
}

/** The largest even divisor of a column's codes whose loop is unrolled. */
function unrollOf(padded: number): number {
  let unroll = LARGEST_UNROLL;
  while (padded % unroll !== 0) unroll -= 2;
  return unroll;
}

function paddedTo(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}

/** Weights of each output channel, and the range of the codes that they are multiplied with. */
class Rows {
  private readonly channels: number;

  constructor(
    private readonly values: ArrayLike<number>,
    private readonly length: number,
    private readonly codes: { readonly min: number; readonly max: number },
  ) {
    this.channels = values.length / length;
  }

  /** Whether two weights, the second at its place, stay within the word. */
  standInWords(kind: PackKind): boolean {
    const bits = kind === 'halves' ? 16 : 32;
    const limit = 2 ** (bits - 1);
    for (let c = 0; c < this.channels; c += 2) {
      for (let k = 0; k < this.length; k++) {
        const word = this.at(c, k) + this.at(c + 1, k) * 2 ** SECOND[kind];
        if (word < -limit || word >= limit) return false;
      }
    }
    return true;
  }

  /**
   * Most codes, a multiple of `unit`, of which no run that begins at a multiple of it has a sum of products outside
   * [−bound, bound) in any of each `every` channels.
   */
  longest(bound: number, unit: number, padded: number, every: number): number {
    let most = padded;
    for (let c = 0; c < this.channels; c += every) {
      const { low, high } = this.sums(c, unit, padded);
      for (let from = 0; from < low.length; from++) {
        let least = 0;
        let largest = 0;
        for (let i = from; i < low.length && (i - from) * unit < most; i++) {
          least += low[i];
          largest += high[i];
          if (least < -bound || largest >= bound) most = (i - from) * unit;
        }
      }
    }
    return most;
  }

  /** Whether the sums of all products lie within [−bound, bound) in all channels. */
  fit(bound: number): boolean {
    return this.longest(bound, this.length, this.length, 1) >= this.length;
  }

  /**
   * For 1, 2, … units the largest sum of squares of this many codes with which no sum of products exceeds `bound`, by
   * Cauchy–Schwarz. Where no code is negative, positive and negative weights each have their own sum sign, and the
   * larger of the two bounds both. Of each `every` channels the first counts.
   */
  squareLimits(bound: number, unit: number, padded: number, every: number): number[] {
    const units = padded / unit;
    const most = new Float64Array(units);
    const signs = this.codes.min < 0 ? [0] : [1, -1];
    for (let c = 0; c < this.channels; c += every) {
      for (const sign of signs) {
        const squares = this.squares(c, unit, units, sign);
        for (let from = 0; from < units; from++) {
          let sum = 0;
          for (let i = from; i < units; i++) {
            sum += squares[i];
            most[i - from] = Math.max(most[i - from], sum);
          }
        }
      }
    }
    return Array.from(most, (squares) => Math.min(2 ** 31 - 1, Math.floor(bound ** 2 / Math.max(1, squares))));
  }

  /** Sum of the squares of each unit of a channel's weights: of those of one sign, or with `sign` 0 of all. */
  private squares(c: number, unit: number, units: number, sign: number): Float64Array {
    const squares = new Float64Array(units);
    for (let k = 0; k < this.length; k++)
      if (this.at(c, k) * sign >= 0) squares[Math.floor(k / unit)] += this.at(c, k) ** 2;
    return squares;
  }

  private at(c: number, k: number): number {
    return this.values[c * this.length + k];
  }

  /** Least and largest sum of products of each unit of a channel. */
  private sums(c: number, unit: number, padded: number): { low: Float64Array; high: Float64Array } {
    const low = new Float64Array(padded / unit);
    const high = new Float64Array(padded / unit);
    for (let k = 0; k < this.length; k++) {
      const a = this.at(c, k) * this.codes.min;
      const b = this.at(c, k) * this.codes.max;
      low[Math.floor(k / unit)] += Math.min(a, b);
      high[Math.floor(k / unit)] += Math.max(a, b);
    }
    return { low, high };
  }
}

/** Weights [outC][length] as the packed kernels read them: for each four channels, two words at a time. */
export function packWeights(
  values: ArrayLike<number>,
  { kind, length, padded }: Pick<Pack, 'kind' | 'length' | 'padded'>,
): Int32Array {
  const fours = values.length / length / 4;
  const at = (c: number, k: number): number => (k < length ? values[c * length + k] : 0);
  const both = (c: number, k: number): number => at(c, k) + at(c + 1, k) * 2 ** SECOND[kind];
  const words: number[] = [];
  for (let four = 0; four < fours; four++) {
    for (let k = 0; k < padded; k += kind === 'halves' ? 2 : 1) {
      for (const c of [4 * four, 4 * four + 2])
        words.push(kind === 'halves' ? (both(c, k) & 0xffff) | (both(c, k + 1) << 16) : both(c, k));
    }
  }
  return Int32Array.from(words);
}

/**
 * Biases and multipliers of a layer as the packed kernels take them: of each two channels both biases, then both
 * multipliers. Biases are shifted as the sums are, and less by what fields of sums begin with.
 */
export function packScale(
  { constants }: Program,
  { bias, multiplier, biasShift, preShift }: Requantization,
  kind: PackKind,
): Int32Array {
  const biases = constants[bias].values;
  const multipliers = constants[multiplier].values;
  const begin = (c: number): number =>
    kind === 'words' ? 2 ** (FIELD_BITS - 1) : c % 2 === 0 ? 2 ** (HALF_BITS - 1) : 0;
  const table = new Int32Array(2 * biases.length);
  for (let c = 0; c < biases.length; c++) {
    const at = 4 * (c >> 1) + (c & 1);
    table[at] = (shiftBias(biases[c], biasShift) - begin(c)) << preShift;
    table[at + 2] = multipliers[c];
  }
  return table;
}
