import { regionHeight, regionWidth, type Region } from '../graph/region';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core } from '../targets/types';

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

export type Coefficients = Readonly<Record<keyof typeof M4_COEFFICIENTS, number>>;

/**
 * Cortex-M4, instructions at -O3: what `node test/bench/latency.mjs` prints, with the errors of this fit. Without a
 * count so far: maxCode, element.
 */
export const M4_COEFFICIENTS = {
  generalConvOutput: 20,
  generalDepthwiseOutput: 16,
  generalFullyConnected: 0.25,
  convCall: 6075.8,
  convRow: 0,
  convNarrowMac: 0.41001,
  convLongMac: 0,
  convMac: 0.90525,
  convMac4: 0.17354,
  convOutput: 3.4324,
  convTap: 1.2428,
  convNarrow4: 0.25578,
  convNarrow2: 0.22831,
  convPixel: 132.67,
  packedMac8: 0.39921,
  packedMac4: 0.332,
  packedOutput8: 7.4777,
  packedOutput4: 13.905,
  packedCode8: 4.8799,
  packedCode4: 3.562,
  packedPart8: 0,
  depthwiseCall: 0,
  depthwiseWeight: 20.406,
  depthwiseRow: 0,
  depthwiseRowChannel: 12.646,
  depthwiseMac: 1.0677,
  depthwiseSmallMac: 0.71105,
  depthwiseNarrow4: 0.13392,
  depthwiseNarrow2: 0.2106,
  depthwiseOutput: 2.4486,
  depthwiseInput: 3.5558,
  fullyConnected8: 1.163,
  fullyConnected4: 2.2522,
  addCode: 8.9204,
  addRow: 170,
  averageCode: 3.4416,
  maxCode: 12,
  element: 33,
  copyByte: 1.95,
  copyRow: 0,
  call: 0,
};

/** What a core's instructions are estimated with. */
export interface CoreCosts {
  readonly coefficients: Coefficients;
  /** Cycles per instruction of whole networks; null where nothing was measured, and no time is told. */
  readonly cyclesPerInstruction: number | null;
}

/**
 * Cycles per instruction of whole networks on a Cortex-M4 by the model of test/bench/networks.md, without wait states:
 * 1.39 to 1.45.
 */
const M4_COSTS: CoreCosts = { coefficients: M4_COEFFICIENTS, cyclesPerInstruction: 1.4 };

/** Costs on a core; plans for cores without counts of their own are ranked by those of the Cortex-M4. */
export function coreCosts(core: Core): CoreCosts {
  return core === 'cortex-m4' ? M4_COSTS : { ...M4_COSTS, cyclesPerInstruction: null };
}

/**
 * Output channels of packed convolutions that share unpacked codes where columns come in parts, and the longest column
 * that does not.
 */
const PACKED_PART = { channels: 64, taps: 256 } as const;

/** Convolutions of longer columns have no kernel of their own. */
const LONG_COLUMN = 256;

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
  k: Coefficients,
  { kernel, channels, taps, inputBits, weightBits, kernelH, kernelW, strideH, strideW, general }: KernelShape,
): UnitCosts {
  const units = { call: k.call, row: 0, pixel: 0, narrow: 0, input: 0 };
  switch (kernel) {
    case 'conv': {
      const narrow = inputBits === 4 ? k.convNarrow4 : inputBits === 2 ? k.convNarrow2 : 0;
      units.call += k.convCall;
      units.row = k.convRow;
      units.narrow = channels * taps * k.convNarrowMac;
      units.pixel =
        channels * taps * (k.convMac + (weightBits === 4 ? k.convMac4 : 0) + (taps > LONG_COLUMN ? k.convLongMac : 0)) +
        channels * (k.convOutput + (general ? k.generalConvOutput : 0)) +
        taps * (k.convTap + narrow) +
        k.convPixel;
      return units;
    }
    case 'packed': {
      const gathered = taps > PACKED_PART.taps ? Math.ceil(channels / PACKED_PART.channels) : 1;
      const [mac, output, code] =
        inputBits === 8
          ? [k.packedMac8, k.packedOutput8 + (taps > PACKED_PART.taps ? k.packedPart8 : 0), k.packedCode8]
          : [k.packedMac4, k.packedOutput4, k.packedCode4];
      units.pixel = channels * (taps * mac + output) + taps * gathered * code;
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
