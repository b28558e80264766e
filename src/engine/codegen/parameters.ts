import {
  isWide,
  type Access,
  type ConstantId,
  type Kernel,
  type KernelOf,
  type PerChannel,
  type Program,
  type Requantization,
  type ScaledSum,
  type Step,
  type StepWindow,
} from '../program/types';
import type { ConstantArrays } from './constants';
import type { RowShape } from './weights/packing';
import type { Pack } from './weights/packs';
import { Runs } from './weights/runs';
import { intLiteral, wrapItems } from './text';

/** What a step passes to its kernel besides the maps. */
export interface KernelCall {
  /** Function of the runtime. */
  readonly fn: string;
  /** Constant struct to pass by address: its type and initializer. Null when there is none. */
  readonly params: { readonly type: string; readonly initializer: string } | null;
  /** Arguments in place of a struct, before the maps. */
  readonly args: readonly string[];
}

/** Turns a step's kernel into the runtime's parameters. One small method per struct of `quantmcu.h`. */
export class ParameterWriter {
  private readonly runs: Runs;

  constructor(
    private readonly constants: ConstantArrays,
    private readonly program: Program,
  ) {
    this.runs = new Runs(program);
  }

  /**
   * @param pack how the kernel made for a convolution takes its weights, where not as `qmcu_conv2d` does
   * @param twins whether a fully connected layer takes them in twins, see twins.ts
   */
  call(step: Step, pack?: Pack, twins = false): KernelCall {
    const call = this.narrowCall(step, pack, twins);
    const isOther = isWide(this.program, step) && call.fn !== 'qmcu_copy';
    return isOther ? { ...call, fn: `${call.fn}_s16` } : call;
  }

  private narrowCall(step: Step, pack: Pack | undefined, twins: boolean): KernelCall {
    const { kernel } = step;
    switch (kernel.op) {
      case 'conv2d':
        return this.conv2d(step, kernel, pack);
      case 'depthwise2d':
        return this.depthwise2d(step, kernel);
      case 'fullyConnected':
        return this.fullyConnected(step, kernel, twins);
      case 'add':
        return struct('qmcu_add', 'qmcu_scaled_sum', this.scaledSum(kernel.sum, 2));
      case 'requantize':
        return struct('qmcu_requantize', 'qmcu_scaled_sum', this.scaledSum(kernel.sum, 1));
      case 'mul':
        return struct('qmcu_mul', 'qmcu_mul_params', [
          `.zeros = {${kernel.zeros.join(', ')}}`,
          this.requant(kernel.requant),
        ]);
      case 'maxPool':
        return { fn: 'qmcu_max_pool', params: { type: 'qmcu_window', initializer: window(kernel.window) }, args: [] };
      case 'averagePool':
        return this.averagePool(kernel);
      case 'lookup':
        return { fn: 'qmcu_lookup', params: null, args: [this.array(kernel.table, 'int16')] };
      case 'prelu':
        return this.prelu(kernel);
      case 'copy':
        return { fn: 'qmcu_copy', params: null, args: [] };
      case 'load':
        throw new Error('Tiles are loaded by the application.');
      case 'fill':
        return { fn: 'qmcu_fill', params: null, args: [this.array(kernel.codes, 'int16')] };
      case 'resize':
        return struct('qmcu_resize', 'qmcu_resize_params', [
          `.rows = ${this.array(kernel.rows, 'int16')}`,
          `.cols = ${this.array(kernel.cols, 'int16')}`,
          `.linear = ${kernel.mode === 'linear' ? 1 : 0}`,
        ]);
      case 'softmax':
        return { fn: 'qmcu_softmax', params: null, args: [this.array(kernel.table, 'uint16'), `${kernel.one}u`] };
      case 'normalize':
        return struct('qmcu_normalize', 'qmcu_normalize_params', [
          `.epsilon = UINT64_C(${kernel.epsilon})`,
          `.multiplier = ${kernel.multiplier}`,
          `.centered = ${kernel.centered ? 1 : 0}`,
          `.zero_in = ${kernel.zeroIn}`,
          `.zero_out = ${kernel.zeroOut}`,
          `.pre_shift = ${kernel.preShift}`,
          ...rounding(kernel),
        ]);
      case 'permute':
        return this.permute(kernel);
      case 'classify':
        return { fn: 'qmcu_classify', params: null, args: [kernel.low, kernel.high, kernel.limit].map(intLiteral) };
    }
  }

  private conv2d(step: Step, kernel: KernelOf<'conv2d'>, pack?: Pack): KernelCall {
    const { kernelH, kernelW } = kernel.window;
    const rowLength = kernelH * kernelW * (step.inputs[0].channels / kernel.group);
    const rowsPerGroup = step.output.channels / kernel.group;
    return struct('qmcu_conv2d', 'qmcu_conv2d_params', [
      ...this.weightedLayer(kernel, { rowLength, rowsPerGroup }, pack),
      `.group = ${kernel.group}`,
      ...this.run(step, kernel.weights, pack),
    ]);
  }

  private depthwise2d(step: Step, kernel: KernelOf<'depthwise2d'>): KernelCall {
    const { kernelH, kernelW } = kernel.window;
    const shape = { rowLength: step.output.channels, rowsPerGroup: kernelH * kernelW };
    return struct('qmcu_depthwise2d', 'qmcu_depthwise2d_params', this.weightedLayer(kernel, shape));
  }

  private fullyConnected(step: Step, kernel: KernelOf<'fullyConnected'>, twins: boolean): KernelCall {
    const shape = { rowLength: volume(step.inputs[0]), rowsPerGroup: step.output.channels };
    return struct(
      twins ? 'qmcu_fully_connected_twins' : 'qmcu_fully_connected',
      'qmcu_fully_connected_params',
      this.weightedLayer(kernel, shape, undefined, twins),
    );
  }

  private averagePool(kernel: KernelOf<'averagePool'>): KernelCall {
    return struct('qmcu_average_pool', 'qmcu_average_pool_params', [
      `.window = ${window(kernel.window)}`,
      `.multiplier = ${this.array(kernel.multiplier, 'int32')}`,
      `.offset = ${this.array(kernel.offset, 'int32')}`,
      `.per_channel = ${kernel.perChannel ? 1 : 0}`,
      `.pre_shift = ${kernel.preShift}`,
      ...rounding(kernel),
    ]);
  }

  private prelu(kernel: KernelOf<'prelu'>): KernelCall {
    const positive = this.perChannel(kernel.positive, 'int16');
    return struct('qmcu_prelu', 'qmcu_prelu_params', [
      ...(positive.table ? [`.positive_table = ${positive.table}`] : []),
      `.negative = ${this.array(kernel.negative, 'int16')}`,
      `.offset = ${intLiteral(kernel.offset)}`,
      ...(positive.table ? [] : [`.positive = ${positive.value}`]),
      ...rounding(kernel),
    ]);
  }

  private permute(kernel: KernelOf<'permute'>): KernelCall {
    if (kernel.counters > 0)
      return struct('qmcu_permute', 'qmcu_permute_params', [
        `.counters = ${this.array(kernel.permutation, 'int32')}`,
        `.first = ${kernel.first}`,
        `.count = ${kernel.counters}`,
      ]);
    const narrow = this.constants.values(kernel.permutation).every((i: number) => i <= 0xffff);
    return struct('qmcu_permute', 'qmcu_permute_params', [
      narrow
        ? `.index16 = ${this.array(kernel.permutation, 'uint16')}`
        : `.index32 = ${this.array(kernel.permutation, 'int32')}`,
    ]);
  }

  /** Where other than the cores with DSP or vectors may take it. */
  private run(step: Step, weights: ConstantId, pack?: Pack): string[] {
    const run = pack || isWide(this.program, step) ? 0 : this.runs.of(step, weights);
    return run > 0 ? [`.run = ${run}`] : [];
  }

  private array(id: ConstantId, type: 'int16' | 'uint16' | 'int32'): string {
    return this.constants.symbol(id, type);
  }

  private weightedLayer(
    kernel: Extract<Kernel, { weightBits: unknown }>,
    shape: RowShape,
    pack?: Pack,
    twins = false,
  ): string[] {
    const weights = pack
      ? this.constants.symbol(kernel.weights, 'packed', shape, pack)
      : this.constants.symbol(
          kernel.weights,
          twins ? 'twins' : `${kernel.op === 'depthwise2d' ? 'weights' : 'pairs'}${kernel.weightBits}`,
          shape,
        );
    return [
      ...('window' in kernel ? [`.window = ${window(kernel.window)}`] : []),
      `.weights = ${weights}`,
      ...('padCodes' in kernel && kernel.padCodes !== null
        ? [`.pad_codes = ${this.array(kernel.padCodes, 'int16')}`]
        : []),
      this.requant(kernel.requant, pack && this.constants.packedScale(kernel.requant, pack)),
      `.weight_bits = ${kernel.weightBits}`,
    ];
  }

  /** @param scale symbol of a table of biases and multipliers */
  private requant(r: Requantization, scale?: string): string {
    const max = this.perChannel(r.max, 'int16');
    const fields = [
      ...(scale
        ? [`.bias = ${scale}`]
        : [`.bias = ${this.array(r.bias, 'int32')}`, `.multiplier = ${this.array(r.multiplier, 'int32')}`]),
      ...(max.table ? [`.max_table = ${max.table}`] : []),
      `.bias_shift = ${r.biasShift}`,
      `.pre_shift = ${r.preShift}`,
      `.shift = ${r.shift}`,
      `.min = ${r.min}`,
      ...(max.table ? [] : [`.max = ${max.value}`]),
    ];
    return `.requant = {\n${wrapItems(fields, '        ').join('\n')}\n    }`;
  }

  private scaledSum(sum: ScaledSum, inputs: 1 | 2): string[] {
    if (sum.multipliers.length !== inputs)
      throw new Error(`A scaled sum of ${inputs} inputs has ${sum.multipliers.length} multipliers.`);
    const multipliers = sum.multipliers.map((m) => this.perChannel(m, 'int16'));
    const offset = this.perChannel(sum.offset, 'int32');
    return [
      ...(multipliers.some((m) => m.table)
        ? [`.multiplier_table = {${multipliers.map((m) => m.table ?? 'NULL').join(', ')}}`]
        : []),
      ...(multipliers.every((m) => m.table) ? [] : [`.multiplier = {${multipliers.map((m) => m.value).join(', ')}}`]),
      offset.table ? `.offset_table = ${offset.table}` : `.offset = ${offset.value}`,
      ...rounding(sum),
    ];
  }

  private perChannel(value: number | PerChannel, type: 'int16' | 'int32'): { table: string | null; value: string } {
    if (typeof value === 'number') return { table: null, value: intLiteral(value) };
    return { table: this.array(value.constant, type), value: '0' };
  }
}

/** Constant parameter structs, equal ones once: branches that differ only in their windows share them. */
export class ParameterTable {
  readonly types: string[] = [];
  private readonly byContent = new Map<string, string>();
  private readonly names = new Set<string>();
  private readonly lines: string[] = [];

  symbol(step: Step, fn: string, params: { readonly type: string; readonly initializer: string }): string {
    const content = `${params.type} ${params.initializer}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const base = `${fn.replace(/^qmcu_/, '')}_${step.layer}`;
    let name = base;
    for (let n = 2; this.names.has(name); n++) name = `${base}_variant_${n}`;
    this.names.add(name);
    this.byContent.set(content, name);
    this.types.push(params.type);
    this.lines.push(`static const ${params.type} ${name} = ${params.initializer};\n`);
    return name;
  }

  render(): string {
    return this.lines.join('');
  }
}

function struct(fn: string, type: string, fields: readonly string[]): KernelCall {
  return { fn, params: { type, initializer: `{\n    ${fields.join(',\n    ')},\n}` }, args: [] };
}

function rounding(r: { readonly shift: number; readonly min: number; readonly max: number }): string[] {
  return [`.shift = ${r.shift}`, `.min = ${r.min}`, `.max = ${r.max}`];
}

/** Positional, as in `qmcu_window`. */
function window(w: StepWindow): string {
  return `{${[w.kernelH, w.kernelW, w.strideH, w.strideW, w.dilationH, w.dilationW, w.padTop, w.padLeft].join(', ')}}`;
}

function volume({ region, channels }: Access): number {
  return (region.y1 - region.y0) * (region.x1 - region.x0) * channels;
}
