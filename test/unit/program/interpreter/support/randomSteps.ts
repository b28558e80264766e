import { maxCode, minCode } from '../../../../../src/engine/program/arithmetic';
import type { Program, Step } from '../../../../../src/engine/program/types';
import { elementwiseDelta, windowedDelta } from './overlap';
import { ProgramBuilder, type Format, type RandomMap } from './programBuilder';
import { Random } from './random';
import { randomClamp, randomPerChannel, randomRequant, randomScaledSum } from './randomTables';
import { allOps, mayBeWide, type RandomOp } from '../../../../support/randomProgram';
import {
  channelCount,
  codes,
  format,
  narrowFormat,
  overlapOf,
  size,
  window,
  windowed,
  type Guard,
} from './randomParts';
import { conv2d, depthwise2d, fullyConnected } from './randomWeighted';

export { allOps };

/** Kernels to be tried, with maps of at most 8 bits and with some of 16. */
export const allWays: readonly { readonly name: string; readonly op: RandomOp; readonly wide: boolean }[] = [
  ...allOps.map((op) => ({ name: op, op, wide: false })),
  ...allOps.filter(mayBeWide).map((op) => ({ name: `${op} with 16 bits`, op, wide: true })),
];

/**
 * A random program of one step, or a few that may read what earlier ones wrote, the later ones under guards decided by
 * a classification.
 * @param wide some maps have 16 bits
 */
export function randomProgram(seed: number, op: RandomOp, steps = 1, wide = false): Program {
  const b = new ProgramBuilder(new Random(seed), wide);
  let guard: Step['guard'] = null;
  if (steps > 1 && b.random.chance(0.5))
    guard = { buffer: classify(b), index: 0, value: b.random.pick([0, 1] as const) };
  addStep(b, op, guard);
  for (let i = 1; i < steps; i++) addStep(b, b.random.pick(allOps), guard);
  return b.finish();
}

function addStep(b: ProgramBuilder, op: RandomOp, guard: Guard): void {
  switch (op) {
    case 'conv2d':
      return conv2d(b, guard);
    case 'depthwise2d':
      return depthwise2d(b, guard);
    case 'fullyConnected':
      return fullyConnected(b, guard);
    case 'add':
      return twoInputs(b, guard, 'add');
    case 'mul':
      return twoInputs(b, guard, 'mul');
    case 'requantize':
    case 'lookup':
    case 'prelu':
    case 'copy':
      return oneInput(b, guard, op);
    case 'maxPool':
    case 'averagePool':
      return pool(b, guard, op);
    case 'fill':
      return fill(b, guard);
    case 'resize':
      return resize(b, guard);
    case 'softmax':
      return softmax(b, guard);
    case 'normalize':
      return normalize(b, guard);
    case 'permute':
      return permute(b, guard);
    case 'classify':
      classify(b, guard);
      return;
  }
}

function twoInputs(b: ProgramBuilder, guard: Guard, op: 'add' | 'mul'): void {
  const shape = { ...size(b), channels: b.random.pick([channelCount(b), b.random.int(30, 70)]) };
  const formats = [format(b), format(b)];
  const outFormat = format(b);
  const single = b.random.pick([null, null, 0, 1]);
  const sizes = [0, 1].map((i) => (single === i ? { ...shape, h: 1, w: 1 } : shape));
  let inputs: RandomMap[];
  let output: RandomMap;
  if (b.random.chance(0.4)) {
    // The input that is overwritten is laid last and is not broadcast.
    const over = single === 0 ? 1 : single === 1 ? 0 : b.random.int(0, 1);
    inputs = [];
    inputs[1 - over] = b.input(sizes[1 - over], formats[1 - over]);
    inputs[over] = b.wholeInput(shape, formats[over]);
    output = b.output(
      shape,
      outFormat,
      overlapOf(b, inputs[over], elementwiseDelta(inputs[over], { ...shape, ...outFormat })),
    );
  } else {
    inputs = sizes.map((s, i) => b.input(s, formats[i]));
    output = b.output(shape, outFormat);
  }
  if (op === 'add') {
    b.step({ op, sum: randomScaledSum(b, formats, shape.channels, outFormat) }, inputs, output, guard);
    return;
  }
  const zero = (f: Format): number =>
    f.bits === 16 || b.random.chance(0.5) ? 0 : b.random.int(minCode(f.bits, f.signed), maxCode(f.bits, f.signed));
  const reach = (f: Format): number => (f.bits === 16 ? 2 ** 15 : 2 ** f.bits);
  const accBound = reach(formats[0]) * reach(formats[1]);
  b.step(
    {
      op,
      zeros: [zero(formats[0]), zero(formats[1])],
      requant: randomRequant(b, shape.channels, outFormat, accBound, accBound / 4),
    },
    inputs,
    output,
    guard,
  );
}

function oneInput(b: ProgramBuilder, guard: Guard, op: 'requantize' | 'lookup' | 'prelu' | 'copy'): void {
  const { random } = b;
  const shape = { ...size(b), channels: random.pick([channelCount(b), random.int(30, 70)]) };
  const { channels } = shape;
  const inFormat = op === 'prelu' ? { ...format(b), signed: true } : format(b);
  const outFormat = op === 'copy' ? inFormat : format(b);
  let input: RandomMap;
  let output: RandomMap;
  if (random.chance(0.4)) {
    input = b.wholeInput(shape, inFormat);
    output = b.output(shape, outFormat, overlapOf(b, input, elementwiseDelta(input, { ...shape, ...outFormat })));
  } else {
    input = b.input(shape, inFormat);
    output = b.output(shape, outFormat);
  }
  switch (op) {
    case 'copy':
      return b.step({ op }, [input], output, guard);
    case 'requantize':
      return b.step({ op, sum: randomScaledSum(b, [inFormat], channels, outFormat) }, [input], output, guard);
    case 'lookup':
      return b.step(
        { op, table: b.table16(codes(b, outFormat, inFormat.bits === 16 ? 513 : 2 ** inFormat.bits)) },
        [input],
        output,
        guard,
      );
    case 'prelu': {
      const shift = random.int(0, 18);
      const slope = (): number => random.int(-(2 ** Math.min(15, shift + 1)), Math.min(32767, 2 ** (shift + 1)));
      return b.step(
        {
          op,
          positive: randomPerChannel(b, channels, 16, slope),
          negative: b.table16(Array.from({ length: channels }, slope)),
          offset: random.int(-(2 ** shift), 2 ** shift),
          shift,
          ...randomClamp(b, outFormat),
        },
        [input],
        output,
        guard,
      );
    }
  }
}

/** Output size of which every window has a tap inside, and a window that fits it. */
function pool(b: ProgramBuilder, guard: Guard, op: 'maxPool' | 'averagePool'): void {
  const { random } = b;
  let w = window(b, false);
  const input = { ...size(b), channels: random.pick([channelCount(b), random.int(30, 70)]) };
  w = {
    ...w,
    padTop: Math.min(w.padTop, (w.kernelH - 1) * w.dilationH),
    padLeft: Math.min(w.padLeft, (w.kernelW - 1) * w.dilationW),
  };
  const reached = (n: number, o: number, stride: number, pad: number, kernel: number, dilation: number): boolean =>
    Array.from({ length: kernel }, (_, k) => o * stride - pad + k * dilation).some((i) => i >= 0 && i < n);
  let h = 0;
  while (h < 7 && reached(input.h, h, w.strideH, w.padTop, w.kernelH, w.dilationH)) h++;
  let width = 0;
  while (width < 7 && reached(input.w, width, w.strideW, w.padLeft, w.kernelW, w.dilationW)) width++;
  if (h === 0 || width === 0) return pool(b, guard, op);
  const inFormat = format(b);
  const outFormat = op === 'maxPool' ? inFormat : format(b);
  const [from, to] = windowed(b, w, input, inFormat, { h, w: width, channels: input.channels }, outFormat);
  if (op === 'maxPool') return b.step({ op, window: w }, [from], to, guard);
  const perChannel = random.chance(0.3);
  const entries = perChannel ? input.channels : w.kernelH * w.kernelW;
  const bound = 2 ** Math.max(8, inFormat.bits - 1) * w.kernelH * w.kernelW;
  const preShift = random.int(0, 31 - Math.ceil(Math.log2(bound + 1)));
  const shift = Math.max(
    0,
    Math.min(31, Math.round(Math.log2((bound * 2 ** preShift) / 4 / 2 ** outFormat.bits)) + random.int(-2, 1)),
  );
  return b.step(
    {
      op,
      window: w,
      perChannel,
      preShift,
      shift,
      ...randomClamp(b, outFormat),
      multiplier: b.constant(
        'multiplier',
        32,
        true,
        Int32Array.from({ length: entries }, () => random.int(2 ** 28, 2 ** 31 - 1)),
      ),
      offset: b.table32(
        Array.from({ length: entries }, () => random.int(-(2 ** Math.min(30, shift)), 2 ** Math.min(30, shift))),
      ),
    },
    [from],
    to,
    guard,
  );
}

function fill(b: ProgramBuilder, guard: Guard): void {
  const shape = size(b);
  const f = format(b);
  b.step({ op: 'fill', codes: b.table16(codes(b, f, shape.channels)) }, [], b.output(shape, f), guard);
}

function resize(b: ProgramBuilder, guard: Guard): void {
  const { random } = b;
  const input = { ...size(b), channels: random.pick([channelCount(b), random.int(30, 70)]) };
  const output = { ...size(b), channels: input.channels };
  const mode = random.pick(['nearest', 'linear'] as const);
  const table = (outputs: number, inputs: number): number[] =>
    Array.from({ length: outputs }, () => random.int(0, inputs - 1))
      .sort((x, y) => x - y)
      .flatMap((i) => [i, mode === 'linear' && i + 1 < inputs && random.chance(0.8) ? random.int(1, 255) : 0]);
  const rows = table(output.h, input.h);
  const cols = table(output.w, input.w);
  const f = format(b);
  let from: RandomMap;
  let to: RandomMap;
  if (random.chance(0.3)) {
    from = b.wholeInput(input, f);
    to = b.output(
      output,
      f,
      overlapOf(
        b,
        from,
        windowedDelta(from, { ...output, ...f }, (oy) => rows[oy * 2]),
      ),
    );
  } else {
    from = b.input(input, f);
    to = b.output(output, f);
  }
  b.step({ op: 'resize', mode, rows: b.table16(rows), cols: b.table16(cols) }, [from], to, guard);
}

function softmax(b: ProgramBuilder, guard: Guard): void {
  const { random } = b;
  const shape = { ...size(b), channels: random.pick([1, 2, 10, 33, random.int(1, 100)]) };
  const f = narrowFormat(b);
  const decay = random.pick([0.5, 0.9, 0.99]);
  const table = Uint16Array.from({ length: 2 ** f.bits }, (_, d) => Math.round(65535 * decay ** d));
  b.step(
    { op: 'softmax', table: b.constant('table', 16, false, table), one: random.pick([256, 257, 4096, 32768]) },
    [b.input(shape, f)],
    b.output(shape, { bits: 8, signed: false }),
    guard,
  );
}

function normalize(b: ProgramBuilder, guard: Guard): void {
  const { random } = b;
  const shape = { ...size(b), channels: random.pick([1, 2, 10, 33, random.int(1, 100)]) };
  const [f, to] = [narrowFormat(b), narrowFormat(b)];
  const centered = random.chance(0.5);
  const reach = (centered ? shape.channels : 1) * (2 ** f.bits - 1);
  const preShift = Math.floor(Math.log2((2 ** 31 - 1) / reach));
  b.step(
    {
      op: 'normalize',
      centered,
      zeroIn: random.int(minCode(f.bits, f.signed), maxCode(f.bits, f.signed)),
      zeroOut: random.pick([0, 0, minCode(to.bits, to.signed)]),
      epsilon: random.pick([0, 1, random.int(0, 2 ** 20), random.int(0, 2 ** 20) * 2 ** 32]),
      multiplier: random.pick([0, 32767, random.int(16384, 32767)]),
      preShift,
      shift: Math.max(0, preShift + random.int(0, 12)),
      ...randomClamp(b, to),
    },
    [b.input(shape, f)],
    b.output(shape, to),
    guard,
  );
}

function permute(b: ProgramBuilder, guard: Guard): void {
  const { random } = b;
  const shape = size(b);
  const length = shape.h * shape.w * shape.channels;
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.int(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const output = random.pick([
    shape,
    { h: 1, w: 1, channels: length },
    { h: length, w: 1, channels: 1 },
    { h: shape.channels, w: shape.h, channels: shape.w },
  ]);
  const f: Format = b.wide ? { bits: 16, signed: true } : { bits: 8, signed: random.chance(0.5) };
  b.step(
    { op: 'permute', permutation: b.table32(order), counters: 0, first: 0 },
    [b.input(shape, f)],
    b.output(output, f),
    guard,
  );
}

/** Returns the flags' buffer. */
function classify(b: ProgramBuilder, guard: Guard = null): number {
  const { random } = b;
  const shape = size(b);
  const f = narrowFormat(b);
  const input = b.input(shape, f);
  const count = random.int(1, 5);
  const flags = b.flags(count);
  const index = random.int(0, count - 1);
  const low = random.int(minCode(f.bits, f.signed), maxCode(f.bits, f.signed));
  const high = random.int(low, maxCode(f.bits, f.signed));
  b.step(
    { op: 'classify', low, high, limit: random.int(0, shape.h * shape.w * shape.channels), index },
    [input],
    flags,
    guard,
  );
  return flags.buffer;
}
