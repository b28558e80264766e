import type { VectorCoefficients } from './coefficients';
import type { KernelShape, UnitCosts } from './kernelCost';

/** What the kernels for the vector extension Helium cost, as they take a call apart (src/firmware/mve/). */

/** Codes of a column that a vector takes. */
const VECTOR = 16;

/** Codes of columns that find room on the stack (QMCU_COLUMN_BYTES). */
const COLUMN_CODES = 1024;

/** Pixels that share what four output channels need; of codes that are read where they are. */
const BLOCK_PIXELS = 16;
const IN_PLACE_PIXELS = 64;

/** Bytes of four rows of weights that are copied where reading past them would leave the array. */
const COPIED_ROWS = 256;

/** Most taps of a depthwise kernel whose weights are unpacked. */
const UNPACKED_TAPS = 49;

type VectorUnits = Pick<UnitCosts, 'call' | 'row' | 'pixel' | 'border' | 'borderPixels'>;

/** qmcu_conv2d_mve.c: four output channels times a block of pixels. */
export function vectorConvUnits(k: VectorCoefficients, shape: KernelShape): VectorUnits {
  const { channels, taps, kernelH, kernelW, inputBits, weightBits } = shape;
  const isWide = weightBits === 8;
  const vectors = Math.ceil((taps + (isWide ? taps % 2 : 0)) / VECTOR);
  const fours = shape.toTwoBits ? 0 : wholeFours(shape, vectors);
  const others = Math.ceil(channels / 4) - fours;
  const inPlace = isWide && inputBits === 8 && kernelH * kernelW === 1 && taps % VECTOR === 0;
  const block = k.vectorBlock + fours * (k.vectorBlockFour + vectors * k.vectorBlockMac);
  const pixels = inPlace ? IN_PLACE_PIXELS : Math.min(BLOCK_PIXELS, Math.max(1, Math.floor(COLUMN_CODES / taps)));
  const gather = inPlace
    ? 0
    : kernelH *
      (k.vectorGatherRow +
        Math.ceil(taps / kernelH / VECTOR) * (k.vectorGather + (inputBits < 8 ? k.vectorGatherNarrow : 0)));
  return {
    // On average the last block of a row, or of the rows that are read where they are, is half full.
    call: k.call + (inPlace ? block / 2 : 0),
    row: inPlace || pixels === 1 ? 0 : block / 2,
    pixel:
      k.vectorPixel +
      gather +
      block / pixels +
      fours * ((isWide ? k.vectorFour : k.vectorFour4) + vectors * (isWide ? k.vectorMac : k.vectorMac4)) +
      others * (k.vectorOther + vectors * k.vectorOtherMac),
    border: kernelW > 1 ? kernelH * k.vectorBorderRow : 0,
    borderPixels: kernelW - 1,
  };
}

/** Times four output channels whose weights can be read in whole vectors (whole_fours). */
function wholeFours({ channels, taps, weightBits }: KernelShape, vectors: number): number {
  if (taps > COLUMN_CODES) return 0;
  const past = vectors * VECTOR - taps;
  const pairs = Math.ceil(channels / 2);
  const rest = Math.ceil(past / taps);
  const most = Math.floor(channels / 4);
  const whole = pairs > rest ? Math.min(most, Math.floor((pairs - rest) / 2)) : 0;
  return weightBits === 8 && 4 * taps <= COPIED_ROWS ? Math.min(whole + 1, most) : whole;
}

/** qmcu_depthwise2d_mve.c: row by row, sixteen channels of windows of 3×3, or eight. */
export function vectorDepthwiseUnits(k: VectorCoefficients, shape: KernelShape): VectorUnits {
  const { channels, taps, kernelH, kernelW, inputBits, toTwoBits } = shape;
  const isNarrow = inputBits < 8;
  if (kernelH === 3 && kernelW === 3 && channels >= 16 && inputBits >= 4 && !toTwoBits) {
    const groups = Math.ceil(channels / 16);
    return {
      call: k.call,
      row: groups * k.sixteenRow,
      pixel: groups * (k.sixteenPixel + (isNarrow ? k.sixteenNarrow : 0)),
      border: groups * k.sixteenBorder,
      borderPixels: 2,
    };
  }
  const groups = Math.ceil(channels / 8);
  const unpacks = taps <= UNPACKED_TAPS;
  const tap = !unpacks ? k.eightAnyTap : kernelW === 3 ? k.eightThreeTap : k.eightTap;
  return {
    call: k.call,
    row: groups * (k.eightRow + (unpacks ? taps * k.eightWeight : 0)),
    pixel: groups * (k.eightPixel + taps * (tap + (isNarrow ? k.eightNarrow : 0))),
    border: groups * k.eightBorder,
    borderPixels: kernelW - 1,
  };
}
