import type { Requantizer } from '../requantizer';

/** int32 values per 8 channels. */
const BLOCK = 24;

/**
 * A requantization as assembly/kernels.ts reads it: per 4 channels their biases, multipliers and upper bounds; channels
 * starting at `first`, padded to 8.
 */
export function requantTable(requantizer: Requantizer, first: number, channels: number): Int32Array {
  const table = new Int32Array(Math.ceil(channels / 8) * BLOCK);
  for (let c = 0; c < channels; c++) {
    const at = (c >> 2) * 12 + (c & 3);
    table[at] = requantizer.bias[first + c];
    table[at + 4] = requantizer.multiplier[first + c];
    table[at + 8] = requantizer.max[first + c];
  }
  return table;
}

/** Whether values can be multiplied as 16-bit integers. */
export function are16Bit(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== (values[i] << 16) >> 16) return false;
  return true;
}
