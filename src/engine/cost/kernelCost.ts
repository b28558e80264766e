import { regionHeight, regionWidth, type Region } from '../graph/region';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core } from '../targets/types';
import type { CommonCoefficients, VectorCoefficients } from './coefficients';
import { CORE_COSTS, type Coefficients, type CoreCosts } from './coreCosts';
import { vectorConvUnits, vectorDepthwiseUnits } from './vectorKernels';
import type { UnitCosts } from './unitCosts';
import { wideInstructions } from './wideCosts';

export type { UnitCosts };

/**
 * What the runtime's kernels cost, as a function of a call's shape that is linear in its coefficients, so that
 * test/bench/latency.mjs can fit these to counts. Calls, rows and halos have their own costs, and convolutions take
 * four pixels at a time but where a row has fewer: many small patches cost more than their pixels.
 */

/** Pixels of a row that convolutions need to take four at a time. */
export const BLOCK = 4;

/** Pixels that cores without DSP take at a time where codes or weights have 4 bits. */
const EIGHT = 8;
const LEAST_OF_EIGHT = 3;

/** One axis of calls of the same kernel. */
export interface AxisCalls {
  readonly calls: number;
  /** Output rows (or columns) of all of them. */
  readonly elements: number;
  /** Calls by their elements modulo {@link EIGHT}. */
  readonly rests: readonly number[];
}

/** One axis of calls, and of those among them that have fewer than {@link BLOCK} elements. */
export interface AxisExtent extends AxisCalls {
  readonly narrow: AxisCalls;
}

/** Output pixels of calls: every call of one axis with every call of the other. */
export interface Extent {
  readonly rows: AxisExtent;
  readonly cols: AxisExtent;
  /** Rows of the output do not follow each other in memory: it is part of a wider map. Missing: false. */
  readonly isPart?: boolean;
}

export type CostKernel =
  | 'conv'
  | 'packed'
  | 'depthwise'
  | 'depthwiseTaps'
  | 'fullyConnected'
  | 'add'
  | 'averagePool'
  | 'maxPool'
  | 'copy'
  | 'element'
  | WideKernel;

/** Kernels for calls of which some map has 16 bits. */
export type WideKernel = 'wideConv' | 'wideConnected' | 'wideDepthwise' | 'widePool' | 'wideAdd' | 'wideElement';

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
  /** Codes of the output have 2 bits, which vectors do not write. Missing: false. */
  readonly toTwoBits?: boolean;
}

/** What a core's instructions and cycles are estimated with. */
export function coreCosts(core: Core): CoreCosts {
  return CORE_COSTS[core];
}

/** Convolutions of longer columns have no kernel of their own. */
const LONG_COLUMN = 256;

/** Longest column of odd rows that is gathered row by row of all pixels (qmcu_conv2d_dsp_gather.c). */
const GATHERED_TOGETHER = 64;

/** Longest column whose loop is unrolled (qmcu_conv2d_dsp_block.h). */
const UNROLLED = 32;

/** Pixels whose columns are gathered together, where so many find room. */
const COLUMN_PIXELS = 16;
const COLUMN_BYTES = 2048;

/** What one call's region takes of a map that is `width` wide in memory. */
export function extentOf(region: Region, width: number): Extent {
  const w = regionWidth(region);
  return { rows: axisExtent(regionHeight(region)), cols: axisExtent(w), isPart: w < width };
}

/** A whole map in one call. */
export function wholeExtent({ h, w }: { readonly h: number; readonly w: number }): Extent {
  return { rows: axisExtent(h), cols: axisExtent(w) };
}

/** Axes of one call: programs of thousands of calls have few lengths. */
const axes = new Map<number, AxisExtent>();

function axisExtent(elements: number): AxisExtent {
  let axis = axes.get(elements);
  if (!axis) axes.set(elements, (axis = axisExtents(elements > 0 ? [elements] : [])));
  return axis;
}

/**
 * The axes that were asked for, by what tells them apart: the planner's many stages and grids have few different ones,
 * which are then one object each.
 */
const axesOfCalls = new Map<string, AxisExtent>();

/** What calls take along one axis that have so many rows (or columns) each. */
export function axisExtents(elements: readonly number[]): AxisExtent {
  const all = axisCalls(elements);
  const narrow = axisCalls(elements.filter((n) => n < BLOCK));
  const key = `${keyOf(all)} ${keyOf(narrow)}`;
  let axis = axesOfCalls.get(key);
  if (!axis) axesOfCalls.set(key, (axis = { ...all, narrow }));
  return axis;
}

const keyOf = ({ elements, rests }: AxisCalls): string => `${elements},${rests.join()}`;

function axisCalls(elements: readonly number[]): AxisCalls {
  const rests = new Array<number>(EIGHT).fill(0);
  let sum = 0;
  for (const n of elements) {
    sum += n;
    rests[n % EIGHT]++;
  }
  return { calls: elements.length, elements: sum, rests };
}

/** Sums `of` the pixels of all calls, modulo {@link EIGHT}: of whole maps, or row by row where rows lie apart. */
function sumOfRests({ rows, cols, isPart }: Extent, of: (pixels: number) => number): number {
  let sum = 0;
  for (let c = 1; c < EIGHT; c++) {
    if (cols.rests[c] === 0) continue;
    if (isPart) {
      sum += rows.elements * cols.rests[c] * of(c);
      continue;
    }
    for (let r = 1; r < EIGHT; r++) if (rows.rests[r] > 0) sum += rows.rests[r] * cols.rests[c] * of((r * c) % EIGHT);
  }
  return sum;
}

/** Whether a block of {@link BLOCK} is not full at the end of this many pixels. */
function leavesRest(pixels: number): number {
  return pixels % BLOCK === 0 ? 0 : 1;
}

/** Pixels of such a block. */
function inRest(pixels: number): number {
  return pixels % BLOCK;
}

/** Pixels that remain of blocks of {@link EIGHT} where they are too few for another. */
function tooFew(pixels: number): number {
  return pixels < LEAST_OF_EIGHT ? pixels : 0;
}

/** Pixels that the last block lacks otherwise. */
function lacking(pixels: number): number {
  return pixels < LEAST_OF_EIGHT ? 0 : EIGHT - pixels;
}

const NOTHING: UnitCosts = {
  ...{ call: 0, row: 0, pixel: 0, narrow: 0, rest: 0, single: 0, few: 0, lack: 0 },
  ...{ rowRest: 0, border: 0, borderPixels: 0, input: 0 },
};

/** What a kernel costs for each unit of its calls. */
export function unitCosts(
  { coefficients: k, part, wide }: Pick<CoreCosts, 'coefficients' | 'part' | 'wide'>,
  shape: KernelShape,
): UnitCosts {
  const { kernel, channels, inputBits, kernelH, kernelW } = shape;
  const units = { ...NOTHING, call: k.call };
  const isNarrow = inputBits < 8;
  switch (kernel) {
    case 'add':
      return { ...units, row: k.addRow, pixel: channels * (k.addCode + (isNarrow ? narrowAdd(k, inputBits) : 0)) };
    case 'averagePool':
      return {
        ...units,
        pixel: channels * (kernelH * kernelW * (k.averageCode + (isNarrow ? k.averageNarrow : 0)) + k.averageOutput),
      };
    case 'maxPool':
      return { ...units, pixel: k.maxPixel + channels * maxPoolCode(k, shape) };
    case 'copy':
      return { ...units, row: k.copyRow, pixel: channels * k.copyByte };
    case 'wideConv':
    case 'wideConnected':
    case 'wideDepthwise':
    case 'widePool':
    case 'wideAdd':
    case 'wideElement':
      return { ...units, pixel: wideInstructions(wide, shape) };
    case 'element':
      return { ...units, pixel: channels * (k.element + (isNarrow ? k.elementNarrow : 0)) };
    default:
      return { ...units, ...('vectorMac' in k ? vectorUnits(k, shape) : scalarUnits(k, part, shape)) };
  }
}

/** Codes of 4 bits are added two at a time, those of 2 bits one by one. */
function narrowAdd(k: CommonCoefficients, bits: Bits): number {
  return bits === 4 ? k.addNarrow : k.addNarrow2;
}

/** The largest codes are found byte by byte, or more at a time, but for those of 2 bits. */
function maxPoolCode(k: CommonCoefficients, { kernelH, kernelW, inputBits }: KernelShape): number {
  const taps = kernelH * kernelW;
  if (inputBits < 4) return taps * k.maxNarrow2;
  return (inputBits / 8) * (taps * (k.maxCode + (inputBits === 4 ? k.maxNarrow : 0)) + k.maxOutput);
}

function vectorUnits(k: VectorCoefficients, shape: KernelShape): Partial<UnitCosts> {
  const isDepthwise = shape.kernel === 'depthwise' || shape.kernel === 'depthwiseTaps';
  return isDepthwise ? vectorDepthwiseUnits(k, shape) : vectorConvUnits(k, shape);
}

function scalarUnits(k: Coefficients, part: CoreCosts['part'], shape: KernelShape): Partial<UnitCosts> {
  switch (shape.kernel) {
    case 'packed':
      return packedUnits(k, part, shape);
    case 'depthwise':
      return depthwiseUnits(k, shape);
    case 'depthwiseTaps':
      return depthwiseTapsUnits(k, shape);
    case 'fullyConnected':
      return fullyConnectedUnits(k, shape);
    default:
      return convUnits(k, shape);
  }
}

function fullyConnectedUnits(
  k: Coefficients,
  { channels, taps, weightBits, general }: KernelShape,
): Partial<UnitCosts> {
  const mac = (weightBits === 4 ? k.fullyConnected4 : k.fullyConnected8) + (general ? k.generalFullyConnected : 0);
  return {
    call: k.call + k.fullyConnectedCall,
    pixel: channels * (taps * mac + k.fullyConnectedOutput) + taps * k.fullyConnectedTap,
  };
}

/** Whether rows of codes under a window, few and of odd numbers, are gathered together. */
function isGatheredTogether({ taps, kernelH, inputBits }: KernelShape): boolean {
  return kernelH > 1 && (taps / kernelH) % 2 !== 0 && taps <= GATHERED_TOGETHER && inputBits === 8;
}

/** Turns of the loops over a column, two codes at a time (qmcu_block_dot): short columns have none. */
function turnsOf(taps: number): number {
  const steps = Math.floor(taps / 2);
  if (taps <= UNROLLED) return 0;
  return steps % 8 === 0 ? steps / 8 : Math.floor(steps / 4) + (steps % 4);
}

/**
 * Instructions that gather the codes under a window: single pixels; rows by words; those of few and odd numbers of
 * codes together; or other odd ones code by code.
 * @param tap for each code of single pixels
 * @param row for each row of words
 */
function gatherCost(k: Coefficients, shape: KernelShape, tap: number, row: number): number {
  const { taps, kernelH, kernelW } = shape;
  if (kernelH * kernelW === 1) return taps * tap;
  if (kernelH === 1 || (taps / kernelH) % 2 === 0) return taps * (tap + k.convWindowTap) + kernelH * row;
  if (isGatheredTogether(shape)) return taps * k.convOddTap + kernelH * k.convOddRow;
  return taps * (tap + k.convWindowTap + k.convApartTap) + kernelH * row;
}

function convUnits(k: Coefficients, shape: KernelShape): Partial<UnitCosts> {
  const { channels, taps, inputBits, weightBits, kernelW, general } = shape;
  const narrow = inputBits === 4 ? k.convNarrow4 : inputBits === 2 ? k.convNarrow2 : 0;
  return {
    call: k.call + k.convCall,
    row: k.convRow + channels * k.convRowChannel,
    narrow: channels * taps * k.convNarrowMac,
    rest: k.convRest + channels * (taps * k.convRestMac + k.convRestOutput),
    single: channels * taps * k.convSingleMac,
    // A block at either end gathers window by window.
    border: kernelW > 1 && !isGatheredTogether(shape) ? taps * k.convBorderTap : 0,
    borderPixels: 2 * BLOCK,
    pixel:
      channels * taps * (k.convMac + (weightBits === 4 ? k.convMac4 : 0) + (taps > LONG_COLUMN ? k.convLongMac : 0)) +
      channels *
        (k.convOutput + turnsOf(taps) * k.convTurn + (taps % 2) * k.convOdd + (general ? k.generalConvOutput : 0)) +
      gatherCost(k, shape, k.convTap + narrow, k.convWindowRow) +
      k.convPixel +
      (channels * k.convBlock) / Math.max(1, Math.min(COLUMN_PIXELS, Math.floor(COLUMN_BYTES / taps))),
  };
}

function packedUnits(k: Coefficients, part: CoreCosts['part'], shape: KernelShape): Partial<UnitCosts> {
  const { channels, taps, inputBits, kernelW } = shape;
  const gathered = taps > part.taps ? Math.ceil(channels / part.channels) : 1;
  const [mac, output, code] =
    inputBits === 8
      ? [k.packedMac8, k.packedOutput8 + (taps > part.taps ? k.packedPart8 : 0), k.packedCode8]
      : [k.packedMac4, k.packedOutput4, k.packedCode4 + (inputBits === 2 ? k.packedCode2 : 0)];
  return {
    call: k.call + k.packedCall,
    rest: channels * taps * k.packedRestMac,
    few: channels * taps * k.packedFewMac,
    lack: channels * taps * k.packedLackMac,
    border: kernelW > 1 && !isGatheredTogether(shape) ? taps * k.convBorderTap : 0,
    borderPixels: 2 * BLOCK,
    pixel: channels * (taps * mac + output) + k.packedPixel + gathered * gatherCost(k, shape, code, k.packedWindowRow),
  };
}

/** By rows of two channels (qmcu_depthwise2d_dsp.c). */
function depthwiseUnits(
  k: Coefficients,
  { channels, taps, inputBits, weightBits, kernelH, kernelW, strideH, strideW, general }: KernelShape,
): Partial<UnitCosts> {
  const isUnit = strideH === 1 && strideW === 1;
  const isThree = kernelH === 3 && kernelW === 3;
  // 4-bit weights or codes multiply as polynomials, see qmcu_depthwise2d_dsp_polynomial.h.
  const isPolynomial = !general && (weightBits === 4 || inputBits === 4) && isThree && isUnit;
  const mac = isPolynomial
    ? k.depthwiseSmallMac
    : isThree
      ? k.depthwiseMac + (isUnit ? 0 : k.depthwiseStrideMac)
      : k.depthwiseWideMac + (isUnit ? 0 : k.depthwiseWideStrideMac);
  const narrow = inputBits === 4 ? k.depthwiseNarrow4 : inputBits === 2 ? k.depthwiseNarrow2 : 0;
  return {
    call: k.call + k.depthwiseCall + channels * (taps * k.depthwiseWeight + k.depthwiseChannel),
    row: k.depthwiseRow + channels * k.depthwiseRowChannel,
    rowRest: channels * taps * k.depthwiseRestMac,
    pixel: channels * (taps * mac + k.depthwiseOutput + (general ? k.generalDepthwiseOutput : 0)),
    input: channels * (k.depthwiseInput + narrow),
  };
}

/** Tap by tap, four channels at a time (qmcu_depthwise2d.c). */
function depthwiseTapsUnits(
  k: Coefficients,
  { channels, taps, inputBits, weightBits, kernelW }: KernelShape,
): Partial<UnitCosts> {
  const narrow = inputBits === 4 ? k.tapsNarrow4 : inputBits === 2 ? k.tapsNarrow2 : 0;
  return {
    call: k.call + k.tapsCall,
    row: k.tapsRow + channels * (k.tapsRowChannel + taps * (k.tapsWeight + (weightBits === 4 ? k.tapsWeight4 : 0))),
    pixel: channels * (taps * (k.tapsMac + narrow) + k.tapsOutput),
    border: kernelW > 1 ? channels * (k.tapsBorder + taps * k.tapsBorderMac) : 0,
    borderPixels: kernelW - 1,
  };
}

/** Instructions of calls of a kernel with these extents. */
export function kernelInstructions(units: UnitCosts, shape: KernelShape, extent: Extent): number {
  const { kernelH, kernelW, strideH, strideW } = shape;
  const { rows, cols } = extent;
  const { call, row, pixel, narrow, rest, single, few, lack, rowRest, border, input } = units;
  let sum =
    call * rows.calls * cols.calls +
    row * rows.elements * cols.calls +
    rows.elements * (pixel * cols.elements + narrow * cols.narrow.elements);
  if (rest !== 0) sum += rest * sumOfRests(extent, leavesRest);
  if (single !== 0) sum += single * sumOfRests(extent, inRest);
  if (few !== 0) sum += few * sumOfRests(extent, tooFew);
  if (lack !== 0) sum += lack * sumOfRests(extent, lacking);
  if (rowRest !== 0) sum += rowRest * rows.elements * (cols.calls - cols.rests[0] - cols.rests[BLOCK]);
  if (border !== 0) sum += border * rows.elements * Math.min(cols.elements, cols.calls * units.borderPixels);
  if (input !== 0) {
    const inputRows = rows.elements * strideH + rows.calls * Math.max(0, kernelH - strideH);
    const inputCols = cols.elements * strideW + cols.calls * Math.max(0, kernelW - strideW);
    sum += input * inputRows * inputCols;
  }
  return sum;
}
