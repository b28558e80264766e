import { maxCode, minCode } from '../../program/arithmetic';
import type { ConstantId, Program, Step } from '../../program/types';

/** Products come in fours, see `qmcu_conv2d_plain_eights.h`. */
const UNIT = 4;
/** What half a word holds. */
const LEAST = -(2 ** 15);
const LARGEST = 2 ** 15 - 1;
/** The largest multiple of {@link UNIT} that `run` of `qmcu_conv2d_params` holds. */
const MOST = 65532;

/**
 * `run` of a convolution's parameters (quantmcu.h): how many products of a row, one after the other from any multiple
 * of four on, have sums that stay in 16 bits, whatever the codes are; a multiple of four, 0 where not even four do.
 */
export function runOf({ buffers, constants }: Program, { inputs: [input], output, kernel }: Step): number {
  if (kernel.op !== 'conv2d') return 0;
  const { bits, signed } = buffers[input.buffer];
  const { values } = constants[kernel.weights];
  return longestRun(values, values.length / output.channels, {
    min: minCode(bits, signed),
    max: maxCode(bits, signed),
  });
}

/** The same of rows of weights [rows][rowLength] and codes from `min` to `max`, between which 0 lies. */
export function longestRun(
  values: ArrayLike<number>,
  rowLength: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const units = Math.ceil(rowLength / UNIT);
  const low = new Float64Array(units);
  const high = new Float64Array(units);
  let longest = units;
  for (let row = 0; row < values.length; row += rowLength) {
    for (let unit = 0, k = row; unit < units; unit++) {
      let lowest = 0;
      let highest = 0;
      for (const last = Math.min(k + UNIT, row + rowLength); k < last; k++) {
        const w = values[k];
        lowest += w * (w < 0 ? max : min);
        highest += w * (w < 0 ? min : max);
      }
      low[unit] = lowest;
      high[unit] = highest;
    }
    // Each next window begins one unit later and ends no earlier.
    let least = 0;
    let largest = 0;
    let end = 0;
    for (let from = 0; from < units && end < units; from++) {
      while (end < units && least + low[end] >= LEAST && largest + high[end] <= LARGEST) {
        least += low[end];
        largest += high[end];
        end++;
      }
      if (end < units) longest = Math.min(longest, end - from);
      if (end === from) return 0;
      least -= low[from];
      largest -= high[from];
    }
  }
  return Math.min(MOST, longest * UNIT);
}

/** {@link runOf}, counted once for all steps that read the same weights and codes. */
export class Runs {
  private readonly known = new Map<string, number>();

  constructor(private readonly program: Program) {}

  of(step: Step, weights: ConstantId): number {
    const { bits, signed } = this.program.buffers[step.inputs[0].buffer];
    const key = `${weights} ${bits} ${signed}`;
    const known = this.known.get(key) ?? runOf(this.program, step);
    this.known.set(key, known);
    return known;
  }
}
