import { regionPixels, regionWidth } from '../graph/region';
import type { ConvLayer, Graph, Layer } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core } from '../targets/types';
import {
  extentOf,
  kernelInstructions,
  M4_COEFFICIENTS,
  unitCosts,
  wholeExtent,
  type Extent,
  type KernelShape,
} from './kernelCost';
import type { Program, Step } from '../program/types';

/**
 * Instructions on a Cortex-M4, by coefficients that `node test/bench/latency.mjs` fits by least squares of the relative
 * error to exact counts on the emulated core (test/bench/kernels-m4.tsv, packed-m4.tsv, runs-m4.tsv; at -O3). Largest
 * errors, by test: {@link FIT_ERROR}, {@link PACKED_FIT_ERROR}, and of whole networks in patches {@link PLAN_ERROR}.
 */

/** Largest relative error of the fit for convolutions and depthwise layers of whole maps. */
export const FIT_ERROR = 0.06;

/** The same for convolutions with packed weights. */
export const PACKED_FIT_ERROR = 0.13;

/** The same for whole inferences, layer by layer and in patches. */
export const PLAN_ERROR = 0.05;

/**
 * Cycles per instruction of whole networks on a Cortex-M4 by the model of test/bench/networks.md, without wait states:
 * 1.39 to 1.45.
 */
const CYCLES_PER_INSTRUCTION = 1.4;

const windowless = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1 } as const;

/**
 * How the runtime computes a layer of a graph, as its cost depends on it; null for layers that take no kernel of their
 * own.
 */
export function layerShape(
  graph: Graph,
  layer: Layer,
  inputBits: Bits,
  weightBits: WeightBits = 8,
): KernelShape | null {
  const { c: channels } = graph.maps[layer.output].shape;
  const { c: inChannels } = graph.maps[layer.inputs[0]].shape;
  const bits = { inputBits, weightBits };
  switch (layer.kind) {
    case 'conv':
      return {
        kernel: 'conv',
        channels,
        taps: (layer.window.kernelH * layer.window.kernelW * inChannels) / layer.group,
        ...layer.window,
        ...bits,
      };
    case 'depthwise':
    case 'maxPool':
    case 'averagePool':
      return {
        kernel: layer.kind,
        channels,
        taps: layer.window.kernelH * layer.window.kernelW,
        ...layer.window,
        ...bits,
      };
    case 'fullyConnected':
      return { kernel: 'fullyConnected', channels, taps: layer.weights.length / channels, ...windowless, ...bits };
    case 'concat':
    case 'slice':
    case 'reshape':
      return null;
    default:
      return { kernel: layer.kind === 'add' ? 'add' : 'element', channels, taps: 1, ...windowless, ...bits };
  }
}

/** Instructions of a layer of a graph for output pixels computed in one call or several, calls included. */
export function layerInstructions(
  graph: Graph,
  layer: Layer,
  extent: Extent,
  inputBits: Bits,
  weightBits: WeightBits = 8,
): number {
  const shape = layerShape(graph, layer, inputBits, weightBits);
  return shape
    ? kernelInstructions(unitCosts(M4_COEFFICIENTS, shape), shape, extent)
    : callInstructions(extent.rows.calls * extent.cols.calls);
}

/** A copy of pixels of so many bytes. */
export function copyShape(pixelBytes: number): KernelShape {
  return { kernel: 'copy', channels: pixelBytes, taps: 1, ...windowless, inputBits: 8, weightBits: 8 };
}

/** Instructions that copying halos costs: `bytes` written to caches and back, in `rows` rows of `calls` calls. */
export function copyInstructions(bytes: number, rows: number, calls: number): number {
  return bytes * M4_COEFFICIENTS.copyByte + rows * M4_COEFFICIENTS.copyRow + calls * M4_COEFFICIENTS.call;
}

/** Instructions of calls themselves, apart from their work. */
export function callInstructions(calls: number): number {
  return calls * M4_COEFFICIENTS.call;
}

/**
 * Instructions that a convolution spends on a whole map of `h`×`w` output pixels whatever the number of its output
 * channels: once more for every further slice of them.
 */
export function sliceInstructions(
  graph: Graph,
  layer: ConvLayer,
  size: { readonly h: number; readonly w: number },
  inputBits: Bits,
): number {
  const shape = { ...layerShape(graph, layer, inputBits)!, channels: 0 };
  return kernelInstructions(unitCosts(M4_COEFFICIENTS, shape), shape, wholeExtent(size));
}

/** Instructions of requantizing or looking at `codes` one by one. */
export function elementInstructions(codes: number): number {
  return codes * M4_COEFFICIENTS.element;
}

/** Estimated instructions on a Cortex-M4 of every step of a program. */
export function stepInstructions(program: Program): number[] {
  return program.steps.map((step) => {
    const { shape, extent } = stepShape(program, step);
    return kernelInstructions(unitCosts(M4_COEFFICIENTS, shape), shape, extent);
  });
}

/** How the runtime computes a step, as its cost depends on it. */
export function stepShape(
  { buffers }: Program,
  { kernel, inputs, output }: Step,
): { readonly shape: KernelShape; readonly extent: Extent } {
  const extent = extentOf(output.region);
  const { channels } = output;
  const inputBits = inputs.length > 0 ? buffers[inputs[0].buffer].bits : 8;
  const plain = { channels, taps: 1, ...windowless, inputBits, weightBits: 8 as WeightBits };
  switch (kernel.op) {
    case 'conv2d': {
      const { kernelH, kernelW } = kernel.window;
      const taps = (kernelH * kernelW * inputs[0].channels) / kernel.group;
      // As the generator packs them where there is flash; whether the weights' values allow it is left to it.
      const { role } = buffers[inputs[0].buffer];
      const isPackable =
        kernel.weightBits === 4 &&
        kernel.group === 1 &&
        kernel.padCodes === null &&
        channels % 4 === 0 &&
        regionWidth(output.region) >= 4 &&
        (inputBits < 8 || role !== 'input');
      return {
        shape: {
          kernel: isPackable ? 'packed' : 'conv',
          channels,
          taps,
          ...kernel.window,
          inputBits,
          weightBits: kernel.weightBits,
        },
        extent,
      };
    }
    case 'depthwise2d':
      return {
        shape: {
          kernel: 'depthwise',
          channels,
          taps: kernel.window.kernelH * kernel.window.kernelW,
          ...kernel.window,
          inputBits,
          weightBits: kernel.weightBits,
        },
        extent,
      };
    case 'fullyConnected':
      return {
        shape: {
          ...plain,
          kernel: 'fullyConnected',
          taps: regionPixels(inputs[0].region) * inputs[0].channels,
          weightBits: kernel.weightBits,
        },
        extent,
      };
    case 'maxPool':
    case 'averagePool':
      return { shape: { ...plain, kernel: kernel.op, ...kernel.window }, extent };
    case 'add':
      return { shape: { ...plain, kernel: 'add' }, extent };
    case 'copy':
    case 'load':
    case 'fill':
      return {
        shape: { ...plain, kernel: 'copy', channels: Math.ceil((channels * buffers[output.buffer].bits) / 8) },
        extent,
      };
    case 'classify':
      return {
        shape: { ...plain, kernel: 'element', channels: inputs[0].channels },
        extent: extentOf(inputs[0].region),
      };
    default:
      return { shape: { ...plain, kernel: 'element' }, extent };
  }
}

/**
 * Estimated time of one inference in milliseconds; null for cores whose kernels are not fitted. Steps that run for one
 * class only, where that is decided at run time, count by `outlierShare`, the share of branches of outlier class.
 */
export function latencyMs(program: Program, core: Core, clockMHz: number, outlierShare = 0): number | null {
  const share = ({ guard }: Step): number => (guard === null ? 1 : guard.value === 1 ? outlierShare : 1 - outlierShare);
  return instructionsMs(
    stepInstructions(program).reduce((sum, n, i) => sum + n * share(program.steps[i]), 0),
    core,
    clockMHz,
  );
}

/** Time that estimated instructions take, in milliseconds; null for cores whose kernels are not fitted. */
export function instructionsMs(instructions: number, core: Core, clockMHz: number): number | null {
  return core === 'cortex-m4' ? (instructions * CYCLES_PER_INSTRUCTION) / (clockMHz * 1000) : null;
}
