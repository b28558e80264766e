import type { OrderedOp } from '../arena/overlap';
import type { Bits, WeightBits } from '../graph/bits';
import type { FewBits } from './coreCosts';
import { axisExtents, type AxisExtent, type Extent, type KernelShape } from './kernelCost';

/** The one rule that says how the runtime computes a call, as its cost depends on it, for schedules and Programs. */

/** Calls of a kernel, apart from their pixels. */
export interface KernelCall {
  readonly op: OrderedOp;
  /** Of the output; for `classify` of the input. */
  readonly channels: number;
  /** Of the first input. */
  readonly inChannels: number;
  /** Bytes of an output pixel. */
  readonly pixelBytes: number;
  /** Of windowed kernels. */
  readonly window?: {
    readonly kernelH: number;
    readonly kernelW: number;
    readonly strideH: number;
    readonly strideW: number;
  };
  /** Of convolutions; default 1. */
  readonly group?: number;
  /** Pixels of the first input that are read. */
  readonly inputPixels?: number;
  readonly inputBits: Bits;
  /** Default 8. */
  readonly weightBits?: WeightBits;
  /** Some map has 16 bits. Default: false. */
  readonly wide?: boolean;
  /** The codes read are pixels as the application gives them. */
  readonly readsImage: boolean;
  /** Its weights are packed where they may be. Default: true. */
  readonly packs?: boolean;
  /** A kernel is made for it where there is one. Default: true. */
  readonly made?: boolean;
}

/** Calls of one shape. */
export interface ShapedCalls {
  readonly shape: KernelShape;
  readonly extent: Extent;
}

/** Most taps whose weights vector kernels unpack (qmcu_depthwise2d_mve.c). */
const UNPACKED_TAPS = 49;

const windowless = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1 } as const;

/** How the runtime computes calls. Those too narrow for a packed kernel are computed by the ordinary one. */
export function shapesOf(call: KernelCall, extent: Extent, fewBits: FewBits): ShapedCalls[] {
  const shape = shapeOf(call, fewBits);
  if (shape.kernel !== 'packed') return [{ shape, extent }];
  const { wide, narrow } = byWidth(extent, fewBits);
  const part = (kernel: 'packed' | 'conv', of: Extent): ShapedCalls[] =>
    of.cols.calls > 0 ? [{ shape: { ...shape, kernel }, extent: of }] : [];
  return [...part('packed', wide), ...part('conv', narrow)];
}

const NO_CALLS = axisExtents([]);

/**
 * Calls with rows of at least four pixels, and the others; of eights, which go over from one row to the next, those of
 * at least three pixels.
 */
export function byWidth(extent: Extent, fewBits: FewBits): { readonly wide: Extent; readonly narrow: Extent } {
  const { rows, cols, isPart } = extent;
  const none: Extent = { rows, cols: NO_CALLS };
  if (fewBits === 'eights')
    return rows.elements * cols.elements >= 3 * rows.calls * cols.calls
      ? { wide: extent, narrow: none }
      : { wide: none, narrow: extent };
  if (cols.narrow.calls === 0) return { wide: extent, narrow: none };
  if (cols.narrow.calls === cols.calls) return { wide: none, narrow: extent };
  const { wide, narrow } = splitAxis(cols);
  return { wide: { rows, cols: wide, isPart }, narrow: { rows, cols: narrow, isPart } };
}

/** Planners price the same axes again and again. */
const splits = new WeakMap<AxisExtent, { readonly wide: AxisExtent; readonly narrow: AxisExtent }>();

function splitAxis(axis: AxisExtent): { readonly wide: AxisExtent; readonly narrow: AxisExtent } {
  let split = splits.get(axis);
  if (!split) {
    const { calls, elements, rests, narrow } = axis;
    split = {
      wide: {
        ...{ calls: calls - narrow.calls, elements: elements - narrow.elements, narrow: NO_CALLS },
        rests: rests.map((n, i) => n - narrow.rests[i]),
      },
      narrow: { ...narrow, narrow },
    };
    splits.set(axis, split);
  }
  return split;
}

/** The shape of calls with at least four pixels in a row. */
export function shapeOf(call: KernelCall, fewBits: FewBits): KernelShape {
  const shape = kernelShape(call, fewBits);
  return fewBits === 'none' && hasTwoBits(call) ? { ...shape, toTwoBits: true } : shape;
}

/** Whether a pixel's bytes hold four codes each. */
function hasTwoBits({ channels, pixelBytes }: KernelCall): boolean {
  return channels > 2 && pixelBytes === Math.ceil(channels / 4);
}

function kernelShape(call: KernelCall, fewBits: FewBits): KernelShape {
  const { op, channels, inChannels, window = windowless, group = 1, inputBits, weightBits = 8 } = call;
  const isMade = call.made !== false;
  if (call.wide && op !== 'copy') return wideShape(call);
  switch (op) {
    case 'conv2d': {
      const kernel = hasFewBits(call, fewBits) ? 'packed' : 'conv';
      const taps = (window.kernelH * window.kernelW * inChannels) / group;
      return shape(kernel, channels, taps, window, inputBits, weightBits, isMade && isMadeConv(call));
    }
    case 'depthwise2d': {
      const kernel = isByTaps(call, fewBits) ? 'depthwiseTaps' : 'depthwise';
      return shape(kernel, channels, window.kernelH * window.kernelW, window, inputBits, weightBits, isMade);
    }
    case 'fullyConnected': {
      const taps = (call.inputPixels ?? 1) * inChannels;
      return shape('fullyConnected', channels, taps, windowless, inputBits, weightBits, isMade);
    }
    case 'maxPool':
    case 'averagePool':
      return shape(op, channels, 1, window, inputBits, 8, true);
    case 'add':
      return shape('add', channels, 1, windowless, inputBits, 8, true);
    case 'copy':
    case 'load':
    case 'fill':
      return shape('copy', call.pixelBytes, 1, windowless, inputBits, 8, true);
    default:
      return shape('element', channels, 1, windowless, inputBits, 8, true);
  }
}

/** The kernels for 16 bits have one way each. */
function wideShape({
  op,
  channels,
  inChannels,
  window = windowless,
  group = 1,
  inputBits,
  inputPixels = 1,
}: KernelCall): KernelShape {
  const { kernelH, kernelW } = window;
  switch (op) {
    case 'conv2d':
      return shape('wideConv', channels, (kernelH * kernelW * inChannels) / group, window, inputBits, 8, true);
    case 'fullyConnected':
      return shape('wideConnected', channels, inputPixels * inChannels, windowless, inputBits, 8, true);
    case 'depthwise2d':
      return shape('wideDepthwise', channels, kernelH * kernelW, window, inputBits, 8, true);
    case 'maxPool':
    case 'averagePool':
      return shape('widePool', channels, 1, window, inputBits, 8, true);
    case 'add':
      return shape('wideAdd', channels, 1, windowless, inputBits, 8, true);
    default:
      return shape('wideElement', channels, 1, windowless, inputBits, 8, true);
  }
}

/** Written out, as this runs for every call of every plan that is tried: spreading objects took most of the time. */
function shape(
  kernel: KernelShape['kernel'],
  channels: number,
  taps: number,
  { kernelH, kernelW, strideH, strideW }: NonNullable<KernelCall['window']>,
  inputBits: Bits,
  weightBits: WeightBits,
  isMade: boolean,
): KernelShape {
  return isMade
    ? { kernel, channels, taps, kernelH, kernelW, strideH, strideW, inputBits, weightBits }
    : { kernel, channels, taps, kernelH, kernelW, strideH, strideW, inputBits, weightBits, general: true };
}

/** Whether a depthwise kernel computes tap by tap; of vector kernels those that unpack no weights. */
function isByTaps(call: KernelCall, fewBits: FewBits): boolean {
  const { kernelH, kernelW } = call.window ?? windowless;
  return fewBits === 'eights' || (fewBits === 'packed' ? !isMadeDepthwise(call) : kernelH * kernelW > UNPACKED_TAPS);
}

function hasFewBits(call: KernelCall, fewBits: FewBits): boolean {
  switch (fewBits) {
    case 'packed':
      return isPacked(call);
    case 'eights':
      return (call.group ?? 1) === 1 && (call.weightBits === 4 || call.inputBits <= 4);
    case 'none':
      return false;
  }
}

/**
 * Whether the generator packs a convolution's weights where there is flash. Weights of 4 bits allow it but in columns
 * of thousands of codes, where it depends on their values.
 */
function isPacked({ channels, group = 1, inputBits, weightBits, readsImage, packs, made }: KernelCall): boolean {
  return (
    packs !== false &&
    made !== false &&
    weightBits === 4 &&
    group === 1 &&
    channels % 4 === 0 &&
    (inputBits < 8 || !readsImage)
  );
}

/** Whether a kernel may be made for a convolution, as specialKernel in codegen has it but for what values decide. */
export function isMadeConv({ channels, group = 1 }: KernelCall): boolean {
  return group === 1 && channels % 2 === 0;
}

/** The same for depthwise convolutions. */
export function isMadeDepthwise({ channels, window }: KernelCall): boolean {
  if (!window) return false;
  const { kernelH, kernelW, strideH, strideW } = window;
  return (
    kernelH === kernelW && (kernelH === 3 || kernelH === 5) && strideH === strideW && strideH <= 2 && channels % 2 === 0
  );
}
