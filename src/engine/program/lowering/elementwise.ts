import { UserError } from '../../common/errors';
import { activationFunction } from '../../graph/functions';
import type { ActivationLayer, AddLayer, AveragePoolLayer, Graph, MulLayer, PReluLayer } from '../../graph/types';
import type { ConstantPool } from '../constants';
import { sumFactors } from '../arithmetic';
import { requantTable, scaledSumTable } from '../requantization';
import type { Kernel, ScaledSum, StepWindow } from '../types';
import { lowerClamp, upperClamp } from './clamp';
import { largestCode, rangeOf, scaleOf, zeroPointOf, type BranchFormat } from './formats';

/** Output codes per input code, by channel. */
function ratios(input: BranchFormat, output: BranchFormat, channels: number, sign: number): Float64Array {
  return Float64Array.from({ length: channels }, (_, c) => (sign * scaleOf(input, c)) / scaleOf(output, c));
}

function zeroPoints(f: BranchFormat, channels: number): Int32Array {
  return Int32Array.from({ length: channels }, (_, c) => zeroPointOf(f, c));
}

function scaledSum(
  pool: ConstantPool,
  name: string,
  inputs: readonly BranchFormat[],
  signs: readonly number[],
  output: BranchFormat,
  channels: number,
  min: number,
  max: number,
): ScaledSum {
  const codes = rangeOf(output);
  const factors = sumFactors(inputs.map(({ bits }) => bits));
  const table = scaledSumTable(
    inputs.map((f, i) => ratios(f, output, channels, signs[i] / factors[i])),
    inputs.map((f, i) => zeroPoints(f, channels).map((zero) => zero * factors[i])),
    zeroPoints(output, channels),
    {
      outputScales: Float64Array.from({ length: channels }, (_, c) => scaleOf(output, c)),
      outputCodes: codes.max - codes.min,
      inputReach: inputs.map(
        (f, i) =>
          factors[i] *
          Math.max(...Array.from({ length: channels }, (_, c) => largestCode(f) + Math.abs(zeroPointOf(f, c)))),
      ),
    },
  );
  return {
    multipliers: table.multipliers.map((row) => pool.perChannel(name, row)),
    offset: pool.perChannel(name, table.offset, 32),
    shift: table.shift,
    min,
    max,
  };
}

/** Add and Sub of two maps. */
export function addKernel(
  graph: Graph,
  pool: ConstantPool,
  layer: AddLayer,
  inputs: readonly BranchFormat[],
  output: BranchFormat,
): Kernel {
  const channels = graph.maps[layer.output].shape.c;
  const range = rangeOf(output);
  const min = lowerClamp(layer.clamp, output, range.min);
  const max = Math.min(...upperClamp(layer.clamp, output, 1, range.max));
  return { op: 'add', sum: scaledSum(pool, layer.name, inputs, layer.signs, output, channels, min, max) };
}

/** The same values in another format. */
export function requantizeKernel(
  pool: ConstantPool,
  name: string,
  input: BranchFormat,
  output: BranchFormat,
  channels: number,
): Kernel {
  const { min, max } = rangeOf(output);
  return { op: 'requantize', sum: scaledSum(pool, name, [input], [1], output, channels, min, max) };
}

/** Product of two maps. */
export function mulKernel(
  graph: Graph,
  pool: ConstantPool,
  layer: MulLayer,
  inputs: readonly BranchFormat[],
  output: BranchFormat,
): Kernel {
  const channels = graph.maps[layer.output].shape.c;
  const [a, b] = inputs;
  const zeros: [number, number] = [zeroPointOf(a, 0), zeroPointOf(b, 0)];
  const factors = Float64Array.from(
    { length: channels },
    (_, c) => (scaleOf(a, c) * scaleOf(b, c)) / scaleOf(output, c),
  );
  const bias = Float64Array.from({ length: channels }, (_, c) => zeroPointOf(output, c) / factors[c]);
  const bound = (largestCode(a) + Math.abs(zeros[0])) * (largestCode(b) + Math.abs(zeros[1]));
  const table = requantTable(factors, bias, Float64Array.of(bound), `Layer "${layer.name}"`);
  const range = rangeOf(output);
  return {
    op: 'mul',
    zeros,
    requant: {
      bias: pool.add('bias', layer.name, 32, true, table.bias, [channels]),
      biasShift: 0,
      multiplier: pool.add('multiplier', layer.name, 32, true, table.multiplier, [channels]),
      preShift: table.preShift,
      shift: table.shift,
      min: lowerClamp(layer.clamp, output, range.min),
      max: pool.perChannel(layer.name, upperClamp(layer.clamp, output, channels, range.max)),
    },
  };
}

/**
 * Average pooling. Global pooling divides by one count and has a multiplier per channel; otherwise the divisor depends
 * on how much of the window lies inside the map, and the map has one scale (see quantize/ties.ts).
 */
export function averagePoolKernel(
  graph: Graph,
  pool: ConstantPool,
  layer: AveragePoolLayer,
  input: BranchFormat,
  output: BranchFormat,
  window: StepWindow,
): Kernel {
  const channels = graph.maps[layer.output].shape.c;
  const { h, w } = graph.maps[layer.inputs[0]].shape;
  const { kernelH, kernelW } = window;
  const perChannel = kernelH === h && kernelW === w;
  const entries: { factor: number; taps: number; zero: number; outZero: number }[] = [];
  if (perChannel) {
    for (let c = 0; c < channels; c++) {
      entries.push({
        factor: scaleOf(input, c) / scaleOf(output, c) / (h * w),
        taps: h * w,
        zero: zeroPointOf(input, c),
        outZero: zeroPointOf(output, c),
      });
    }
  } else {
    for (let rows = 1; rows <= kernelH; rows++) {
      for (let cols = 1; cols <= kernelW; cols++) {
        const divisor = layer.countIncludePad ? kernelH * kernelW : rows * cols;
        entries.push({
          factor: scaleOf(input, 0) / scaleOf(output, 0) / divisor,
          taps: rows * cols,
          zero: zeroPointOf(input, 0),
          outZero: zeroPointOf(output, 0),
        });
      }
    }
  }
  const bound = kernelH * kernelW * largestCode(input);
  const table = requantTable(
    Float64Array.from(entries, (e) => e.factor),
    new Float64Array(entries.length),
    Float64Array.of(bound),
    `Layer "${layer.name}"`,
  );
  const offset = Int32Array.from(
    entries,
    (e) => 2 ** (table.shift - 1) + Math.round((e.outZero - e.taps * e.zero * e.factor) * 2 ** table.shift),
  );
  const dims = perChannel ? [channels] : [kernelH, kernelW];
  const { min, max } = rangeOf(output);
  return {
    op: 'averagePool',
    window,
    perChannel,
    multiplier: pool.add('multiplier', layer.name, 32, true, table.multiplier, dims),
    offset: pool.add('table', layer.name, 32, true, offset, dims),
    preShift: table.preShift,
    shift: table.shift,
    min,
    max,
  };
}

/** Any function of one value, as a table over all codes, or over every 128th of 16 bits and the one after the last. */
export function lookupKernel(
  pool: ConstantPool,
  layer: ActivationLayer,
  input: BranchFormat,
  output: BranchFormat,
): Kernel {
  const isWide = input.bits === 16;
  const size = isWide ? 513 : 2 ** input.bits;
  const { min, max } = rangeOf(output);
  const fn = activationFunction(layer.fn);
  const codeAt = (i: number): number => (isWide ? 128 * i - 32768 : input.base.signed && i >= size / 2 ? i - size : i);
  const values = Int16Array.from({ length: size }, (_, i) => {
    const code = codeAt(i);
    const real = (code - zeroPointOf(input, 0)) * scaleOf(input, 0);
    const y = Math.round(fn(real) / scaleOf(output, 0)) + zeroPointOf(output, 0);
    return Math.max(min, Math.min(max, y));
  });
  return { op: 'lookup', table: pool.add('table', layer.name, 16, true, values, [size]) };
}

/**
 * PRelu: two slopes in output codes per input code.
 * @throws UserError for codes with a zero point: those of an input of pixels
 */
export function preluKernel(
  graph: Graph,
  pool: ConstantPool,
  layer: PReluLayer,
  input: BranchFormat,
  output: BranchFormat,
): Kernel {
  const channels = graph.maps[layer.output].shape.c;
  if (input.base.zeroPoints.some((zero) => zero !== 0)) {
    throw new UserError(
      `Layer "${layer.name}": PRelu cannot be computed on the pixels of "${graph.maps[layer.inputs[0]].name}", ` +
        'whose codes have a zero point. Put a convolution before it.',
    );
  }
  const positive = ratios(input, output, channels, 1);
  let largest = 1e-30;
  for (let c = 0; c < channels; c++)
    largest = Math.max(largest, Math.abs(positive[c]) * Math.max(1, Math.abs(layer.slopes[c])));
  const shift = Math.max(1, Math.min(22, Math.floor(Math.log2(32767 / largest))));
  const clip = (v: number): number => Math.max(-32768, Math.min(32767, Math.round(v * 2 ** shift)));
  const { min, max } = rangeOf(output);
  return {
    op: 'prelu',
    positive: pool.perChannel(layer.name, Int32Array.from(positive, clip)),
    negative: pool.add(
      'table',
      layer.name,
      16,
      true,
      Int16Array.from(positive, (r, c) => clip(r * layer.slopes[c])),
      [channels],
    ),
    offset: 2 ** (shift - 1) + zeroPointOf(output, 0) * 2 ** shift,
    shift,
    min,
    max,
  };
}

/** Softmax over channels; the table holds exp of the distance from the largest code. */
export function softmaxKernel(pool: ConstantPool, name: string, input: BranchFormat, output: BranchFormat): Kernel {
  const size = 2 ** input.bits;
  const values = Uint16Array.from({ length: size }, (_, d) => Math.round(65535 * Math.exp(-d * scaleOf(input, 0))));
  const one = Math.round(1 / scaleOf(output, 0));
  if (!(one >= 256 && one <= 32768))
    throw new UserError(`"${name}" writes probabilities with scale 1/${one}; quantize the model again.`);
  return { op: 'softmax', table: pool.add('table', name, 16, false, values, [size]), one };
}
