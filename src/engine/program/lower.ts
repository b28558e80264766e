import { UserError } from '../common/errors';
import { isOutside } from '../graph/bits';
import {
  isWeighted,
  type AveragePoolLayer,
  type ConvLayer,
  type Graph,
  type Layer,
  type LayerId,
  type TensorBinding,
} from '../graph/types';
import type { QuantizedParameters } from '../quantize/types';
import type { Schedule, ScheduleAccess, ScheduleStep } from '../schedule/schedule';
import { ARENA_ALIGN } from '../schedule/scheduleArena';
import { stepOp } from '../schedule/stepOp';
import { assignOffsets } from './assignOffsets';
import { ConstantPool } from './constants';
import { branchCount, branchesOf, flagsBuffer } from './lowering/branches';
import { stepMacs, stepWindow } from './lowering/calls';
import {
  addKernel,
  averagePoolKernel,
  lookupKernel,
  mulKernel,
  preluKernel,
  requantizeKernel,
  softmaxKernel,
} from './lowering/elementwise';
import { rangeOf, sameFormat, scaleOf, zeroPointOf, type BranchFormat } from './lowering/formats';
import type { LowerOptions, LoweringStage } from './lowering/options';
import { normalizeKernel } from './lowering/normalize';
import { permuteKernel, resizeKernel } from './lowering/rearrange';
import { scheduleFor } from './lowering/scheduleFor';
import { sliceKernel, type ChannelSlice } from './lowering/slices';
import { StepFormats } from './lowering/stepFormats';
import { WeightedLowering } from './lowering/weighted';
import type { Access, BufferId, Kernel, Port, Program, ProgramBuffer, Step } from './types';

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

class Lowering {
  private readonly pool = new ConstantPool();
  private readonly weighted = new Map<LayerId, WeightedLowering>();
  /** Of layers that run in slices of their channels. */
  private readonly wholeKernels = new Map<LayerId, { readonly kernel: Kernel; readonly pool: ConstantPool }>();
  private readonly steps: Step[] = [];
  private readonly schedule: Schedule;
  private readonly formats: StepFormats;
  /** Id of the buffer with one class flag per branch; −1 without runtime classes. */
  private readonly flags: BufferId;

  constructor(
    private readonly graph: Graph,
    private readonly stage: LoweringStage | null,
    private readonly parameters: QuantizedParameters,
    private readonly options: LowerOptions,
  ) {
    this.schedule = scheduleFor(graph, stage, parameters, options);
    this.formats = new StepFormats(graph, parameters, this.schedule, stage?.stage.splitMap ?? null);
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
      signed: b.role === 'view' ? this.formats.viewFormat(b.map, b.reader!).signed : this.formats.stored(b.map).signed,
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
    if (this.flags >= 0) buffers.push(flagsBuffer(this.flags, branchCount(this.stage), this.steps));
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
      branches: branchesOf(this.stage, this.schedule),
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
          this.formats.of(step.inputs[0]),
          this.formats.of(step.output!, layer.id),
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
    const from = this.formats.of(step.inputs[0]);
    const to = this.formats.of(step.output!);
    return sameFormat(from, to)
      ? { op: 'copy' }
      : requantizeKernel(this.pool, layer.name, from, to, step.output!.channels);
  }

  private lowerLayer(step: ScheduleStep, layer: Layer): void {
    const inputs = step.inputs.map((a) => this.formats.of(a, layer.id));
    const output = this.formats.of(step.output!);
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
        return softmaxKernel(pool, layer.name, inputs[0], output);
      case 'normalize':
        return normalizeKernel(graph, layer, inputs[0], output);
      case 'concat':
      case 'slice': {
        const from = this.formats.ofPart(layer, step, inputs[0], 'in');
        const to = this.formats.ofPart(layer, step, output, 'out');
        // As the schedule has it: what happens to share scales without being tied is not a copy.
        if (stepOp(graph, this.schedule, step) !== 'copy')
          return requantizeKernel(pool, layer.name, from, to, step.output!.channels);
        this.expectSame(layer, from, to);
        return { op: 'copy' };
      }
      case 'resize': {
        this.expectSame(layer, inputs[0], output);
        return resizeKernel(graph, pool, layer);
      }
      case 'reshape':
      case 'permute':
        return permuteKernel(graph, pool, layer);
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
    const format = this.formats.of(input);
    const { low, high, epsilon } = this.stage!.runtime!;
    const { y0, y1, x0, x1 } = input.region;
    const limit = Math.floor(epsilon * (y1 - y0) * (x1 - x0) * input.channels);
    if (format.bits === 16) {
      throw new UserError(
        `Feature map "${this.graph.maps[input.map].name}" decides classes at run time and needs 8 bits at most.`,
      );
    }
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
      channels: branchCount(this.stage),
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
    const input = this.parameters.views.get(id) ?? this.formats.stored(layer.inputs[0]);
    return new WeightedLowering(this.graph, layer, parameters, input, this.formats.stored(layer.output), pool);
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

  private port({ name, map, dims, memory }: TensorBinding, buffer: BufferId): Port {
    const { signed, scales, zeroPoints } = this.formats.stored(map);
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
