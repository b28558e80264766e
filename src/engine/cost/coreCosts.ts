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
  convCall: 6882.3,
  convRow: 0,
  convNarrowMac: 0.57531,
  convLongMac: 0.59905,
  convMac: 2.6302,
  convMac4: 0.55282,
  convOutput: 49.625,
  convTap: 7.9205,
  convNarrow4: 38.641,
  convNarrow2: 0.22831,
  convPixel: 432.38,
  convWindowTap: 2.6219,
  convWindowRow: 47.771,
  convBlock: 116.56,
  convRowChannel: 74.384,
  packedMac8: 1.6098,
  packedMac4: 1.7119,
  packedOutput8: 44.909,
  packedOutput4: 36.651,
  packedCode8: 3.608,
  packedCode4: 3.5079,
  packedPart8: 0,
  packedWindowRow: 366.5,
  depthwiseCall: 0,
  depthwiseWeight: 0,
  depthwiseRow: 95.241,
  depthwiseRowChannel: 177.94,
  depthwiseMac: 10.902,
  depthwiseSmallMac: 10.744,
  depthwiseNarrow4: 0.66895,
  depthwiseNarrow2: 2.6264,
  depthwiseOutput: 43.029,
  depthwiseInput: 0,
  fullyConnected8: 4.2844,
  fullyConnected4: 6.6406,
  addCode: 26.308,
  addRow: 0,
  averageCode: 15.496,
  maxCode: 12,
  element: 1.9936,
  copyByte: 0,
  copyRow: 220.67,
  call: 466.92,
};

export const M3_COEFFICIENTS: Coefficients = {
  generalConvOutput: 0,
  generalDepthwiseOutput: 0,
  generalFullyConnected: 0,
  convCall: 0,
  convRow: 0,
  convNarrowMac: 0,
  convLongMac: 0.024223,
  convMac: 1.6056,
  convMac4: 0.60706,
  convOutput: 0,
  convTap: 0.43822,
  convNarrow4: 72.903,
  convNarrow2: 0.22831,
  convPixel: 266.75,
  convWindowTap: 2.6997,
  convWindowRow: 40.585,
  convBlock: 278.87,
  convRowChannel: 0,
  packedMac8: 0.92682,
  packedMac4: 1.0112,
  packedOutput8: 21.922,
  packedOutput4: 18.379,
  packedCode8: 5.7322,
  packedCode4: 6.057,
  packedPart8: 9.4441,
  packedWindowRow: 137.27,
  depthwiseCall: 0,
  depthwiseWeight: 0,
  depthwiseRow: 5.413,
  depthwiseRowChannel: 161.39,
  depthwiseMac: 5.1849,
  depthwiseSmallMac: 5.0607,
  depthwiseNarrow4: 0.36975,
  depthwiseNarrow2: 1.9392,
  depthwiseOutput: 1.5442,
  depthwiseInput: 0,
  fullyConnected8: 2.3413,
  fullyConnected4: 2.8051,
  addCode: 19.484,
  addRow: 0,
  averageCode: 3.6271,
  maxCode: 12,
  element: 0,
  copyByte: 0.29302,
  copyRow: 0,
  call: 456.28,
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
  convCall: 0,
  convRow: 0,
  convNarrowMac: 0,
  convLongMac: 0.055639,
  convMac: 4.0601,
  convMac4: 0.8953,
  convOutput: 0,
  convTap: 1.7182,
  convNarrow4: 102.54,
  convNarrow2: 0.22831,
  convPixel: 142.78,
  convWindowTap: 2.2559,
  convWindowRow: 0,
  convBlock: 325.91,
  convRowChannel: 0,
  packedMac8: 1.8886,
  packedMac4: 1.9285,
  packedOutput8: 22.107,
  packedOutput4: 19.322,
  packedCode8: 4.4591,
  packedCode4: 3.5318,
  packedPart8: 13.457,
  packedWindowRow: 76.575,
  depthwiseCall: 0,
  depthwiseWeight: 8.7538,
  depthwiseRow: 36.124,
  depthwiseRowChannel: 40.831,
  depthwiseMac: 9.2191,
  depthwiseSmallMac: 10.277,
  depthwiseNarrow4: 0.13392,
  depthwiseNarrow2: 0.2106,
  depthwiseOutput: 2.2631,
  depthwiseInput: 0.98595,
  fullyConnected8: 5.183,
  fullyConnected4: 2.2522,
  addCode: 16.571,
  addRow: 0,
  averageCode: 5.5477,
  maxCode: 12,
  element: 0,
  copyByte: 1.2771,
  copyRow: 1601.7,
  call: 1297.7,
};

const DSP = {
  coefficients: M4_COEFFICIENTS,
  fewBits: 'packed',
  part: { channels: 64, taps: 256 },
  vector: 1,
  // Of plans that nothing was fitted to, see test/bench/latency.md.
  instructionError: 0.15,
} as const;

const PLAIN = { fewBits: 'eights', part: { channels: 48, taps: 128 }, vector: 1, instructionError: 0.05 } as const;

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
