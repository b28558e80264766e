import type { KernelShape } from './kernelCost';

/**
 * Instructions of kernels for calls of which some map has 16 bits, from counts on the emulated cores at -O3
 * (`node test/bench/wide.mjs` → test/bench/wide.md). There is one way for each kernel, so few coefficients do.
 */
export interface WideCosts {
  /** Convolutions: by product, by output, and by code of a column. */
  readonly mac: number;
  readonly output: number;
  readonly gather: number;
  /** The same of single pixels, as of fully connected layers. */
  readonly singleMac: number;
  readonly singleOutput: number;
  /** Depthwise layers: by product, of 16-bit inputs and others, and by output. */
  readonly depthwiseMac: number;
  readonly depthwiseOther: number;
  readonly depthwiseOutput: number;
  /** Pools: by code under the window and by output. */
  readonly poolCode: number;
  readonly poolOutput: number;
  /** Sums of two maps, and everything else, by output. */
  readonly add: number;
  readonly element: number;
}

export const M4_WIDE: WideCosts = {
  ...{ mac: 1.07, output: 31, gather: 11 },
  ...{ singleMac: 1.7, singleOutput: 70 },
  ...{ depthwiseMac: 3.5, depthwiseOther: 8, depthwiseOutput: 63 },
  ...{ poolCode: 8, poolOutput: 18, add: 35, element: 20 },
};

export const M3_WIDE: WideCosts = {
  ...{ mac: 2.07, output: 30, gather: 11 },
  ...{ singleMac: 3.3, singleOutput: 75 },
  ...{ depthwiseMac: 4.5, depthwiseOther: 9, depthwiseOutput: 69 },
  ...{ poolCode: 8.1, poolOutput: 18, add: 36, element: 20 },
};

export const M0PLUS_WIDE: WideCosts = {
  ...{ mac: 7.1, output: 93, gather: 43 },
  ...{ singleMac: 6.5, singleOutput: 138 },
  ...{ depthwiseMac: 14, depthwiseOther: 18, depthwiseOutput: 220 },
  ...{ poolCode: 11.7, poolOutput: 43, add: 54, element: 31 },
};

export const M55_WIDE: WideCosts = {
  ...{ mac: 2.03, output: 33, gather: 10 },
  ...{ singleMac: 3.2, singleOutput: 75 },
  ...{ depthwiseMac: 4.5, depthwiseOther: 9, depthwiseOutput: 69 },
  ...{ poolCode: 7.3, poolOutput: 18, add: 36, element: 19 },
};

export const RV32_WIDE: WideCosts = {
  ...{ mac: 2.96, output: 35, gather: 14 },
  ...{ singleMac: 4.2, singleOutput: 83 },
  ...{ depthwiseMac: 7, depthwiseOther: 9, depthwiseOutput: 78 },
  ...{ poolCode: 19.8, poolOutput: 30, add: 66, element: 43 },
};

/** Instructions of a pixel where some map has 16 bits. */
export function wideInstructions(
  k: WideCosts,
  { kernel, channels, taps, kernelH, kernelW, inputBits }: KernelShape,
): number {
  switch (kernel) {
    case 'wideConv':
      return channels * (taps * k.mac + k.output) + taps * k.gather;
    case 'wideConnected':
      return channels * (taps * k.singleMac + k.singleOutput) + taps * k.gather;
    case 'wideDepthwise':
      return channels * (taps * (inputBits === 16 ? k.depthwiseMac : k.depthwiseOther) + k.depthwiseOutput);
    case 'widePool':
      return channels * (kernelH * kernelW * k.poolCode + k.poolOutput);
    case 'wideAdd':
      return channels * k.add;
    default:
      return channels * k.element;
  }
}
