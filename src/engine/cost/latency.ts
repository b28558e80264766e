import type { ConvLayer, Graph, Layer } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core, Target } from '../targets/types';
import type { Program, Step } from '../program/types';
import type { CoreCosts, FewBits } from './coreCosts';
import {
  coreCosts,
  kernelInstructions,
  unitCosts,
  wholeExtent,
  type Extent,
  type KernelShape,
  type UnitCosts,
} from './kernelCost';
import { byWidth, shapeOf, shapesOf, type KernelCall, type ShapedCalls } from './kernelShape';
import { PLAIN_FORM, type Forms, type LayerForm } from './layerForm';
import { programWork, shareOf, stepWork, type Work } from './work';

/**
 * Instructions, by coefficients that `node test/bench/latency.mjs` fits by least squares of the relative error to exact
 * counts on the emulated core (test/bench/kernels-m4.tsv, packed-m4.tsv, runs-m4.tsv; at -O3). Largest errors, by test:
 * {@link FIT_ERROR}, {@link PACKED_FIT_ERROR}, and of whole networks in patches {@link PLAN_ERROR}. Schedules, Programs
 * and the planner's stages all go through the rule of kernelShape.ts, so that they agree.
 */

/** Largest relative error of the fit for convolutions and depthwise layers of whole maps. */
export const FIT_ERROR = 0.06;

/** The same for convolutions with packed weights. */
export const PACKED_FIT_ERROR = 0.13;

/** The same for whole inferences, layer by layer and in patches. */
export const PLAN_ERROR = 0.05;

/** The fastest form that a layer may have: packed where that is possible, with kernels made for it. */
const FASTEST_FORM: LayerForm = { weights: 'packed', made: true };

/** What kernels that layers share take, of those made for one: 1.053 in the sample's plan, 1.058 in that of VWW-96. */
const SHARED_COST = 1.055;

/** A kernel's call on one core, whose costs are worked out once for any number of pixels. */
export class CallCost {
  private readonly shape: KernelShape;
  private readonly units: UnitCosts;
  private readonly fewBits: FewBits;
  private readonly factor: number;
  /** Of packed kernels, those of the one that computes what is too narrow for them. */
  private readonly narrowUnits: UnitCosts | null;

  constructor(costs: CoreCosts, planned: KernelCall, form: LayerForm = FASTEST_FORM) {
    const call = inForm(planned, form, costs.fewBits);
    this.shape = shapeOf(call, costs.fewBits);
    this.units = unitCosts(costs, this.shape);
    this.fewBits = costs.fewBits;
    this.factor = form.made === 'shared' ? SHARED_COST : 1;
    this.narrowUnits = this.shape.kernel === 'packed' ? unitCosts(costs, { ...this.shape, kernel: 'conv' }) : null;
  }

  instructions(extent: Extent): number {
    const { shape, units, narrowUnits, factor } = this;
    if (!narrowUnits) return factor * kernelInstructions(units, shape, extent);
    const { wide, narrow } = byWidth(extent, this.fewBits);
    return factor * (kernelInstructions(units, shape, wide) + kernelInstructions(narrowUnits, shape, narrow));
  }
}

/** A call as its kernel sees it when the layer's weights are in some storage form. */
function inForm(call: KernelCall, { weights, made }: LayerForm, fewBits: FewBits): KernelCall {
  // Only these have weights, or kernels made for them.
  if (call.op !== 'conv2d' && call.op !== 'depthwise2d' && call.op !== 'fullyConnected') return call;
  // Eight pixels share multiplications by the weights' values, however they are stored.
  if (fewBits === 'eights' && shapeOf(call, fewBits).kernel === 'packed') return call;
  const packs = weights === 'packed';
  // What is not packed beside packed calls reads bytes.
  const weightBits =
    weights === 'planned' || (packs && made && shapeOf(call, fewBits).kernel === 'packed') ? call.weightBits : 8;
  return { ...call, weightBits: call.op === 'depthwise2d' ? call.weightBits : weightBits, packs, made: made !== false };
}

/**
 * A layer's calls on whole maps or parts of them; null for layers that take no kernel of their own where they run in
 * place.
 */
export function layerCall(
  graph: Graph,
  layer: Layer,
  inputBits: Bits,
  weightBits: WeightBits,
  readsImage = graph.maps[layer.inputs[0]].producer === null,
  outputBits: Bits = 8,
): KernelCall | null {
  const { c: channels } = graph.maps[layer.output].shape;
  const { h, w, c: inChannels } = graph.maps[layer.inputs[0]].shape;
  const wide = inputBits === 16 || outputBits === 16 ? { wide: true } : {};
  const call = { channels, inChannels, pixelBytes: channels, inputBits, readsImage, ...wide };
  switch (layer.kind) {
    case 'conv':
      return { ...call, op: 'conv2d', window: layer.window, group: layer.group, weightBits };
    case 'depthwise':
      return { ...call, op: 'depthwise2d', window: layer.window, weightBits };
    case 'fullyConnected':
      return { ...call, op: 'fullyConnected', inputPixels: h * w, weightBits };
    case 'maxPool':
    case 'averagePool':
      return { ...call, op: layer.kind, window: layer.window };
    case 'concat':
    case 'slice':
    case 'reshape':
      return null;
    case 'add':
      return { ...call, op: 'add' };
    case 'pad':
      return { ...call, op: 'copy' };
    default:
      return { ...call, op: 'lookup' };
  }
}

/** Instructions of copying pixels of this many bytes. */
export function copyCall(pixelBytes: number): KernelCall {
  return { op: 'copy', channels: pixelBytes, inChannels: pixelBytes, pixelBytes, inputBits: 8, readsImage: false };
}

/** Instructions that copying halos costs: `bytes` written to caches and back, in `rows` rows of `calls` calls. */
export function copyInstructions({ coefficients: k }: CoreCosts, bytes: number, rows: number, calls: number): number {
  return bytes * k.copyByte + rows * k.copyRow + calls * k.call;
}

/** Instructions of calls themselves, apart from their work. */
export function callInstructions({ coefficients }: CoreCosts, calls: number): number {
  return calls * coefficients.call;
}

/**
 * Instructions that a convolution spends on a whole map of `h`×`w` output pixels whatever the number of its output
 * channels: once more for every further slice of them.
 */
export function sliceInstructions(
  costs: CoreCosts,
  graph: Graph,
  layer: ConvLayer,
  size: { readonly h: number; readonly w: number },
  bits: { readonly inputBits: Bits; readonly weightBits: WeightBits },
): number {
  const call = layerCall(graph, layer, bits.inputBits, bits.weightBits)!;
  return new CallCost(costs, { ...call, channels: 0 }).instructions(wholeExtent(size));
}

/** Estimated instructions of calls of these forms, each as if it always ran. */
export function workInstructions(work: readonly Work[], core: Core = 'cortex-m4', forms?: Forms): number[] {
  const costs = coreCosts(core);
  return work.map(({ call, extent, layer }) =>
    new CallCost(costs, call, forms ? (forms.get(layer) ?? PLAIN_FORM) : FASTEST_FORM).instructions(extent),
  );
}

/** Their sum; those that run for one class only count by `outlierShare`, the share of branches of outlier class. */
export function totalInstructions(work: readonly Work[], outlierShare: number, core?: Core, forms?: Forms): number {
  return workInstructions(work, core, forms).reduce((sum, n, i) => sum + shareOf(work[i], outlierShare) * n, 0);
}

/** How the runtime computes a step whose layer's weights are in this form, as its cost depends on it. */
export function stepShape(program: Program, step: Step, core: Core, form: LayerForm): ShapedCalls {
  const { call: planned, extent } = stepWork(program, step);
  const { fewBits } = coreCosts(core);
  const call = inForm(planned, form, fewBits);
  return shapesOf(call, extent, fewBits)[0] ?? { shape: shapeOf(call, fewBits), extent };
}

/**
 * Estimated time of one inference in milliseconds; null for boards that the table does not have. Steps that run for one
 * class only, where that is decided at run time, count by `outlierShare`, the share of branches of outlier class.
 */
export function latencyMs(
  program: Program,
  board: Pick<Target, 'core' | 'clockMHz' | 'memory'>,
  outlierShare = 0,
  forms?: Forms,
): number | null {
  return instructionsMs(totalInstructions(programWork(program), outlierShare, board.core, forms), board);
}

/** Milliseconds on a board; null for boards that the table does not have. */
export function instructionsMs(
  instructions: number,
  { core, clockMHz, memory }: Pick<Target, 'core' | 'clockMHz' | 'memory'>,
): number | null {
  const { cyclesPerInstruction } = coreCosts(core);
  return clockMHz > 0 ? (instructions * cyclesPerInstruction * (memory?.factor ?? 1)) / (clockMHz * 1000) : null;
}

/**
 * Relative uncertainty of an estimated time on a board: of the instructions, of the cycles that each takes, and of what
 * the memory adds, which know nothing of each other.
 */
export function latencyError({ core, memory }: Pick<Target, 'core' | 'memory'>): number {
  const { instructionError, cycleError } = coreCosts(core);
  return Math.hypot(instructionError, cycleError, memory?.error ?? 0);
}
