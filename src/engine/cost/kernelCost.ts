import { regionHeight, regionWidth, type Region } from '../graph/region';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core } from '../targets/types';
import { CORE_COSTS, type CoreCosts } from './coreCosts';

/**
 * What the runtime's kernels cost, as a function of a call's shape that is linear in its coefficients, so that
 * test/bench/latency.mjs can fit these to counts. Calls, rows and halos have costs of their own, and convolutions take
 * four pixels at a time but where a row has fewer: many small patches cost more than their pixels.
 */

/** Pixels of a row that convolutions need to take four at a time. */
export const BLOCK = 4;

/** One axis of one or more calls of the same kernel. */
export interface AxisExtent {
  readonly calls: number;
  /** Output rows (or columns) of all of them. */
  readonly elements: number;
  /** Those of calls that have fewer than {@link BLOCK} of them, and how many such calls there are. */
  readonly narrow: number;
  readonly narrowCalls: number;
}

/** Output pixels of calls: every call of one axis with every call of the other. */
export interface Extent {
  readonly rows: AxisExtent;
  readonly cols: AxisExtent;
}

export type CostKernel =
  'conv' | 'packed' | 'depthwise' | 'fullyConnected' | 'add' | 'averagePool' | 'maxPool' | 'copy' | 'element';

/** Shape of a kernel's call, apart from its pixels. */
export interface KernelShape {
  readonly kernel: CostKernel;
  /** Of the output; for copies, bytes of a pixel. */
  readonly channels: number;
  /** Codes that one output reads. */
  readonly taps: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly inputBits: Bits;
  readonly weightBits: WeightBits;
  /** Computed by the kernel for all layers rather than by one that is made for this. Missing: false. */
  readonly general?: boolean;
}

/** Instructions for each … of a call. */
export interface UnitCosts {
  readonly call: number;
  readonly row: number;
  readonly pixel: number;
  /** Beyond that, for each pixel of a call that has fewer than {@link BLOCK} in a row. */
  readonly narrow: number;
  /** For each input pixel under the windows, those of the halo included. */
  readonly input: number;
}

/** What a core's instructions and cycles are estimated with. */
export function coreCosts(core: Core): CoreCosts {
  return CORE_COSTS[core];
}

/** Convolutions of longer columns have no kernel of their own. */
const LONG_COLUMN = 256;

/** Pixels for which vector kernels keep channels' constants, where so many columns fit in what they unpack. */
const VECTOR_PIXELS = 16;
const VECTOR_BYTES = 2048;

/** What one call's region takes. */
export function extentOf(region: Region): Extent {
  return { rows: axisExtent(regionHeight(region)), cols: axisExtent(regionWidth(region)) };
}

/** A whole map in one call. */
export function wholeExtent({ h, w }: { readonly h: number; readonly w: number }): Extent {
  return { rows: axisExtent(h), cols: axisExtent(w) };
}

function axisExtent(elements: number): AxisExtent {
  if (elements <= 0) return { calls: 0, elements: 0, narrow: 0, narrowCalls: 0 };
  const isNarrow = elements < BLOCK;
  return { calls: 1, elements, narrow: isNarrow ? elements : 0, narrowCalls: isNarrow ? 1 : 0 };
}

/** What a kernel costs for each unit of its calls. */
export function unitCosts(
  { coefficients: k, part, vector }: Pick<CoreCosts, 'coefficients' | 'part' | 'vector'>,
  { kernel, channels, taps, inputBits, weightBits, kernelH, kernelW, strideH, strideW, general }: KernelShape,
): UnitCosts {
  const units = { call: k.call, row: 0, pixel: 0, narrow: 0, input: 0 };
  switch (kernel) {
    case 'conv': {
      const whole = Math.ceil(taps / vector) * vector;
      const narrow = inputBits === 4 ? k.convNarrow4 : inputBits === 2 ? k.convNarrow2 : 0;
      units.call += k.convCall;
      units.row = k.convRow + channels * k.convRowChannel;
      units.narrow = channels * taps * k.convNarrowMac;
      units.pixel =
        channels *
          whole *
          (k.convMac + (weightBits === 4 ? k.convMac4 : 0) + (taps > LONG_COLUMN ? k.convLongMac : 0)) +
        channels * (k.convOutput + (general ? k.generalConvOutput : 0)) +
        taps * (k.convTap + narrow) +
        k.convPixel +
        (channels * k.convBlock) / Math.max(1, Math.min(VECTOR_PIXELS, Math.floor(VECTOR_BYTES / whole))) +
        (kernelH * kernelW > 1 ? taps * k.convWindowTap + kernelH * k.convWindowRow : 0);
      return units;
    }
    case 'packed': {
      const gathered = taps > part.taps ? Math.ceil(channels / part.channels) : 1;
      const [mac, output, code] =
        inputBits === 8
          ? [k.packedMac8, k.packedOutput8 + (taps > part.taps ? k.packedPart8 : 0), k.packedCode8]
          : [k.packedMac4, k.packedOutput4, k.packedCode4];
      units.pixel =
        channels * (taps * mac + output) +
        gathered * (taps * code + (kernelH * kernelW > 1 ? kernelH * k.packedWindowRow : 0));
      return units;
    }
    case 'depthwise': {
      // 4-bit weights or codes multiply as polynomials, see qmcu_depthwise2d_dsp_polynomial.h.
      const mac =
        !general &&
        (weightBits === 4 || inputBits === 4) &&
        kernelH === 3 &&
        kernelW === 3 &&
        strideH === 1 &&
        strideW === 1
          ? k.depthwiseSmallMac
          : k.depthwiseMac;
      const narrow = inputBits === 4 ? k.depthwiseNarrow4 : inputBits === 2 ? k.depthwiseNarrow2 : 0;
      units.call += k.depthwiseCall + channels * taps * k.depthwiseWeight;
      units.row = k.depthwiseRow + channels * k.depthwiseRowChannel;
      units.pixel = channels * (taps * (mac + narrow) + k.depthwiseOutput + (general ? k.generalDepthwiseOutput : 0));
      units.input = channels * k.depthwiseInput;
      return units;
    }
    case 'fullyConnected':
      units.pixel =
        channels *
        taps *
        ((weightBits === 4 ? k.fullyConnected4 : k.fullyConnected8) + (general ? k.generalFullyConnected : 0));
      return units;
    case 'add':
      units.row = k.addRow;
      units.pixel = channels * k.addCode;
      return units;
    case 'averagePool':
      units.pixel = channels * kernelH * kernelW * k.averageCode;
      return units;
    case 'maxPool':
      units.pixel = channels * kernelH * kernelW * k.maxCode;
      return units;
    case 'copy':
      units.row = k.copyRow;
      units.pixel = channels * k.copyByte;
      return units;
    case 'element':
      units.pixel = channels * k.element;
      return units;
  }
}

/** Instructions of calls of a kernel with these extents. */
export function kernelInstructions(
  units: UnitCosts,
  { kernelH, kernelW, strideH, strideW }: KernelShape,
  { rows, cols }: Extent,
): number {
  const { call, row, pixel, narrow, input } = units;
  const sum =
    call * rows.calls * cols.calls +
    row * rows.elements * cols.calls +
    rows.elements * (pixel * cols.elements + narrow * cols.narrow);
  if (input === 0) return sum;
  const inputRows = rows.elements * strideH + rows.calls * Math.max(0, kernelH - strideH);
  const inputCols = cols.elements * strideW + cols.calls * Math.max(0, kernelW - strideW);
  return sum + input * inputRows * inputCols;
}
