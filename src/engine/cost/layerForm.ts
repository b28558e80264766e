import type { WeightBits } from '../graph/bits';
import type { LayerId } from '../graph/types';
import type { Core } from '../targets/types';
import { keyBytes } from './codeBytes';
import { isMadeConv, isMadeDepthwise, type KernelCall } from './kernelShape';
import { columnKind } from './madeKernels';
import type { Work } from './work';

/** A layer with weights and its calls. */
export interface WeightedLayer {
  readonly layer: LayerId;
  readonly op: 'conv2d' | 'depthwise2d' | 'fullyConnected';
  readonly weights: number;
  readonly weightBits: WeightBits;
  /** Of its output. */
  readonly channels: number;
  readonly work: readonly Work[];
}

/** How a layer's weights stand in flash, and whether kernels are made for it. */
export interface LayerForm {
  /** As planned; 4-bit weights as bytes; or packed in words (codegen/weights/packs.ts), which kernels are made for. */
  readonly weights: 'planned' | 'bytes' | 'packed';
  readonly made: boolean;
}

/** Forms of layers; those that are missing are {@link PLAIN_FORM}. */
export type Forms = ReadonlyMap<LayerId, LayerForm>;

export const PLAIN_FORM: LayerForm = { weights: 'planned', made: false };

/** What signs and bounds of the output, which quantizing decides, may add to a kernel. */
const BOUNDS_BYTES = 32;

/** Whether the generator packs a convolution's weights where it may. */
export function isPackable({ call, extent }: Work): boolean {
  const { channels, group = 1, inputBits, readsImage } = call;
  return group === 1 && channels % 4 === 0 && extent.cols.elements >= 4 && (inputBits < 8 || !readsImage);
}

/** Codes of a column under the window. */
export function columnOf({ window, inChannels, group = 1 }: KernelCall): number {
  return ((window?.kernelH ?? 1) * (window?.kernelW ?? 1) * inChannels) / group;
}

/** Flash that a layer takes more in this form than in the plain one, the runtime aside. */
export function formBytes(layer: WeightedLayer, form: LayerForm, core: Core): number {
  const { weights, weightBits, op, work } = layer;
  const planned = Math.ceil((weights * weightBits) / 8);
  const packable = form.weights === 'packed' ? work.filter(isPackable) : [];
  const others = work.filter((w) => !packable.includes(w));
  let bytes = 0;
  if (form.weights === 'bytes') bytes += weights - planned;
  if (packable.length > 0) {
    // Each way of packing is stored; what cannot be packed reads bytes.
    const kinds = new Set(packable.map(({ call }) => (call.inputBits <= 4 ? 1 : 2)));
    for (const size of kinds) {
      const column = columnOf(packable[0].call);
      bytes += (weights / column) * Math.ceil(column / 4) * 4 * size + 8 * layer.channels;
    }
    bytes += others.length > 0 ? weights - planned : -planned - 8 * layer.channels;
  }
  if (!form.made) return bytes;
  const keys = new Set<string>();
  for (const { call, outputBits } of packable) {
    const column = Math.ceil(columnOf(call) / 4) * 4;
    let unroll = 32;
    while (column % unroll !== 0) unroll -= 2;
    // Limits of the sums are four bytes for each unit of at least four codes.
    bytes += column;
    keys.add(
      `packed ${call.inputBits <= 4 ? 'HALVES' : 'WORDS'} 0 ${unroll} ${column > unroll ? 'loop' : 'once'} ` +
        `U${outputBits} 0`,
    );
  }
  const storedBits = form.weights === 'planned' ? weightBits : 8;
  if (op === 'fullyConnected') {
    // Two rows stand in the same numbers, rows and places padded to four (codegen/weights/twins.ts).
    const length = weights / layer.channels;
    bytes += Math.ceil(layer.channels / 4) * 4 * Math.ceil(length / 4) * 4 - weights;
  }
  for (const { call, outputBits } of others) {
    if (op === 'conv2d' && isMadeConv(call)) {
      const column = columnOf(call);
      keys.add(`conv ${storedBits} ${columnKind(column, storedBits, column > 256)} U${outputBits} 0`);
    }
    if (op === 'depthwise2d' && isMadeDepthwise(call)) keys.add(depthwiseKey(call, outputBits));
  }
  for (const key of keys) bytes += keyBytes(core, key) + BOUNDS_BYTES;
  return bytes;
}

/** Bounds below the largest code, which values alone tell, are left out: maps of their own scale end at it. */
function depthwiseKey({ window, inputBits, weightBits = 8 }: KernelCall, outputBits: number): string {
  const { kernelH, strideH } = window!;
  const isPolynomial = kernelH === 3 && strideH === 1 && (weightBits === 4 || inputBits <= 4);
  return isPolynomial ? `polynomial U${outputBits} 0` : `depthwise ${kernelH} ${strideH} U${outputBits} 0`;
}
