import type { Core } from '../targets/types';

export type Coefficients = Readonly<Record<keyof typeof M4_COEFFICIENTS, number>>;

/** How convolutions of few bits are computed, where they have kernels of their own. */
export type FewBits = 'packed' | 'eights' | 'none';

/** What a core's instructions and cycles are estimated with. */
export interface CoreCosts {
  /** Instructions, see kernelCost.ts. */
  readonly coefficients: Coefficients;
  /**
   * `packed`: 4-bit weights in words of two channels (DSP). `eights`: eight pixels in four words wherever codes or
   * weights have 4 bits (cores without DSP and vectors).
   */
  readonly fewBits: FewBits;
  /**
   * Output channels of those convolutions that share unpacked codes where columns come in parts; the longest column
   * that does not.
   */
  readonly part: { readonly channels: number; readonly taps: number };
  /** Codes that a convolution takes at a time. */
  readonly vector: number;
  /** Cycles per instruction of whole networks, from memory without wait states. */
  readonly cyclesPerInstruction: number;
  /** Relative uncertainty of the instructions of whole networks, and of the cycles of an instruction. */
  readonly instructionError: number;
  readonly cycleError: number;
  /** Where the cycles come from. */
  readonly source: string;
}

/** Cortex-M4, M7 and M33 at -O3. Without a count so far: maxCode, element. */
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
  convWindowTap: 0,
  convWindowRow: 0,
  convBlock: 0,
  convRowChannel: 0,
  packedMac8: 0.39921,
  packedMac4: 0.332,
  packedOutput8: 7.4777,
  packedOutput4: 13.905,
  packedCode8: 4.8799,
  packedCode4: 3.562,
  packedPart8: 0,
  packedWindowRow: 0,
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

export const M0PLUS_COEFFICIENTS: Coefficients = {
  generalConvOutput: 0,
  generalDepthwiseOutput: 0,
  generalFullyConnected: 0,
  convCall: 8882.6,
  convRow: 0,
  convNarrowMac: 0.4874,
  convLongMac: 0.58361,
  convMac: 2.669,
  convMac4: 0.75025,
  convOutput: 53.212,
  convTap: 7.627,
  convNarrow4: 19.894,
  convNarrow2: 0.22831,
  convPixel: 392.19,
  convWindowTap: 0.11197,
  convWindowRow: 77.302,
  convBlock: 81.063,
  convRowChannel: 15.465,
  packedMac8: 1.5937,
  packedMac4: 1.5498,
  packedOutput8: 43.488,
  packedOutput4: 39.073,
  packedCode8: 5.3726,
  packedCode4: 8.1933,
  packedPart8: 4.7394,
  packedWindowRow: 349.67,
  depthwiseCall: 0,
  depthwiseWeight: 0,
  depthwiseRow: 0,
  depthwiseRowChannel: 151.26,
  depthwiseMac: 11.042,
  depthwiseSmallMac: 11.036,
  depthwiseNarrow4: 0.71451,
  depthwiseNarrow2: 2.8238,
  depthwiseOutput: 40.123,
  depthwiseInput: 0.41107,
  fullyConnected8: 4.28,
  fullyConnected4: 6.6406,
  addCode: 26.327,
  addRow: 0,
  averageCode: 15.471,
  maxCode: 12,
  element: 19.016,
  copyByte: 0.42038,
  copyRow: 0,
  call: 474.23,
};

export const M3_COEFFICIENTS: Coefficients = {
  generalConvOutput: 0,
  generalDepthwiseOutput: 0,
  generalFullyConnected: 0,
  convCall: 606.63,
  convRow: 0,
  convNarrowMac: 0.035313,
  convLongMac: 0.00050785,
  convMac: 1.6282,
  convMac4: 0.46376,
  convOutput: 0.54899,
  convTap: 0,
  convNarrow4: 70.991,
  convNarrow2: 0.22831,
  convPixel: 267.98,
  convWindowTap: 3.0647,
  convWindowRow: 45.448,
  convBlock: 261.18,
  convRowChannel: 0,
  packedMac8: 0.91936,
  packedMac4: 0.87017,
  packedOutput8: 21.485,
  packedOutput4: 20.368,
  packedCode8: 5.6955,
  packedCode4: 10.166,
  packedPart8: 20.017,
  packedWindowRow: 124.58,
  depthwiseCall: 0,
  depthwiseWeight: 0,
  depthwiseRow: 0,
  depthwiseRowChannel: 155.42,
  depthwiseMac: 5.2231,
  depthwiseSmallMac: 5.0937,
  depthwiseNarrow4: 0.42882,
  depthwiseNarrow2: 1.9931,
  depthwiseOutput: 0.8414,
  depthwiseInput: 0,
  fullyConnected8: 2.3389,
  fullyConnected4: 2.8051,
  addCode: 19.506,
  addRow: 0,
  averageCode: 3.6226,
  maxCode: 12,
  element: 22.117,
  copyByte: 0.27972,
  copyRow: 0,
  call: 465.1,
};

export const M55_COEFFICIENTS: Coefficients = {
  generalConvOutput: 0,
  generalDepthwiseOutput: 0,
  generalFullyConnected: 0,
  convCall: 0,
  convRow: 0,
  convNarrowMac: 0.053618,
  convLongMac: 0.0078662,
  convMac: 0.18991,
  convMac4: 0,
  convOutput: 7.0502,
  convTap: 0,
  convNarrow4: 0,
  convNarrow2: 0.22831,
  convPixel: 164.22,
  convWindowTap: 1.5648,
  convWindowRow: 55.898,
  convBlock: 0,
  convRowChannel: 0,
  packedMac8: 0.39921,
  packedMac4: 0.332,
  packedOutput8: 7.4777,
  packedOutput4: 13.905,
  packedCode8: 4.8799,
  packedCode4: 3.562,
  packedPart8: 0,
  packedWindowRow: 0,
  depthwiseCall: 0,
  depthwiseWeight: 0,
  depthwiseRow: 0,
  depthwiseRowChannel: 116.58,
  depthwiseMac: 1.2585,
  depthwiseSmallMac: 1.5232,
  depthwiseNarrow4: 0.13392,
  depthwiseNarrow2: 0.2106,
  depthwiseOutput: 2.4486,
  depthwiseInput: 0,
  fullyConnected8: 0.2459,
  fullyConnected4: 2.2522,
  addCode: 7.9708,
  addRow: 63.781,
  averageCode: 0.85056,
  maxCode: 12,
  element: 15.502,
  copyByte: 0,
  copyRow: 102.67,
  call: 541.19,
};

export const RV32_COEFFICIENTS: Coefficients = {
  generalConvOutput: 0,
  generalDepthwiseOutput: 0,
  generalFullyConnected: 0,
  convCall: 1147.8,
  convRow: 0,
  convNarrowMac: 0.063071,
  convLongMac: 0.037137,
  convMac: 4.1469,
  convMac4: 0.80932,
  convOutput: 9.1437,
  convTap: 0.59944,
  convNarrow4: 39.208,
  convNarrow2: 0.22831,
  convPixel: 173.28,
  convWindowTap: 3.1827,
  convWindowRow: 3.3691,
  convBlock: 142.5,
  convRowChannel: 0,
  packedMac8: 1.8345,
  packedMac4: 1.7968,
  packedOutput8: 23.56,
  packedOutput4: 17.12,
  packedCode8: 4.719,
  packedCode4: 9.4444,
  packedPart8: 27.115,
  packedWindowRow: 74.786,
  depthwiseCall: 0,
  depthwiseWeight: 4.7855,
  depthwiseRow: 0,
  depthwiseRowChannel: 43.787,
  depthwiseMac: 9.2152,
  depthwiseSmallMac: 9.3055,
  depthwiseNarrow4: 0.13392,
  depthwiseNarrow2: 0.2106,
  depthwiseOutput: 2.4486,
  depthwiseInput: 0.92822,
  fullyConnected8: 5.233,
  fullyConnected4: 2.2522,
  addCode: 16.603,
  addRow: 0,
  averageCode: 5.5547,
  maxCode: 12,
  element: 33.802,
  copyByte: 3.2452,
  copyRow: 627.17,
  call: 1235,
};

const DSP = {
  coefficients: M4_COEFFICIENTS,
  fewBits: 'packed',
  part: { channels: 64, taps: 256 },
  vector: 1,
  instructionError: 0.05,
} as const;

const PLAIN = { fewBits: 'eights', part: { channels: 48, taps: 128 }, vector: 1, instructionError: 0.07 } as const;

/**
 * Instructions by coefficients that `node test/bench/latency.mjs --core CORE` fits by least squares of the relative
 * error to exact counts on the emulated core at -O3; test/bench/latency.md has the errors. Cycles from the tables of
 * the cores' manuals (test/firmware/counting/timing.h) where Arm publishes one.
 */
export const CORE_COSTS: Readonly<Record<Core, CoreCosts>> = {
  'cortex-m0plus': {
    ...PLAIN,
    coefficients: M0PLUS_COEFFICIENTS,
    cyclesPerInstruction: 1.34,
    cycleError: 0.03,
    source: 'DDI 0484, instruction set summary; single-cycle multiplier',
  },
  'cortex-m3': {
    ...PLAIN,
    coefficients: M3_COEFFICIENTS,
    cyclesPerInstruction: 1.85,
    cycleError: 0.05,
    source: 'DDI 0337, instruction set summary',
  },
  'cortex-m4': {
    ...DSP,
    cyclesPerInstruction: 1.42,
    cycleError: 0.04,
    source: 'DDI 0439, instruction set summary',
  },
  'cortex-m33': {
    ...DSP,
    cyclesPerInstruction: 1.42,
    cycleError: 0.1,
    source: 'as the Cortex-M4: Arm publishes no table',
  },
  'cortex-m7': {
    ...DSP,
    cyclesPerInstruction: 0.9,
    cycleError: 0.25,
    source:
      'dual issue as a factor: MCUNet by TinyEngine takes 280 ms on an STM32H743 (its README), about 2.0 cycles ' +
      'per MAC ' +
      'of 2.2 instructions',
  },
  'cortex-m55': {
    coefficients: M55_COEFFICIENTS,
    fewBits: 'none',
    part: { channels: 64, taps: 256 },
    vector: 16,
    instructionError: 0.06,
    cyclesPerInstruction: 1.4,
    cycleError: 0.3,
    source: 'two cycles for a vector instruction (two beats at a time) that overlap with the next one as a factor',
  },
  riscv32: {
    ...PLAIN,
    coefficients: RV32_COEFFICIENTS,
    instructionError: 0.08,
    cyclesPerInstruction: 1.3,
    cycleError: 0.2,
    source:
      'four stages in order, one cycle for a multiplication, two for loads that are used at once and taken branches',
  },
  'xtensa-lx7': {
    ...PLAIN,
    coefficients: RV32_COEFFICIENTS,
    cyclesPerInstruction: 1.3,
    cycleError: 0.5,
    source: 'rough: the plain C of the runtime as on RISC-V, without vector instructions',
  },
};
