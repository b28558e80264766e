import type { Constant, ConstantId } from '../../types';
import type { KernelContext, PreparedKernel } from '../context';
import type { Convolution } from '../kernels/conv2d';
import type { Requantizer } from '../requantizer';
import { SimdLayout, simdMemory } from './memory';
import { are16Bit, requantTable } from './table';

/** Codes of 16 bits. */
const CODE = 2;

/** conv2d by WebAssembly; null where that is not possible. */
export function prepareSimdConvolution(
  id: ConstantId,
  { geometry: g, weights, requantizer, padded }: Convolution,
  context: KernelContext,
): PreparedKernel | null {
  const memory = context.reference ? null : simdMemory();
  if (memory === null || !are16Bit(weights)) return null;
  const { group, groupIn, groupOut, runs, run, inC, outC, window, w, pixels, rowStride } = g;
  const { kernelH, strideH, strideW, dilationH, dilationW } = window;
  const packed = context.constants.once(`simd conv ${id} ${group} ${runs}`, () =>
    packRuns(weights, group, groupOut, kernelH * runs, run),
  );
  const tables = Array.from({ length: group }, (_, i) => requantTable(requantizer, i * groupOut, groupOut));
  const layout = new SimdLayout();
  const at = {
    x: layout.place(padded.length * CODE),
    weights: layout.place(packed.byteLength),
    table: layout.place(tables[0].byteLength),
    out: layout.place(pixels * outC * CODE),
  };
  if (!layout.fits) return null;
  const groupBytes = packed.byteLength / group;
  const quads = Math.ceil(run / 4);
  const rows = Math.floor(pixels / w);
  const rest = pixels - rows * w;
  return ([dense], out) => {
    const { int16, int32 } = memory.reserve(layout.bytes);
    padded.lay(dense, int16.subarray(at.x / CODE));
    int16.set(packed, at.weights / CODE);
    const convolve = (i: number, x: number, to: number, rowCount: number, columns: number): void => {
      memory.functions.convolve(
        x + i * groupIn * CODE,
        to + i * groupOut * CODE,
        at.weights + i * groupBytes,
        at.table,
        rowCount,
        columns,
        strideH * rowStride * CODE,
        strideW * inC * CODE,
        kernelH,
        dilationH * rowStride * CODE,
        runs,
        dilationW * inC * CODE,
        quads,
        groupOut,
        outC * CODE,
        requantizer.preShift,
        requantizer.shift,
        requantizer.min,
      );
    };
    for (let i = 0; i < group; i++) {
      int32.set(tables[i], at.table / 4);
      convolve(i, at.x, at.out, rows, w);
      if (rest > 0) convolve(i, at.x + rows * strideH * rowStride * CODE, at.out + rows * w * outC * CODE, 1, rest);
    }
    out.set(int16.subarray(at.out / CODE, at.out / CODE + pixels * outC));
  };
}

/** A checked fully connected layer. */
export interface FullyConnected {
  /** Codes of the input. */
  readonly length: number;
  /** [outC][length] */
  readonly weights: Constant['values'];
  readonly requantizer: Requantizer;
}

/** fullyConnected by WebAssembly, a convolution with one pixel; null where that is not possible. */
export function prepareSimdFullyConnected(
  id: ConstantId,
  { length, weights, requantizer }: FullyConnected,
  context: KernelContext,
): PreparedKernel | null {
  const memory = context.reference ? null : simdMemory();
  if (memory === null || !are16Bit(weights)) return null;
  const { channels } = context.output;
  const packed = context.constants.once(`simd fullyConnected ${id}`, () => packRuns(weights, 1, channels, 1, length));
  const table = requantTable(requantizer, 0, channels);
  const layout = new SimdLayout();
  const at = {
    x: layout.place(length * CODE),
    weights: layout.place(packed.byteLength),
    table: layout.place(table.byteLength),
    out: layout.place(channels * CODE),
  };
  if (!layout.fits) return null;
  return ([x], out) => {
    const { int16, int32 } = memory.reserve(layout.bytes);
    int16.set(x.subarray(0, length), at.x / CODE);
    int16.set(packed, at.weights / CODE);
    int32.set(table, at.table / 4);
    memory.functions.convolve(
      at.x,
      at.out,
      at.weights,
      at.table,
      1,
      1,
      0,
      0,
      1,
      0,
      1,
      0,
      Math.ceil(length / 4),
      channels,
      0,
      requantizer.preShift,
      requantizer.shift,
      requantizer.min,
    );
    out.set(int16.subarray(at.out / CODE, at.out / CODE + channels));
  };
}

/**
 * Weights as `convolve` of assembly/kernels.ts reads them: [group][block of 8 channels][run][quad of codes][pair][8
 * channels][2 codes], 0 where there is none.
 *
 * @param weights [group][groupOut][runs][run]
 * @param runs of all rows of taps
 */
function packRuns(weights: ArrayLike<number>, group: number, groupOut: number, runs: number, run: number): Int16Array {
  const quads = Math.ceil(run / 4);
  const blocks = Math.ceil(groupOut / 8);
  const packed = new Int16Array(group * blocks * runs * quads * 32);
  for (let g = 0; g < group; g++) {
    for (let o = 0; o < groupOut; o++) {
      const block = (g * blocks + (o >> 3)) * runs * quads * 32 + (o & 7) * 2;
      let from = (g * groupOut + o) * runs * run;
      for (let r = 0; r < runs; r++) {
        const to = block + r * quads * 32;
        for (let i = 0; i < run; i++) packed[to + (i >> 1) * 16 + (i & 1)] = weights[from++];
      }
    }
  }
  return packed;
}
