import type { WeightBits } from '../graph/bits';
import type { LayerId } from '../graph/types';
import type { Core } from '../targets/types';
import { codeTable, keyBytes } from './codeBytes';
import { isMadeConv, isMadeDepthwise, type KernelCall } from './kernelShape';
import { columnKind, sharedUnroll } from './madeKernels';
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

/** How a layer's weights are stored in flash, and whether kernels are made for it. */
export interface LayerForm {
  /** As planned; 4-bit weights as bytes; or packed in words (codegen/weights/packs.ts), which kernels are made for. */
  readonly weights: 'planned' | 'bytes' | 'packed';
  /** `shared`: for what layers have in common, so that one kernel serves many. */
  readonly made: boolean | 'shared';
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

/** Flash that layers take more in these forms than in plain ones, the runtime aside: each kernel once. */
export function formsBytes(layers: readonly WeightedLayer[], forms: Forms, core: Core): number {
  const kernels = new Map<string, number>();
  let bytes = 0;
  for (const layer of layers) {
    const form = forms.get(layer.layer) ?? PLAIN_FORM;
    bytes += storedBytes(layer, form);
    formKernels(layer, form, core).forEach((size, id) => kernels.set(id, size));
  }
  return [...kernels.values()].reduce((sum, size) => sum + size, bytes);
}

/** The kernels of a layer in this form and their bytes: other layers whose kernels have the same name share them. */
export function formKernels(layer: WeightedLayer, form: LayerForm, core: Core): ReadonlyMap<string, number> {
  const kernels = layerKernels(layer, form);
  return new Map([
    ...kernels.map(({ key, shape }): [string, number] => [
      form.made === 'shared' ? shape : `${layer.layer} ${key}`,
      keyBytes(core, key) + BOUNDS_BYTES,
    ]),
    ...callers(layer, form, core),
  ]);
}

/** Where layers share a packed kernel, each has a function of its own that calls it. */
export function callers(layer: WeightedLayer, form: LayerForm, core: Core): [string, number][] {
  if (form.made !== 'shared' || form.weights !== 'packed') return [];
  return byPacking(layer, form).packable.map(({ call }) => [
    `${layer.layer} ${columnOf(call)} ${call.pixelBytes}`,
    codeTable(core).again?.shared ?? 0,
  ]);
}

/** Of {@link formBytes}, what weights and tables take more. */
export function storedBytes(layer: WeightedLayer, form: LayerForm): number {
  const { weights, weightBits, op } = layer;
  const planned = Math.ceil((weights * weightBits) / 8);
  const { packable, others } = byPacking(layer, form);
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
  // Limits of the sums are four bytes for each unit of at least four codes.
  for (const { call } of packable) bytes += paddedColumn(call);
  if (op === 'fullyConnected') {
    // Two rows stand in the same numbers, rows and places padded to four (codegen/weights/twins.ts).
    const length = weights / layer.channels;
    bytes += Math.ceil(layer.channels / 4) * 4 * Math.ceil(length / 4) * 4 - weights;
  }
  return bytes;
}

/** A kernel that is made for calls of a layer. */
interface LayerKernel {
  /** What its bytes depend on, see `madeKernelKey`. */
  readonly key: string;
  /** What layers have in common that share one, if the values of their scales let them. */
  readonly shape: string;
}

/** The kernels that are made for a layer in this form, for each call one. */
export function layerKernels(layer: WeightedLayer, form: LayerForm): LayerKernel[] {
  if (!form.made) return [];
  const { op, weightBits } = layer;
  const shared = form.made === 'shared';
  const { packable, others } = byPacking(layer, form);
  const storedBits = form.weights === 'planned' ? weightBits : 8;
  const kernel = (call: KernelCall, key: string): LayerKernel => ({
    key,
    shape: key.startsWith('shared')
      ? key
      : `${key} ${op === 'depthwise2d' ? '' : columnOf(call)} ${shared ? '' : call.pixelBytes}`,
  });
  return [
    ...packable.map(({ call, outputBits }) => kernel(call, packedKey(call, outputBits, shared))),
    ...others.flatMap(({ call, outputBits }) => {
      if (op === 'conv2d' && isMadeConv(call)) {
        const column = columnOf(call);
        const kind = columnKind(column, storedBits, column > 256);
        return [kernel(call, `conv ${storedBits} ${kind} U${outputBits} 0`)];
      }
      return op === 'depthwise2d' && isMadeDepthwise(call)
        ? [kernel(call, depthwiseKey(call, outputBits, shared))]
        : [];
    }),
  ];
}

function byPacking({ work }: WeightedLayer, form: LayerForm): { readonly packable: Work[]; readonly others: Work[] } {
  const packable = form.weights === 'packed' ? work.filter(isPackable) : [];
  return { packable, others: work.filter((w) => !packable.includes(w)) };
}

const paddedColumn = (call: KernelCall): number => Math.ceil(columnOf(call) / 4) * 4;

function packedKey(call: KernelCall, outputBits: number, shared: boolean): string {
  const column = paddedColumn(call);
  const kind = call.inputBits <= 4 ? 'HALVES' : 'WORDS';
  if (shared) return `shared ${kind} ${sharedUnroll(column)} U${outputBits} 0`;
  let unroll = 32;
  while (column % unroll !== 0) unroll -= 2;
  return `packed ${kind} 0 ${unroll} ${column > unroll ? 'loop' : 'once'} U${outputBits} 0`;
}

/** Bounds below the largest code, which only values reveal, are left out: maps of their own scale end at it. */
function depthwiseKey({ window, inputBits, weightBits = 8 }: KernelCall, outputBits: number, shared: boolean): string {
  const { kernelH, strideH } = window!;
  const isPolynomial = kernelH === 3 && strideH === 1 && (weightBits === 4 || inputBits <= 4);
  const key = isPolynomial ? `polynomial U${outputBits} 0` : `depthwise ${kernelH} ${strideH} U${outputBits} 0`;
  return shared ? `shared ${key}` : key;
}
