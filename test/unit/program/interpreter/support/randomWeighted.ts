import type { Bits, WeightBits } from '../../../../../src/engine/graph/bits';
import type { Program } from '../../../../../src/engine/program/types';
import { ProgramBuilder, type Format } from './programBuilder';
import { Random } from './random';
import { randomRequant } from './randomTables';
import { stepWindow } from '../../../../support/programBuilder';
import {
  bitsOfWeights,
  channelCount,
  format,
  padCodes,
  size,
  sums,
  weights,
  window,
  windowed,
  type Guard,
} from './randomParts';

/**
 * A convolution of 4-bit weights, none of them −8, without groups and padding codes, with a multiple of 4 output
 * channels and at least 4 output columns; some with more than 1024 products in a sum.
 */
export function randomPackable(seed: number): Program {
  const b = new ProgramBuilder(new Random(seed));
  const { random } = b;
  const long = random.chance(0.15);
  const w = window(b, long || random.chance(0.4));
  const inC = long
    ? random.pick([random.int(130, 700), random.int(1000, 1600)])
    : random.pick([4, 8, 12, 16, random.int(1, w.kernelH * w.kernelW > 1 ? 12 : 40)]);
  const outC = 4 * (long ? (inC > 700 ? 1 : random.pick([1, 17])) : random.int(1, 6));
  const inFormat = format(b);
  const outFormat: Format = { bits: random.pick<Bits>([8, 8, 4, 2]), signed: random.chance(0.5) };
  const taps = w.kernelH * w.kernelW * inC;
  const { accBound, typical } = sums(inFormat, 4, taps);
  const [input, output] = windowed(
    b,
    w,
    { h: random.int(1, 6), w: random.int(1, 9), channels: inC },
    inFormat,
    { h: random.int(1, long ? 2 : 5), w: random.int(4, 9), channels: outC },
    outFormat,
  );
  const most = random.pick([7, 7, 3, 1]);
  const least = random.chance(0.1) ? most : -most;
  const values = Int8Array.from({ length: outC * taps }, () => random.int(least, most));
  b.step(
    {
      op: 'conv2d',
      window: w,
      group: 1,
      weights: b.constant('weights', 4, true, values),
      weightBits: 4,
      padCodes: random.chance(0.3) ? padCodes(b, inFormat, inC) : null,
      requant: randomRequant(b, outC, outFormat, accBound, typical / random.pick([1, 8])),
    },
    [input],
    output,
    null,
  );
  return b.finish();
}

/**
 * A depthwise convolution as cores with the DSP extension compute it row by row, with `stride` 1 or 2 in both
 * directions: an even number of channels, and rows so wide that few fit the stack, or so narrow and many that not all
 * do; weights small often.
 */
export function randomRows(seed: number, kernel: 3 | 5, stride: 1 | 2): Program {
  const b = new ProgramBuilder(new Random(seed));
  const { random } = b;
  const wide = random.chance(0.4);
  const channels = 2 * random.int(1, wide ? 2 : 4);
  const output = { h: random.int(1, wide ? 6 : 20), w: wide ? random.int(20, 72) : random.int(1, 19), channels };
  const pad = (): number => random.pick([0, 1, 1, random.int(-1, kernel)]);
  const w = stepWindow(kernel, { strideH: stride, strideW: stride, padTop: pad(), padLeft: pad() });
  const inFormat: Format = { bits: random.pick<Bits>([8, 8, 4, 2]), signed: random.chance(0.5) };
  const outFormat: Format = { bits: random.pick<Bits>([8, 8, 4, 2]), signed: random.chance(0.5) };
  const weightBits = random.pick<WeightBits>([8, 4]);
  const taps = kernel * kernel;
  const { accBound, typical } = sums(inFormat, weightBits, taps);
  const size = {
    h: Math.max(1, output.h * stride + random.int(-3, 3)),
    w: Math.max(1, output.w * stride + random.int(-3, 3)),
    channels,
  };
  const [input, map] = windowed(b, w, size, inFormat, output, outFormat);
  const shift = weightBits === 8 ? random.pick([0, 2, 3]) : 0;
  const values = b.constants[weights(b, weightBits, taps * channels)].values;
  values.forEach((weight, i) => (values[i] = weight >> shift));
  b.step(
    {
      op: 'depthwise2d',
      window: w,
      weights: b.constants.length - 1,
      weightBits,
      padCodes: random.chance(0.6) ? null : padCodes(b, inFormat, channels),
      requant: randomRequant(b, channels, outFormat, accBound, typical / random.pick([1, 2 ** shift])),
    },
    [input],
    map,
    null,
  );
  return b.finish();
}

export function conv2d(b: ProgramBuilder, guard: Guard): void {
  const { random } = b;
  // Sums of thousands of products leave 26 bits, up to which the interpreter packs two of them in one double.
  const long = random.chance(0.03);
  const w = window(b, long || random.chance(0.3));
  const group = long ? 1 : random.pick([1, 1, 1, 2, 3]);
  const inC = long ? random.int(2000, 2600) : group * random.pick([1, 2, 3, 4, 5, 8, random.int(1, 20)]);
  const outC = long ? random.int(1, 5) : group * random.pick([1, 2, 3, 4, 5, 8, random.int(1, 20)]);
  const [inSize, outSize] = long
    ? [
        { h: 1, w: 3 },
        { h: 1, w: 3 },
      ]
    : [size(b), size(b)];
  const inFormat = format(b);
  const outFormat = format(b);
  const weightBits = bitsOfWeights(b);
  const taps = (w.kernelH * w.kernelW * inC) / group;
  const { accBound, typical, largest } = sums(inFormat, weightBits, taps);
  const [input, output] = windowed(
    b,
    w,
    { ...inSize, channels: inC },
    inFormat,
    { ...outSize, channels: outC },
    outFormat,
  );
  b.step(
    {
      op: 'conv2d',
      window: w,
      group,
      weights: weights(b, weightBits, outC * taps, largest),
      weightBits,
      padCodes: padCodes(b, inFormat, inC),
      requant: randomRequant(b, outC, outFormat, accBound, typical),
    },
    [input],
    output,
    guard,
  );
}

export function depthwise2d(b: ProgramBuilder, guard: Guard): void {
  const w = window(b, b.random.chance(0.1));
  const channels = channelCount(b);
  const inFormat = format(b);
  const outFormat = format(b);
  const weightBits = bitsOfWeights(b);
  const taps = w.kernelH * w.kernelW;
  const { accBound, typical, largest } = sums(inFormat, weightBits, taps);
  const [input, output] = windowed(b, w, { ...size(b), channels }, inFormat, { ...size(b), channels }, outFormat);
  b.step(
    {
      op: 'depthwise2d',
      window: w,
      weights: weights(b, weightBits, taps * channels, largest),
      weightBits,
      padCodes: padCodes(b, inFormat, channels),
      requant: randomRequant(b, channels, outFormat, accBound, typical),
    },
    [input],
    output,
    guard,
  );
}

export function fullyConnected(b: ProgramBuilder, guard: Guard): void {
  const inFormat = format(b);
  const outFormat = format(b);
  const weightBits = bitsOfWeights(b);
  const shape = b.random.chance(0.5) ? { h: 1, w: 1, channels: b.random.int(1, 300) } : size(b);
  const channels = channelCount(b);
  const taps = shape.h * shape.w * shape.channels;
  const { accBound, typical, largest } = sums(inFormat, weightBits, taps);
  b.step(
    {
      op: 'fullyConnected',
      weights: weights(b, weightBits, taps * channels, largest),
      weightBits,
      requant: randomRequant(b, channels, outFormat, accBound, typical),
    },
    [b.input(shape, inFormat)],
    b.output({ h: 1, w: 1, channels }, outFormat),
    guard,
  );
}
