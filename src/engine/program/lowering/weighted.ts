import { UserError } from '../../common/errors';
import type { Graph, WeightedLayer } from '../../graph/types';
import { inputChannel, rowLayout } from '../../quantize/weights';
import type { LayerParameters, MapFormat } from '../../quantize/types';
import type { ConstantPool } from '../constants';
import { branchShifts, requantTable, type RequantTable } from '../requantization';
import type { ConstantId, Kernel, Requantization, StepWindow } from '../types';
import { largestCode, rangeOf, scaleOf, zeroPointOf, type BranchFormat, baseFormat } from './formats';
import { upperClamp, lowerClamp } from './clamp';

/** Kernels of one layer with weights: its tables are made once, at the base formats, and shared by all branches. */
export class WeightedLowering {
  /** [outC], real value of one accumulator unit. */
  readonly units: Float64Array;
  /** [outC], the bias in real values, as the accumulator has it: rounded to units. */
  readonly roundedBias: Float64Array;
  private readonly table: RequantTable;
  private readonly weights: ConstantId;
  private readonly bias: ConstantId;
  private readonly multiplier: ConstantId;
  /** Largest Σ|w| over output channels. */
  private readonly reach: number;

  constructor(
    private readonly graph: Graph,
    private readonly layer: WeightedLayer,
    private readonly parameters: LayerParameters,
    input: MapFormat,
    output: MapFormat,
    private readonly pool: ConstantPool,
  ) {
    const outC = graph.maps[layer.output].shape.c;
    const inC = graph.maps[layer.inputs[0]].shape.c;
    const inBase = baseFormat(input);
    const outBase = baseFormat(output);
    const channelOf = inputChannel(layer, inC, outC);
    const { stride, count, step } = rowLayout(layer, outC);
    const { codes, weightScales, bias } = parameters;
    const factors = new Float64Array(outC);
    const accBias = new Float64Array(outC);
    const bound = new Float64Array(outC);
    const zeroSums = new Float64Array(outC);
    let reach = 0;
    for (let o = 0; o < outC; o++) {
      let magnitude = 0;
      let zero = 0;
      for (let k = 0; k < count; k++) {
        const i = o * stride + k * step;
        magnitude += Math.abs(codes[i]);
        zero += codes[i] * zeroPointOf(inBase, channelOf(i));
      }
      const outScale = scaleOf(outBase, o);
      // A channel without weights is its bias: any scale serves, one that the bias fits.
      const unit = magnitude === 0 ? outScale / 1024 : weightScales[o];
      factors[o] = unit / outScale;
      accBias[o] = bias[o] / unit - zero + (zeroPointOf(outBase, o) * outScale) / unit;
      zeroSums[o] = zero;
      bound[o] = magnitude * largestCode(inBase);
      reach = Math.max(reach, magnitude);
    }
    this.reach = reach;
    const { min, max } = rangeOf(outBase);
    limitBias(factors, accBias, bound, max - min);
    this.table = requantTable(factors, accBias, bound, `Layer "${layer.name}"`);
    this.units = factors.map((factor, o) => factor * scaleOf(outBase, o));
    this.roundedBias = this.units.map(
      (unit, o) => (this.table.bias[o] + zeroSums[o]) * unit - zeroPointOf(outBase, o) * scaleOf(outBase, o),
    );
    const dims =
      layer.kind === 'depthwise'
        ? [layer.window.kernelH, layer.window.kernelW, outC]
        : layer.kind === 'conv'
          ? [outC, layer.window.kernelH, layer.window.kernelW, count / (layer.window.kernelH * layer.window.kernelW)]
          : [outC, count];
    this.weights = pool.add('weights', layer.name, parameters.weightBits, true, codes, dims);
    this.bias = pool.add('bias', layer.name, 32, true, this.table.bias, [outC]);
    this.multiplier = pool.add('multiplier', layer.name, 32, true, this.table.multiplier, [outC]);
  }

  /** The kernel call of a branch whose input and output have these formats. */
  kernel(input: BranchFormat, output: BranchFormat, window: StepWindow | null): Kernel {
    const requant = this.requant(input, output);
    const { weights, layer } = this;
    const { weightBits } = this.parameters;
    if (layer.kind === 'fullyConnected') return { op: 'fullyConnected', weights, weightBits, requant };
    const padCodes = this.padCodes(input);
    if (layer.kind === 'depthwise')
      return { op: 'depthwise2d', window: window!, weights, weightBits, padCodes, requant };
    return { op: 'conv2d', window: window!, group: layer.group, weights, weightBits, padCodes, requant };
  }

  private requant(input: BranchFormat, output: BranchFormat): Requantization {
    const { graph, layer, pool, table } = this;
    const where = `Layer "${layer.name}"`;
    let bias = 0;
    for (const b of table.bias) bias = Math.max(bias, Math.abs(b));
    const accBound = this.reach * largestCode(input) + bias * 2 ** -input.exponent;
    const shifts =
      input.exponent === 0 && output.exponent === 0
        ? { biasShift: 0, preShift: table.preShift, shift: table.shift }
        : branchShifts(table, input.exponent, output.exponent, accBound, where);
    const channels = graph.maps[layer.output].shape.c;
    const { min, max } = rangeOf(output);
    return {
      bias: this.bias,
      multiplier: this.multiplier,
      ...shifts,
      min: lowerClamp(layer.clamp, output, min),
      max: pool.perChannel(layer.name, upperClamp(layer.clamp, output, channels, max)),
    };
  }

  /** Codes of padding, where the code of 0 is not 0. */
  private padCodes(input: BranchFormat): ConstantId | null {
    const { layer, pool } = this;
    if (layer.kind === 'fullyConnected') return null;
    const { padding } = layer.window;
    if (padding.top + padding.left + padding.bottom + padding.right === 0) return null;
    if (input.base.zeroPoints.every((z) => z === 0)) return null;
    const map = this.graph.maps[layer.inputs[0]];
    const codes = Array.from({ length: map.shape.c }, (_, c) => zeroPointOf(input, c));
    const { min, max } = rangeOf(input);
    if (codes.some((code) => code < min || code > max)) {
      throw new UserError(
        `Layer "${layer.name}" pads "${map.name}" with 0, which no pixel maps to: preprocessing puts all ` +
          'pixels on one side of it. Give mean and std in units of scale · pixel, e.g. 0.485 rather than 123.7 ' +
          'with a scale of 1/255.',
      );
    }
    return pool.add('table', layer.name, 16, true, Int16Array.from(codes), [map.shape.c]);
  }
}

/**
 * Keeps biases small enough to leave the accumulator room.
 *
 * A bias so large that no sum of products can bring the output off its bound may as well be just that large: the result
 * is the same. And in a channel with nearly vanishing weights even an ordinary bias is many accumulator units; its unit
 * is coarsened, because what the weights lose is far below one output code. Both hold for branches at other bits, whose
 * codes reach at most a third further: hence the factor 2.
 *
 * @param codes distance between the lowest and the highest output code
 */
function limitBias(factors: Float64Array, accBias: Float64Array, bound: Float64Array, codes: number): void {
  const limit = 2 ** 22;
  for (let o = 0; o < factors.length; o++) {
    const decided = 2 * (bound[o] + (codes + 1) / factors[o]);
    if (Math.abs(accBias[o]) > decided) accBias[o] = Math.sign(accBias[o]) * decided;
    if (Math.abs(accBias[o]) > limit && bound[o] * factors[o] < 0.5) {
      const code = accBias[o] * factors[o];
      factors[o] = Math.abs(code) / limit;
      accBias[o] = Math.sign(code) * limit;
    }
  }
}
