import type { Region } from '../graph/region';
import { regionHeight, regionWidth } from '../graph/region';

/**
 * How far an output may be laid over an input that dies in the same step. The kernels' promise in program/types.ts
 * ("Order within a step") makes it safe to write over input bytes that nothing reads any more: with the input
 * `distance` bytes above the output, every byte is written only after its last reading. In-place element-wise steps are
 * the case of distance 0; a depthwise layer needs two rows; a pointwise expansion may have its input at the very end of
 * its output, where plain in-place execution would gain nothing.
 */

/** Where the bytes of a buffer's pixels are. */
export interface BufferGeometry {
  readonly window: Region;
  readonly bits: number;
  readonly pixelBytes: number;
  readonly rowBytes: number;
}

/** A region of a buffer, in the coordinates of its map; channels as in a Program's Access. */
export interface GeometricAccess {
  readonly geometry: BufferGeometry;
  readonly region: Region;
  readonly channel: number;
  readonly channels: number;
}

/** The order in which a kernel reads and writes. */
export type KernelOrder =
  /**
   * Rows from top to bottom; from the moment the first byte of output row oy is written only input rows ≥ firstRow(oy)
   * are read (both counted from 0 in their regions). Not decreasing.
   */
  | { readonly kind: 'windowed'; readonly firstRow: (outputRow: number) => number }
  /** Pixels in row-major order; all codes of an output byte are read before it is written. */
  | { readonly kind: 'elementwise' }
  /** No promise. */
  | { readonly kind: 'none' };

/** The kernels of a Program, by the order in which they work (see "Order within a step" in program/types.ts). */
const ORDERS = {
  conv2d: 'window',
  depthwise2d: 'window',
  maxPool: 'window',
  averagePool: 'window',
  resize: 'rows',
  add: 'elementwise',
  mul: 'elementwise',
  requantize: 'elementwise',
  lookup: 'elementwise',
  prelu: 'elementwise',
  copy: 'elementwise',
  fullyConnected: 'none',
  softmax: 'none',
  normalize: 'none',
  permute: 'none',
  classify: 'none',
  load: 'none',
  fill: 'none',
} as const;

export type OrderedOp = keyof typeof ORDERS;

/** What the order depends on besides the kernel, asked only where it does. */
export interface OrderGeometry {
  /** Stride and padding of a sliding window. */
  window(): { readonly strideH: number; readonly padTop: number };
  /** The first input row of an output row of a resampling, both counted from 0 in their regions. */
  firstRow(outputRow: number): number;
}

/** The order in which a kernel reads and writes: the one rule for schedules and Programs. */
export function kernelOrder(op: OrderedOp, geometry: OrderGeometry): KernelOrder {
  switch (ORDERS[op]) {
    case 'window': {
      const { strideH, padTop } = geometry.window();
      return { kind: 'windowed', firstRow: (oy) => Math.max(0, oy * strideH - padTop) };
    }
    case 'rows':
      return { kind: 'windowed', firstRow: (oy) => geometry.firstRow(oy) };
    case 'elementwise':
      return { kind: 'elementwise' };
    case 'none':
      return { kind: 'none' };
  }
}

/**
 * The smallest distance d ≥ 0, in bytes, such that a step may run with offset(input buffer) − offset(output buffer) ≥
 * d. Null when the kernel promises nothing for this pair (then the buffers must not overlap).
 */
export function overlapDistance(order: KernelOrder, input: GeometricAccess, output: GeometricAccess): number | null {
  if (regionHeight(output.region) === 0 || regionWidth(output.region) === 0) return null;
  switch (order.kind) {
    case 'windowed':
      return windowedDistance(order.firstRow, input, output);
    case 'elementwise':
      return elementwiseDistance(input, output);
    case 'none':
      return null;
  }
}

function windowedDistance(
  firstRow: (outputRow: number) => number,
  input: GeometricAccess,
  output: GeometricAccess,
): number {
  const inRows = regionHeight(input.region);
  const outRows = regionHeight(output.region);
  const rowEnd = byteOf(output, 0, regionWidth(output.region) - 1, 0) + spanBytes(output);
  const inStart = byteOf(input, 0, 0, 0);
  let distance = 0;
  for (let oy = 0; oy < outRows; oy++) {
    const row = firstRow(oy);
    // Nothing is read any more: later rows may overwrite everything.
    if (row >= inRows) break;
    distance = Math.max(distance, rowEnd + oy * output.geometry.rowBytes - (inStart + row * input.geometry.rowBytes));
  }
  return distance;
}

/**
 * The byte that is written k-th in a pixel must lie below the first input byte of the byte written next. Both addresses
 * grow linearly with the row and with the column, and within a pixel the one with the wider codes grows faster all the
 * time: the extreme is at the borders of the region and of a pixel.
 */
function elementwiseDistance(input: GeometricAccess, output: GeometricAccess): number | null {
  const height = regionHeight(output.region);
  const width = regionWidth(output.region);
  // Broadcast inputs are read again for every pixel.
  if (regionHeight(input.region) !== height || regionWidth(input.region) !== width) return null;
  const bytes = spanBytes(output);
  // A byte of several codes is written with the last, and the bytes of one code one after the other.
  const perByte = 8 / output.geometry.bits;
  const inByte = (y: number, x: number, k: number) => byteOf(input, y, x, k * perByte);
  let distance = 0;
  for (const y of extremes(height)) {
    for (const x of extremes(width)) {
      const out = byteOf(output, y, x, 0);
      if (bytes > 1)
        distance = Math.max(distance, out + 1 - inByte(y, x, 1), out + bytes - 1 - inByte(y, x, bytes - 1));
      if (x + 1 < width) distance = Math.max(distance, out + bytes - inByte(y, x + 1, 0));
      else if (y + 1 < height) distance = Math.max(distance, out + bytes - inByte(y + 1, 0, 0));
    }
  }
  return distance;
}

function extremes(count: number): number[] {
  return [...new Set([0, count - 2, count - 1])].filter((i) => i >= 0);
}

/**
 * Byte of an access's channel in its buffer: (y, x) counted from the region's corner, `channel` from the access's
 * first.
 */
function byteOf(access: GeometricAccess, y: number, x: number, channel: number): number {
  const { geometry, region } = access;
  return (
    (region.y0 - geometry.window.y0 + y) * geometry.rowBytes +
    (region.x0 - geometry.window.x0 + x) * geometry.pixelBytes +
    Math.floor(((access.channel + channel) * geometry.bits) / 8)
  );
}

/** Bytes of one pixel that an access covers. */
function spanBytes(access: GeometricAccess): number {
  const first = Math.floor((access.channel * access.geometry.bits) / 8);
  return Math.ceil(((access.channel + access.channels) * access.geometry.bits) / 8) - first;
}
