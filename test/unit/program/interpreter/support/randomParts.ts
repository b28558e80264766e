import { maxCode, minCode } from '../../../../../src/engine/program/arithmetic';
import type { Bits, WeightBits } from '../../../../../src/engine/graph/bits';
import type { Step, StepWindow } from '../../../../../src/engine/program/types';
import { firstRowOf, windowedDelta } from './overlap';
import { ProgramBuilder, type Format, type Overlap, type RandomMap, type Size } from './programBuilder';

export type Guard = Step['guard'];

export function format(b: ProgramBuilder): Format {
  const bits = b.random.pick<Bits>(b.wide ? [16, 16, 16, 8, 4, 2] : [8, 8, 4, 4, 2]);
  return { bits, signed: bits === 16 || b.random.chance(0.5) };
}

/** One of at most 8 bits. */
export function narrowFormat(b: ProgramBuilder): Format {
  return { bits: b.random.pick<Bits>([8, 8, 4, 4, 2]), signed: b.random.chance(0.5) };
}

export function bitsOfWeights(b: ProgramBuilder): WeightBits {
  return b.wide ? 8 : b.random.pick<WeightBits>([8, 4]);
}

export function channelCount(b: ProgramBuilder): number {
  return b.random.pick([1, 2, 3, 4, 5, 7, 8, 9, 12, 16, b.random.int(1, 40)]);
}

export function size(b: ProgramBuilder): Size {
  return { h: b.random.int(1, 7), w: b.random.int(1, 7), channels: channelCount(b) };
}

/**
 * Weights over the whole range, sometimes all at one end of it so that sums are as large as they can be.
 * @param largest their largest magnitude, where that is less, see {@link sums}
 */
export function weights(b: ProgramBuilder, bits: WeightBits, length: number, largest = 128): number {
  const { random } = b;
  const [low, high] = bits === 8 ? [-Math.min(128, largest), Math.min(127, largest)] : [-8, 7];
  const extreme = random.chance(0.15) ? random.pick([low, high]) : null;
  return b.constant(
    'weights',
    bits,
    true,
    Int8Array.from({ length }, () => extreme ?? random.int(low, high)),
  );
}

export function window(b: ProgramBuilder, square: boolean): StepWindow {
  const { random } = b;
  const kernel = (): number => (square ? 1 : random.pick([1, 2, 3, 3, 3, 5]));
  const dilation = (): number => random.pick([1, 1, 1, 2, 3]);
  const kernelH = kernel();
  const kernelW = kernel();
  const dilationH = dilation();
  const dilationW = dilation();
  // Padding past the kernel's reach leaves windows without a single tap; a negative pad begins inside.
  const pad = (reach: number): number =>
    random.pick([0, 0, 1, random.int(0, reach), random.int(0, reach), -1, reach + 1]);
  return {
    kernelH,
    kernelW,
    strideH: random.int(1, 3),
    strideW: random.int(1, 3),
    dilationH,
    dilationW,
    padTop: pad((kernelH - 1) * dilationH),
    padLeft: pad((kernelW - 1) * dilationW),
  };
}

/** An output laid over an input, as late as the order within a step allows or a little earlier. */
export function overlapOf(b: ProgramBuilder, over: RandomMap, delta: number): Overlap {
  return { over, delta: delta - b.random.pick([0, 0, 0, 1, 5]) };
}

export function padCodes(b: ProgramBuilder, f: Format, channels: number): number | null {
  return b.random.chance(0.5) ? null : b.table16(codes(b, f, channels));
}

export function codes(b: ProgramBuilder, f: Format, length: number): number[] {
  return Array.from({ length }, () => b.random.int(minCode(f.bits, f.signed), maxCode(f.bits, f.signed)));
}

/** Input and output of a windowed kernel. */
export function windowed(
  b: ProgramBuilder,
  w: StepWindow,
  input: Size,
  inFormat: Format,
  output: Size,
  outFormat: Format,
): [RandomMap, RandomMap] {
  if (b.random.chance(0.3)) {
    const whole = b.wholeInput(input, inFormat);
    const delta = windowedDelta(whole, { ...output, ...outFormat }, firstRowOf(w));
    return [whole, b.output(output, outFormat, overlapOf(b, whole, delta))];
  }
  return [b.input(input, inFormat), b.output(output, outFormat)];
}

/** Magnitude of a sum of `taps` random products, its bound, and that of weights with which it has 31 bits at most. */
export function sums(
  f: Format,
  weightBits: WeightBits,
  taps: number,
): { accBound: number; typical: number; largest: number } {
  const code = 2 ** (f.bits - (f.signed ? 1 : 0));
  const largest = Math.min(2 ** (weightBits - 1), Math.floor(2 ** 30 / (code * taps)));
  const product = code * largest;
  return { accBound: product * taps, typical: (product * Math.sqrt(taps)) / 3 + 1, largest };
}
