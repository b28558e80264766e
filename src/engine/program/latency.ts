import { regionPixels, regionWidth } from '../graph/region';
import type { ConvLayer, Graph, Layer } from '../graph/types';
import type { Bits, WeightBits } from '../plan/types';
import type { Core } from '../targets/types';
import type { Program, Step } from './types';

/**
 * Instructions of the runtime's kernels on a Cortex-M4, fitted by least squares of the relative error to exact counts on the emulated core
 * (test/bench/kernels-m4.tsv; at -O3). Convolutions and depthwise layers: within 6 %, by test. Fully connected layers, additions and average pools stand
 * for one shape each. `maxCode`, `copyByte`, `call` and `element` (kernels without a count) are estimates that no count supports yet.
 */
const M4 = {
  conv: { mac: 0.931, mac4: 0.183, output: 1.257, narrowCode: { 8: 0, 4: 0.215, 2: 12.435 }, pixel: 305 },
  depthwise: { mac: 1.044, narrow: { 8: 0, 4: 0.097, 2: 5.34 }, output: 4.83, code: 4.17 },
  // Packed weights (qmcu_pack.h), by test within PACKED_FIT_ERROR of test/bench/packed-m4.tsv; 8-bit codes as they are in a photo's feature maps, more or less.
  packed: { 8: { mac: 0.507, output: 7.93, code: 8.97 }, 4: { mac: 0.518, output: 6.72, code: 1.31 } },
  fullyConnected: { 8: 1.882, 4: 2.252 },
  add: 32.842,
  averageCode: 3.751,
  maxCode: 12,
  element: 33,
  copyByte: 1.5,
  call: 200,
} as const;

/** Largest relative error of the fit for convolutions and depthwise layers. */
export const FIT_ERROR = 0.06;

/** The same for convolutions with packed weights. */
export const PACKED_FIT_ERROR = 0.13;

/** Output channels that share unpacked codes where columns come in parts, and the longest column that does not. */
const PACKED_PART = { channels: 64, taps: 256 } as const;

/** Cycles per instruction, an assumption until a board is measured: one for arithmetic, two for most loads. */
const CYCLES_PER_INSTRUCTION = 1.3;

/** Shape of one call of a kernel, as its cost depends on it. */
interface Work {
  /** Output pixels. */
  readonly pixels: number;
  readonly channels: number;
  /** Codes that one output reads: kernel height × width × input channels of a group. */
  readonly taps: number;
  /** Input pixels for each output pixel: vertical × horizontal stride. */
  readonly strides: number;
  readonly inputBits: Bits;
  readonly weightBits: WeightBits;
}

function strides({ strideH, strideW }: { readonly strideH: number; readonly strideW: number }): number {
  return strideH * strideW;
}

function convolution({ pixels, channels, taps, inputBits, weightBits }: Work): number {
  const { mac, mac4, output, narrowCode, pixel } = M4.conv;
  const perPixel = channels * taps * (mac + (weightBits === 4 ? mac4 : 0)) + channels * output + taps * narrowCode[inputBits] + pixel;
  return pixels * perPixel;
}

/** Instructions of a convolution with packed 4-bit weights. */
export function packedInstructions({ pixels, channels, taps, inputBits }: Pick<Work, 'pixels' | 'channels' | 'taps' | 'inputBits'>): number {
  const { mac, output, code } = M4.packed[inputBits === 8 ? 8 : 4];
  const gathered = taps > PACKED_PART.taps ? Math.ceil(channels / PACKED_PART.channels) : 1;
  return pixels * (channels * (taps * mac + output) + taps * gathered * code);
}

function depthwise({ pixels, channels, taps, strides, inputBits }: Work): number {
  const { mac, narrow, output, code } = M4.depthwise;
  return pixels * channels * (taps * (mac + narrow[inputBits]) + output + strides * code);
}

/** Instructions of one call that a layer of a graph costs for `pixels` output pixels, without the call itself. Linear in the pixels. */
export function layerInstructions(graph: Graph, layer: Layer, pixels: number, inputBits: Bits, weightBits: WeightBits = 8): number {
  const { c: channels } = graph.maps[layer.output].shape;
  const { c: inChannels } = graph.maps[layer.inputs[0]].shape;
  switch (layer.kind) {
    case 'conv':
      return convolution({ pixels, channels, taps: (layer.window.kernelH * layer.window.kernelW * inChannels) / layer.group, strides: strides(layer.window), inputBits, weightBits });
    case 'depthwise':
      return depthwise({ pixels, channels, taps: layer.window.kernelH * layer.window.kernelW, strides: strides(layer.window), inputBits, weightBits });
    case 'fullyConnected':
      return layer.weights.length * M4.fullyConnected[weightBits];
    case 'maxPool':
    case 'averagePool':
      return pixels * channels * layer.window.kernelH * layer.window.kernelW * (layer.kind === 'maxPool' ? M4.maxCode : M4.averageCode);
    case 'add':
      return pixels * channels * M4.add;
    case 'concat':
    case 'slice':
    case 'reshape':
      return 0;
    default:
      return pixels * channels * M4.element;
  }
}

/** Instructions that copying halos costs: `bytes` written to caches and back, in `calls` calls. */
export function copyInstructions(bytes: number, calls: number): number {
  return bytes * M4.copyByte + calls * M4.call;
}

/** Instructions of the calls of layers themselves, apart from their work. */
export function callInstructions(calls: number): number {
  return calls * M4.call;
}

/** Instructions that a convolution spends on `pixels` output pixels whatever the number of its output channels: once more for every further slice of them. */
export function sliceInstructions(graph: Graph, layer: ConvLayer, pixels: number, inputBits: Bits): number {
  const taps = layer.weights.length / graph.maps[layer.output].shape.c;
  return convolution({ pixels, channels: 0, taps, strides: 1, inputBits, weightBits: 8 });
}

/** Instructions of requantizing or looking at `codes` one by one. */
export function elementInstructions(codes: number): number {
  return codes * M4.element;
}

/** Estimated instructions on a Cortex-M4 of every step of a program. */
export function stepInstructions(program: Program): number[] {
  return program.steps.map((step) => M4.call + workOf(program, step));
}

function workOf({ buffers }: Program, { kernel, inputs, output }: Step): number {
  const pixels = regionPixels(output.region);
  const { channels } = output;
  const inputBits = inputs.length > 0 ? buffers[inputs[0].buffer].bits : 8;
  switch (kernel.op) {
    case 'conv2d': {
      const { kernelH, kernelW } = kernel.window;
      const taps = (kernelH * kernelW * inputs[0].channels) / kernel.group;
      // As the generator packs them where there is flash; whether the weights' values allow it is left to it.
      const { role } = buffers[inputs[0].buffer];
      const packable = kernel.weightBits === 4 && kernel.group === 1 && kernel.padCodes === null && channels % 4 === 0 && regionWidth(output.region) >= 4;
      if (packable && (inputBits < 8 || role !== 'input')) return packedInstructions({ pixels, channels, taps, inputBits });
      return convolution({ pixels, channels, taps, strides: strides(kernel.window), inputBits, weightBits: kernel.weightBits });
    }
    case 'depthwise2d':
      return depthwise({ pixels, channels, taps: kernel.window.kernelH * kernel.window.kernelW, strides: strides(kernel.window), inputBits, weightBits: kernel.weightBits });
    case 'fullyConnected':
      return channels * regionPixels(inputs[0].region) * inputs[0].channels * M4.fullyConnected[kernel.weightBits];
    case 'maxPool':
    case 'averagePool':
      return pixels * channels * kernel.window.kernelH * kernel.window.kernelW * (kernel.op === 'maxPool' ? M4.maxCode : M4.averageCode);
    case 'add':
      return pixels * channels * M4.add;
    case 'copy':
    case 'load':
    case 'fill':
      return Math.ceil((pixels * channels * buffers[output.buffer].bits) / 8) * M4.copyByte;
    case 'classify':
      return regionPixels(inputs[0].region) * inputs[0].channels * M4.element;
    default:
      return pixels * channels * M4.element;
  }
}

/**
 * Estimated time of one inference in milliseconds; null for cores whose kernels are not fitted. Steps that run for one class only, where that is decided
 * at run time, count by `outlierShare`, the share of branches of outlier class.
 */
export function latencyMs(program: Program, core: Core, clockMHz: number, outlierShare = 0): number | null {
  const share = ({ guard }: Step): number => (guard === null ? 1 : guard.value === 1 ? outlierShare : 1 - outlierShare);
  return instructionsMs(stepInstructions(program).reduce((sum, n, i) => sum + n * share(program.steps[i]), 0), core, clockMHz);
}

/** Time that estimated instructions take, in milliseconds; null for cores whose kernels are not fitted. */
export function instructionsMs(instructions: number, core: Core, clockMHz: number): number | null {
  return core === 'cortex-m4' ? (instructions * CYCLES_PER_INSTRUCTION) / (clockMHz * 1000) : null;
}
