import { UserError } from '../common/errors';
import {
  isWeighted,
  type AveragePoolLayer,
  type ConvLayer,
  type Graph,
  type Layer,
  type LayerId,
  type MapId,
  type TensorBinding,
} from '../graph/types';
import { fullRegion } from '../graph/region';
import {
  buildSchedule,
  type Schedule,
  type ScheduleAccess,
  type ScheduleStep,
  type ScheduledStage,
  type Scope,
  type TailStageChoice,
} from '../schedule/schedule';
import { isOutside } from '../graph/bits';
import type { InputPlace } from '../graph/bits';
import { formatTies } from '../quantize/ties';
import { ARENA_ALIGN } from '../schedule/scheduleArena';
import { stepOp } from '../schedule/stepOp';
import { scheduleRules } from '../schedule/scheduleRules';
import type { MapFormat, QuantizedParameters } from '../quantize/types';
import { assignOffsets } from './assignOffsets';
import { ConstantPool } from './constants';
import { findCounters } from './lowering/counters';
import {
  addKernel,
  averagePoolKernel,
  lookupKernel,
  mulKernel,
  preluKernel,
  requantizeKernel,
  softmaxKernel,
} from './lowering/elementwise';
import {
  baseFormat,
  outlierFormat,
  rangeOf,
  sameFormat,
  scaleOf,
  zeroPointOf,
  type BranchFormat,
} from './lowering/formats';
import { resizeTables } from './lowering/resizeTables';
import { sliceKernel, type ChannelSlice } from './lowering/slices';
import { WeightedLowering } from './lowering/weighted';
import type { Access, Branch, BufferId, Kernel, Port, Program, ProgramBuffer, Step, StepWindow } from './types';

/** The patch stage of a Plan on its graph, ready to be lowered. */
export interface LoweringStage extends ScheduledStage {
  /**
   * For runtime classes: a patch is outlier class when more than `epsilon` of the map's values lie outside [low, high].
   */
  readonly runtime: { readonly low: number; readonly high: number; readonly epsilon: number } | null;
}

export interface LowerOptions {
  /** C identifier of the network. */
  readonly name: string;
  /** Alignment of buffers in the arena, a power of two. */
  readonly align?: number;
  /** Where the inputs are. Default: in the arena. */
  readonly input?: InputPlace;
  /**
   * What the arena should take at most: where the smallest layout that is found takes more, others are tried. Default:
   * no limit.
   */
  readonly sramBytes?: number;
  /** Stages of the tail that run patch by patch as well. */
  readonly tailStages?: readonly TailStageChoice[];
}

/**
 * Lowers decisions onto a graph: the ordered kernel calls, the buffers at their offsets, and all constants as integers.
 * Pure: the same arguments always give the same Program.
 *
 * @throws UserError naming the layer if its arithmetic cannot be done in 32 bits
 */
export function lower(
  graph: Graph,
  stage: LoweringStage | null,
  parameters: QuantizedParameters,
  options: LowerOptions,
): Program {
  return new Lowering(graph, stage, parameters, options).run();
}

/** The schedule that {@link lower} follows for these formats. */
function scheduleFor(
  graph: Graph,
  stage: ScheduledStage | null,
  { formats, views }: QuantizedParameters,
  { tailStages = [], input }: LowerOptions,
): Schedule {
  const { bits, options } = scheduleRules(
    graph,
    stage?.stage.splitMap ?? null,
    {
      mapBits: (map) => formats.get(map)!.bits,
      inputBits: (layer) => views.get(layer)?.bits ?? 8,
    },
    input,
  );
  return buildSchedule(graph, stage, bits, { ...options, tailStages });
}

/** Format of channels [begin, begin + count) of a map. */
function channelsOf(format: MapFormat, begin: number, count: number): MapFormat {
  const cut = <T extends Float64Array | Int32Array>(a: T): T =>
    a.length === 1 ? a : (a.slice(begin, begin + count) as T);
  return { ...format, scales: cut(format.scales), zeroPoints: cut(format.zeroPoints) };
}

class Lowering {
  private readonly pool = new ConstantPool();
  private readonly weighted = new Map<LayerId, WeightedLowering>();
  /** Of layers that run in slices of their channels. */
  private readonly wholeKernels = new Map<LayerId, { readonly kernel: Kernel; readonly pool: ConstantPool }>();
  private readonly steps: Step[] = [];
  private readonly schedule: Schedule;
  private readonly splitGroup: number;
  private readonly bitGroup: readonly MapId[];
  /** Id of the buffer with one class flag per branch; −1 without runtime classes. */
  private readonly flags: BufferId;

  constructor(
    private readonly graph: Graph,
    private readonly stage: LoweringStage | null,
    private readonly parameters: QuantizedParameters,
    private readonly options: LowerOptions,
  ) {
    this.schedule = scheduleFor(graph, stage, parameters, options);
    this.bitGroup = formatTies(graph).bitGroup;
    this.splitGroup = stage ? this.bitGroup[stage.stage.splitMap] : -1;
    this.flags = stage && 'decidedBy' in stage.classes ? this.schedule.buffers.length : -1;
  }

  run(): Program {
    const firstOf: number[] = [];
    const lastOf: number[] = [];
    for (const step of this.schedule.steps) {
      firstOf.push(this.steps.length);
      this.lowerStep(step);
      lastOf.push(this.steps.length - 1);
    }
    const end = this.steps.length;
    const at = (table: number[], i: number): number => (i < 0 ? -1 : i >= table.length ? end : table[i]);
    // What is handed back as an output has to be in the arena.
    const outputs = new Set(this.schedule.outputs.map((id) => this.schedule.buffers[id].aliasOf ?? id));
    const external = (id: BufferId): boolean =>
      isOutside(this.options.input) && this.schedule.buffers[id].role === 'input' && !outputs.has(id);
    const buffers: ProgramBuffer[] = this.schedule.buffers.map((b) => ({
      id: b.id,
      name: this.graph.maps[b.map].name,
      role: b.role,
      map: b.map,
      window: b.window,
      channels: b.channels,
      bits: b.bits,
      signed: b.role === 'view' ? this.viewFormat(b.map, b.reader!).signed : this.stored(b.map).signed,
      pixelBytes: b.pixelBytes,
      rowBytes: b.rowBytes,
      bytes: b.bytes,
      firstStep: at(firstOf, b.first),
      lastStep: at(lastOf, b.last),
      aliasOf: b.aliasOf,
      offset: 0,
      align: this.options.align ?? ARENA_ALIGN,
      ...(external(b.aliasOf ?? b.id) ? { external: true } : {}),
    }));
    if (this.flags >= 0) buffers.push(this.flagsBuffer());
    const { placed, arenaBytes } = assignOffsets(
      buffers,
      this.steps,
      this.pool.constants,
      (id) => this.schedule.buffers[id]?.reader ?? null,
      this.options.sramBytes,
    );
    return {
      name: this.options.name,
      buffers: placed,
      constants: this.pool.constants,
      steps: this.steps,
      branches: this.branches(),
      inputs: this.graph.inputs.map((binding, i) => this.port(binding, this.schedule.inputs[i])),
      outputs: this.graph.outputs.map((binding, i) => this.port(binding, this.schedule.outputs[i])),
      arenaBytes,
      arenaAlign: Math.max(4, this.options.align ?? 4),
    };
  }

  private lowerStep(step: ScheduleStep): void {
    const layer = this.graph.layers[step.layer];
    switch (step.kind) {
      case 'keep':
      case 'restore':
        this.emit(step, this.haloKernel(step, layer), step.inputs, step.output!);
        return;
      case 'load':
        this.emit(
          step,
          { op: 'load', port: this.graph.inputs.findIndex(({ map }) => map === step.inputs[0].map) },
          step.inputs,
          step.output!,
        );
        return;
      case 'view': {
        const kernel = requantizeKernel(
          this.pool,
          layer.name,
          this.formatOf(step.inputs[0]),
          this.formatOf(step.output!, layer.id),
          step.output!.channels,
        );
        this.emit(step, kernel, step.inputs, step.output!);
        return;
      }
      case 'classify':
        this.classify(step);
        return;
      case 'layer':
        this.lowerLayer(step, layer);
    }
  }

  /** What is kept has the format of the regular class; a branch of outlier class has other codes. */
  private haloKernel(step: ScheduleStep, layer: Layer): Kernel {
    const from = this.formatOf(step.inputs[0]);
    const to = this.formatOf(step.output!);
    return sameFormat(from, to)
      ? { op: 'copy' }
      : requantizeKernel(this.pool, layer.name, from, to, step.output!.channels);
  }

  private lowerLayer(step: ScheduleStep, layer: Layer): void {
    const inputs = step.inputs.map((a) => this.formatOf(a, layer.id));
    const output = this.formatOf(step.output!);
    if (layer.kind === 'pad') {
      this.pad(step, layer.value, output);
      return;
    }
    this.emit(
      step,
      step.slice
        ? this.slicedKernel(step, layer, inputs, output, step.slice)
        : this.kernel(step, layer, inputs, output),
      step.inputs,
      step.output!,
    );
  }

  private kernel(step: ScheduleStep, layer: Layer, inputs: readonly BranchFormat[], output: BranchFormat): Kernel {
    const { graph, pool } = this;
    switch (layer.kind) {
      case 'conv':
      case 'depthwise':
        return this.weightedLowering(layer.id).kernel(inputs[0], output, stepWindow(layer, step));
      case 'fullyConnected':
        return this.weightedLowering(layer.id).kernel(inputs[0], output, null);
      case 'add':
        return addKernel(graph, pool, layer, inputs, output);
      case 'mul':
        return mulKernel(graph, pool, layer, inputs, output);
      case 'maxPool':
        this.expectSame(layer, inputs[0], output);
        return { op: 'maxPool', window: stepWindow(layer, step) };
      case 'averagePool':
        return averagePoolKernel(graph, pool, layer, inputs[0], output, stepWindow(layer, step));
      case 'activation':
        return lookupKernel(pool, layer, inputs[0], output);
      case 'prelu':
        return preluKernel(graph, pool, layer, inputs[0], output);
      case 'softmax':
        return softmaxKernel(pool, layer.name, inputs[0]);
      case 'concat':
      case 'slice': {
        const from = this.sliceOfFormat(layer, step, inputs[0], 'in');
        const to = this.sliceOfFormat(layer, step, output, 'out');
        // As the schedule has it: what happens to share scales without being tied is no copy.
        if (stepOp(graph, this.schedule, step) !== 'copy')
          return requantizeKernel(pool, layer.name, from, to, step.output!.channels);
        this.expectSame(layer, from, to);
        return { op: 'copy' };
      }
      case 'resize': {
        this.expectSame(layer, inputs[0], output);
        const from = graph.maps[layer.inputs[0]].shape;
        const to = graph.maps[layer.output].shape;
        const { rows, columns } = resizeTables(layer, from, to);
        return {
          op: 'resize',
          mode: layer.mode,
          rows: pool.add('table', layer.name, 16, true, rows, [to.h, 2]),
          cols: pool.add('table', layer.name, 16, true, columns, [to.w, 2]),
        };
      }
      case 'reshape':
      case 'permute': {
        const n = graph.maps[layer.output].shape;
        const permutation =
          layer.kind === 'permute' ? layer.permutation : Int32Array.from({ length: n.h * n.w * n.c }, (_, i) => i);
        const counters = findCounters(permutation);
        if (counters !== null) {
          const table = Int32Array.from(counters.flatMap(({ size, stride }) => [size, stride]));
          return {
            op: 'permute',
            permutation: pool.add('table', layer.name, 32, true, table, [counters.length, 2]),
            counters: counters.length,
            first: permutation[0],
          };
        }
        // As the C has it: 16 bits where they do.
        const narrow = permutation.length <= 2 ** 16;
        return {
          op: 'permute',
          permutation: pool.add(
            'table',
            layer.name,
            narrow ? 16 : 32,
            !narrow,
            narrow ? Uint16Array.from(permutation) : permutation,
            [permutation.length],
          ),
          counters: 0,
          first: 0,
        };
      }
      case 'pad':
        throw new Error('pad is lowered to fill and copy');
    }
  }

  /** The kernel of some channels of a layer: the whole layer's, so that the bits are the same, with its tables cut. */
  private slicedKernel(
    step: ScheduleStep,
    layer: Layer,
    inputs: readonly BranchFormat[],
    output: BranchFormat,
    slice: ChannelSlice,
  ): Kernel {
    let known = this.wholeKernels.get(layer.id);
    if (!known) {
      const pool = new ConstantPool();
      const window = stepWindow(layer as ConvLayer | AveragePoolLayer, step);
      const kernel =
        layer.kind === 'averagePool'
          ? averagePoolKernel(this.graph, pool, layer, inputs[0], output, window)
          : this.newWeightedLowering(layer.id, pool).kernel(inputs[0], output, window);
      this.wholeKernels.set(layer.id, (known = { kernel, pool }));
    }
    return sliceKernel(known.kernel, known.pool, this.pool, slice);
  }

  /** The format of the channels of a concat's or slice's step. */
  private sliceOfFormat(layer: Layer, step: ScheduleStep, format: BranchFormat, side: 'in' | 'out'): BranchFormat {
    if (layer.kind === 'slice' && side === 'in')
      return { ...format, base: channelsOf(format.base, layer.begin, layer.end - layer.begin) };
    if (layer.kind === 'concat' && side === 'out' && layer.axis === 'c') {
      let begin = 0;
      for (let i = 0; i < step.part; i++) begin += this.graph.maps[layer.inputs[i]].shape.c;
      return { ...format, base: channelsOf(format.base, begin, this.graph.maps[layer.inputs[step.part]].shape.c) };
    }
    return format;
  }

  private expectSame(layer: Layer, input: BranchFormat, output: BranchFormat): void {
    if (!sameFormat(input, output))
      throw new Error(`Layer "${layer.name}" (${layer.kind}) must keep the format of its input.`);
  }

  /** Constant padding: the whole output is filled, then the input is copied into it. */
  private pad(step: ScheduleStep, value: number, output: BranchFormat): void {
    const out = step.output!;
    const { min, max } = rangeOf(output);
    const codes = Int16Array.from({ length: out.channels }, (_, c) =>
      Math.max(min, Math.min(max, Math.round(value / scaleOf(output, c)) + zeroPointOf(output, c))),
    );
    this.emit(
      step,
      {
        op: 'fill',
        codes: this.pool.add('table', this.graph.layers[step.layer].name, 16, true, codes, [out.channels]),
      },
      [],
      out,
    );
    const input = step.inputs[0];
    const h = input.region.y1 - input.region.y0;
    const w = input.region.x1 - input.region.x0;
    if (h <= 0 || w <= 0) return;
    const y0 = out.region.y0 + step.padTop;
    const x0 = out.region.x0 + step.padLeft;
    this.emit(step, { op: 'copy' }, [input], { ...out, region: { y0, x0, y1: y0 + h, x1: x0 + w } });
  }

  private classify(step: ScheduleStep): void {
    const input = step.inputs[0];
    const format = this.formatOf(input);
    const { low, high, epsilon } = this.stage!.runtime!;
    const { y0, y1, x0, x1 } = input.region;
    const limit = Math.floor(epsilon * (y1 - y0) * (x1 - x0) * input.channels);
    const code = (v: number): number =>
      Math.max(-32768, Math.min(32767, Math.round(v / scaleOf(format, 0)) + zeroPointOf(format, 0)));
    if (format.base.scales.length > 1) {
      throw new UserError(
        `Feature map "${this.graph.maps[input.map].name}" decides classes at run time and needs one scale for ` +
          'all channels.',
      );
    }
    const output: Access = {
      buffer: this.flags,
      region: { y0: 0, x0: 0, y1: 1, x1: 1 },
      channel: 0,
      channels: this.branchCount(),
    };
    this.emit(
      step,
      { op: 'classify', low: code(low), high: code(high), limit, index: step.branch! },
      step.inputs,
      output,
    );
  }

  private weightedLowering(id: LayerId): WeightedLowering {
    let lowering = this.weighted.get(id);
    if (!lowering) {
      lowering = this.newWeightedLowering(id, this.pool);
      this.weighted.set(id, lowering);
    }
    return lowering;
  }

  private newWeightedLowering(id: LayerId, pool: ConstantPool): WeightedLowering {
    const layer = this.graph.layers[id];
    if (!isWeighted(layer)) throw new Error(`Layer ${id} has no weights.`);
    const parameters = this.parameters.layers.get(id);
    if (!parameters) throw new UserError(`Layer "${layer.name}" has no quantized weights. Quantize the model again.`);
    const input = this.parameters.views.get(id) ?? this.stored(layer.inputs[0]);
    return new WeightedLowering(this.graph, layer, parameters, input, this.stored(layer.output), pool);
  }

  private stored(map: MapId): MapFormat {
    const format = this.parameters.formats.get(map);
    if (!format)
      throw new UserError(`Feature map "${this.graph.maps[map].name}" has no scales. Quantize the model again.`);
    return format;
  }

  /**
   * Format in which a layer reads a requantized copy of a map: the plan's view, or, where a branch of regular class
   * follows a map that was computed with the widths of the outlier class, the map's own.
   */
  private viewFormat(map: MapId, reader: LayerId): MapFormat {
    return this.parameters.views.get(reader) ?? this.stored(map);
  }

  /** Format of what an access reads or writes: by the class of the buffer that holds it. */
  private formatOf(access: ScheduleAccess, reader?: LayerId): BranchFormat {
    const buffer = this.schedule.buffers[access.buffer];
    if (buffer.role === 'view') {
      const view = this.viewFormat(access.map, buffer.reader ?? reader!);
      return buffer.scope === 'outlier' ? outlierFormat(view) : baseFormat(view);
    }
    const format = this.stored(access.map);
    return this.isOutlier(access.map, buffer.scope) ? outlierFormat(format) : baseFormat(format);
  }

  private isOutlier(map: MapId, scope: Scope): boolean {
    return scope === 'outlier' && this.bitGroup[map] !== this.splitGroup;
  }

  private emit(
    step: ScheduleStep,
    kernel: Kernel,
    inputs: readonly ScheduleAccess[],
    output: ScheduleAccess | Access,
  ): void {
    const plain = (a: ScheduleAccess | Access): Access => ({
      buffer: a.buffer,
      region: a.region,
      channel: a.channel,
      channels: a.channels,
    });
    const ins = inputs.map(plain);
    const out = plain(output);
    this.steps.push({
      id: this.steps.length,
      layer: step.layer,
      kernel,
      inputs: ins,
      output: out,
      branch: step.branch,
      ...(step.tailStage ? { tailStage: step.tailStage } : {}),
      guard:
        step.guard === null
          ? null
          : { buffer: this.flags, index: step.branch!, value: step.guard === 'outlier' ? 1 : 0 },
      scratch: null,
      macs: stepMacs(kernel, ins, out),
    });
  }

  private flagsBuffer(): ProgramBuffer {
    const used = this.steps.filter((s) => s.guard !== null || s.kernel.op === 'classify').map((s) => s.id);
    const n = this.branchCount();
    return {
      id: this.flags,
      name: 'classes',
      role: 'flags',
      map: null,
      window: { y0: 0, x0: 0, y1: 1, x1: 1 },
      channels: n,
      bits: 8,
      signed: false,
      pixelBytes: n,
      rowBytes: n,
      bytes: n,
      firstStep: used[0] ?? 0,
      lastStep: used[used.length - 1] ?? 0,
      aliasOf: null,
      offset: 0,
      align: 4,
    };
  }

  private branchCount(): number {
    return this.stage ? this.stage.grid.rows * this.stage.grid.cols : 0;
  }

  private branches(): Branch[] {
    if (!this.stage) return [];
    const { grid, classes, stage } = this.stage;
    const patches = new Map<number, Branch['patch']>();
    for (const step of this.schedule.steps) {
      if (step.kind === 'layer' && step.branch !== null && step.output?.map === stage.splitMap) {
        const old = patches.get(step.branch);
        const r = step.output.region;
        patches.set(
          step.branch,
          old
            ? {
                y0: Math.min(old.y0, r.y0),
                x0: Math.min(old.x0, r.x0),
                y1: Math.max(old.y1, r.y1),
                x1: Math.max(old.x1, r.x1),
              }
            : r,
        );
      }
    }
    return Array.from({ length: grid.rows * grid.cols }, (_, id) => ({
      id,
      row: Math.floor(id / grid.cols),
      col: id % grid.cols,
      patch: patches.get(id) ?? fullRegion({ h: 0, w: 0 }),
      class: 'decidedBy' in classes ? 'regular' : classes[id],
    }));
  }

  private port({ name, map, dims, memory }: TensorBinding, buffer: BufferId): Port {
    const { signed, scales, zeroPoints } = this.stored(map);
    return {
      buffer,
      map,
      name,
      dims,
      memory,
      shape: this.graph.maps[map].shape,
      signed,
      scales: [...scales],
      zeroPoints: [...zeroPoints],
    };
  }
}

function stepWindow(layer: Extract<Layer, { window: unknown }>, step: ScheduleStep): StepWindow {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = layer.window;
  return { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop: step.padTop, padLeft: step.padLeft };
}

/** Multiply-accumulates of one call, those on padding included. */
function stepMacs(kernel: Kernel, inputs: readonly Access[], output: Access): number {
  const pixels = (output.region.y1 - output.region.y0) * (output.region.x1 - output.region.x0);
  switch (kernel.op) {
    case 'conv2d':
      return (
        pixels * output.channels * kernel.window.kernelH * kernel.window.kernelW * (inputs[0].channels / kernel.group)
      );
    case 'depthwise2d':
      return pixels * output.channels * kernel.window.kernelH * kernel.window.kernelW;
    case 'fullyConnected': {
      const { y0, y1, x0, x1 } = inputs[0].region;
      return output.channels * (y1 - y0) * (x1 - x0) * inputs[0].channels;
    }
    default:
      return 0;
  }
}
