import type { Constant, ConstantId, StepWindow } from '../../types';
import type { KernelContext, PreparedKernel } from '../context';
import type { PaddedInput } from '../paddedInput';
import type { Requantizer } from '../requantizer';
import { SimdLayout, simdMemory } from './memory';
import { are16Bit, requantTable } from './table';

/** Codes of 16 bits. */
const CODE = 2;

/** A checked depthwise convolution. */
export interface Depthwise {
  readonly window: StepWindow;
  /** [kernelH][kernelW][C] */
  readonly weights: Constant['values'];
  readonly requantizer: Requantizer;
  readonly padded: PaddedInput;
}

/** depthwise2d by WebAssembly; null where that is not possible. */
export function prepareSimdDepthwise(
  id: ConstantId,
  { window, weights, requantizer, padded }: Depthwise,
  context: KernelContext,
): PreparedKernel | null {
  const memory = context.reference ? null : simdMemory();
  if (memory === null || !are16Bit(weights)) return null;
  const { h, w, channels } = context.output;
  const { kernelH, kernelW, strideH, strideW } = window;
  const taps = kernelH * kernelW;
  const pairs = Math.ceil(taps / 2);
  const packed = context.constants.once(`simd depthwise ${id}`, () => packTaps(weights, taps, channels));
  const table = requantTable(requantizer, 0, channels);
  const offsets = tapOffsets(window, padded.rowStride, channels);
  const layout = new SimdLayout();
  const at = {
    x: layout.place(padded.length * CODE),
    weights: layout.place(packed.byteLength),
    table: layout.place(table.byteLength),
    offsets: layout.place(offsets.byteLength),
    out: layout.place(h * w * channels * CODE),
  };
  if (!layout.fits) return null;
  return ([dense], out) => {
    const { int16, int32 } = memory.reserve(layout.bytes);
    padded.lay(dense, int16.subarray(at.x / CODE));
    int16.set(packed, at.weights / CODE);
    int32.set(table, at.table / 4);
    int32.set(offsets, at.offsets / 4);
    memory.functions.depthwise(
      at.x,
      at.out,
      at.weights,
      at.table,
      at.offsets,
      pairs,
      h,
      w,
      strideH * padded.rowStride * CODE,
      strideW * channels * CODE,
      channels,
      requantizer.preShift,
      requantizer.shift,
      requantizer.min,
    );
    out.set(int16.subarray(at.out / CODE, at.out / CODE + h * w * channels));
  };
}

/** Bytes from the first tap to each, two per pair; a missing last one is the one before it. */
function tapOffsets(
  { kernelH, kernelW, dilationH, dilationW }: StepWindow,
  rowStride: number,
  channels: number,
): Int32Array {
  const taps = kernelH * kernelW;
  return Int32Array.from({ length: Math.ceil(taps / 2) * 2 }, (_, i) => {
    const tap = Math.min(i, taps - 1);
    return (Math.floor(tap / kernelW) * dilationH * rowStride + (tap % kernelW) * dilationW * channels) * CODE;
  });
}

/**
 * Weights as `depthwise` of assembly/kernels.ts reads them: [block of 8 channels][pair of taps][8 channels][2 taps], 0
 * where there is none.
 * @param weights [taps][channels]
 */
function packTaps(weights: ArrayLike<number>, taps: number, channels: number): Int16Array {
  const pairs = Math.ceil(taps / 2);
  const packed = new Int16Array(Math.ceil(channels / 8) * pairs * 16);
  for (let tap = 0; tap < taps; tap++) {
    for (let c = 0; c < channels; c++)
      packed[((c >> 3) * pairs + (tap >> 1)) * 16 + (c & 7) * 2 + (tap & 1)] = weights[tap * channels + c];
  }
  return packed;
}
