import type { Bits, WeightBits } from '../graph/bits';
import { regionPixels, regionWidth, type Region } from '../graph/region';
import { isWeighted, type Graph, type LayerId, type WeightedLayer } from '../graph/types';
import { isWide, type Program, type Step } from '../program/types';
import type { BitsOf, Schedule, ScheduleStep } from '../schedule/schedule';
import { stepOp } from '../schedule/stepOp';
import { extentOf, type Extent } from './kernelCost';
import type { KernelCall } from './kernelShape';

/** A call of a kernel, as a Program's step and a schedule's have it alike: what figures are computed from. */
export interface Work {
  readonly layer: LayerId;
  readonly call: KernelCall;
  readonly extent: Extent;
  /** Bits of what it writes. */
  readonly outputBits: Bits;
  readonly padTop: number;
  readonly padLeft: number;
  /** Which weights it reads, where a layer has several tables of them, and how many; null without. */
  readonly weights: { readonly id: string; readonly count: number } | null;
  /** Class that it runs for, where that is decided at run time. */
  readonly guard: 'outlier' | 'regular' | null;
}

/** The calls of a Program, by step. */
export function programWork(program: Program): Work[] {
  return program.steps.map((step) => stepWork(program, step));
}

export function stepWork(program: Program, step: Step): Work {
  const { buffers, constants } = program;
  const { layer, kernel, inputs, output, guard } = step;
  const [input] = inputs;
  const from = input ? buffers[input.buffer] : null;
  const isClassify = kernel.op === 'classify';
  const { channels } = isClassify ? input : output;
  const window = 'window' in kernel ? kernel.window : null;
  const outputBits = isClassify ? from!.bits : buffers[output.buffer].bits;
  return {
    layer,
    call: {
      op: kernel.op,
      channels,
      inChannels: input?.channels ?? 0,
      pixelBytes: Math.ceil((channels * outputBits) / 8),
      ...(window ? { window } : {}),
      ...('group' in kernel ? { group: kernel.group } : {}),
      ...(input ? { inputPixels: regionPixels(input.region) } : {}),
      inputBits: kernel.op === 'add' ? fewestBits(buffers, [...inputs, output]) : (from?.bits ?? 8),
      weightBits: 'weightBits' in kernel ? kernel.weightBits : 8,
      readsImage: from?.role === 'input',
      ...(isWide(program, step) ? { wide: true } : {}),
    },
    extent: extentIn(buffers, isClassify ? input : output),
    outputBits,
    padTop: window?.padTop ?? 0,
    padLeft: window?.padLeft ?? 0,
    weights:
      'weights' in kernel ? { id: String(kernel.weights), count: constants[kernel.weights].values.length } : null,
    guard: guard && (guard.value === 1 ? 'outlier' : 'regular'),
  };
}

/** Sums take codes one by one where any of their maps has fewer than 8 bits. */
function fewestBits(buffers: readonly { readonly bits: Bits }[], maps: readonly { readonly buffer: number }[]): Bits {
  return Math.min(...maps.map(({ buffer }) => buffers[buffer].bits)) as Bits;
}

/** What a call takes that writes (or reads) a region of a buffer. */
function extentIn(
  buffers: readonly { readonly window: Region }[],
  { buffer, region }: { readonly buffer: number; readonly region: Region },
): Extent {
  return extentOf(region, regionWidth(buffers[buffer].window));
}

/** The calls that a schedule is lowered to, in order. */
export function scheduleWork(graph: Graph, schedule: Schedule, bits: Pick<BitsOf, 'weights'>): Work[] {
  const weightBits = (id: LayerId): WeightBits => (isWeighted(graph.layers[id]) ? (bits.weights?.(id) ?? 8) : 8);
  return schedule.steps.flatMap((step) => scheduleStepWork(graph, schedule, step, weightBits(step.layer)));
}

function scheduleStepWork(graph: Graph, schedule: Schedule, step: ScheduleStep, weightBits: WeightBits): Work[] {
  const { buffers } = schedule;
  const { inputs, output } = step;
  const layer = graph.layers[step.layer];
  const op = stepOp(graph, schedule, step);
  const [input] = inputs;
  // A class is read off its input; everything else is made for its output.
  const made = output ?? input;
  const from = input ? buffers[input.buffer] : null;
  const outputBits = buffers[made.buffer].bits;
  const isLayer = step.kind === 'layer';
  const call: KernelCall = {
    op,
    channels: made.channels,
    inChannels: input?.channels ?? 0,
    pixelBytes: Math.ceil((made.channels * outputBits) / 8),
    ...('window' in layer && isLayer ? { window: layer.window } : {}),
    ...('group' in layer && isLayer ? { group: layer.group } : {}),
    ...(input ? { inputPixels: regionPixels(input.region) } : {}),
    inputBits: op === 'add' ? fewestBits(buffers, [...inputs, made]) : (from?.bits ?? 8),
    weightBits: isLayer ? weightBits : 8,
    readsImage: from?.role === 'input',
    ...([...inputs, made].some(({ buffer }) => buffers[buffer].bits === 16) ? { wide: true } : {}),
  };
  const windowed = 'window' in layer && isLayer;
  const work = {
    layer: step.layer,
    call,
    extent: extentIn(buffers, made),
    outputBits,
    padTop: windowed ? step.padTop : 0,
    padLeft: windowed ? step.padLeft : 0,
    weights: isLayer && isWeighted(layer) ? sliceWeights(layer, step, made.channels) : null,
    guard: step.guard,
  };
  if (op !== 'fill') return [work];
  // A padded map is filled, and what there is of its input copied into it.
  const filled = { ...work, call: { ...call, inChannels: 0, inputBits: 8 as const, readsImage: false } };
  const copied: Region = input.region;
  return regionPixels(copied) > 0
    ? [filled, { ...work, call: { ...call, op: 'copy' }, extent: extentOf(copied, Infinity) }]
    : [filled];
}

/** Layers that run in slices of their channels have a table of weights for each. */
function sliceWeights(layer: WeightedLayer, { slice }: ScheduleStep, channels: number): NonNullable<Work['weights']> {
  const { length } = layer.weights;
  if (!slice) return { id: 'all', count: length };
  return { id: String(slice.begin), count: (length / layer.bias.length) * channels };
}

/** The share of branches for which a call runs, where classes are decided at run time. */
export function shareOf({ guard }: Pick<Work, 'guard'>, outlierShare: number): number {
  return guard === null ? 1 : guard === 'outlier' ? outlierShare : 1 - outlierShare;
}
