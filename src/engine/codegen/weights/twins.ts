import { maxCode, minCode } from '../../program/arithmetic';
import type { Program, Step } from '../../program/types';

/** Rows and places of a row that {@link twinWeights} pads to, see `qmcu_fully_connected_dsp_twins.c`. */
const UNIT = 4;
/** Sums of the first row of a pair that fit, see `qmcu_fully_connected_dsp_twins.c`. */
const SUM_LIMIT = 2 ** 23;

/**
 * Whether a fully connected layer's weights may be stored in twins, two rows in the same 16-bit numbers: these numbers
 * and the sums of the first rows fit, whatever the input's codes are.
 * @param step a `fullyConnected` step
 */
export function fitsTwins({ buffers, constants }: Program, { inputs: [input], output, kernel }: Step): boolean {
  if (kernel.op !== 'fullyConnected') return false;
  const { bits, signed } = buffers[input.buffer];
  const codes = { min: minCode(bits, signed), max: maxCode(bits, signed) };
  const { values } = constants[kernel.weights];
  const length = values.length / output.channels;
  for (let row = 0; row < output.channels; row += 2) {
    let least = 0;
    let largest = 0;
    for (let k = row * length; k < (row + 1) * length; k++) {
      const both = 256 * values[k] + (row + 1 < output.channels ? values[k + length] : 0);
      if (both < -32768 || both > 32767) return false;
      least += Math.min(values[k] * codes.min, values[k] * codes.max);
      largest += Math.max(values[k] * codes.min, values[k] * codes.max);
    }
    if (least < -SUM_LIMIT || largest >= SUM_LIMIT) return false;
  }
  return true;
}

/** Weights [rows][rowLength] as `qmcu_fully_connected_twins` reads them. */
export function twinWeights(values: ArrayLike<number>, rowLength: number): Int16Array {
  const rows = values.length / rowLength;
  const padded = paddedTo(rowLength);
  const twins = new Int16Array((paddedTo(rows) / 2) * padded);
  const at = (row: number, k: number): number => (row < rows && k < rowLength ? values[row * rowLength + k] : 0);
  for (let row = 0; row < rows; row += 2) {
    for (let k = 0; k < padded; k++) {
      const four = Math.floor(row / 4) * 2 * padded;
      twins[four + Math.floor(k / 2) * 4 + (row % 4) + (k % 2)] = 256 * at(row, k) + at(row + 1, k);
    }
  }
  return twins;
}

function paddedTo(n: number): number {
  return Math.ceil(n / UNIT) * UNIT;
}
