import { maxCode, minCode } from '../arithmetic';
import type { Constant, ConstantId, PerChannel } from '../types';
import type { CodeBlock } from './codes';

/** Computes one step from dense H×W×C codes to dense codes. The arrays may be longer than the step needs. */
export type PreparedKernel = (inputs: readonly Int16Array[], output: Int16Array) => void;

/**
 * A kernel that works on each pixel's channels alone.
 * @param compute writes the codes of `out` from `begin` to `end` from those of `x` there
 */
export function byPixel(
  { h, w, channels }: CodeBlock,
  compute: (x: Int16Array, out: Int16Array, begin: number, end: number) => void,
): PreparedKernel {
  const total = h * w * channels;
  return ([x], out) => {
    for (let begin = 0; begin < total; begin += channels) compute(x, out, begin, begin + channels);
  };
}

/** What a kernel knows when it is prepared: shapes and formats of its step, and the Program's constants. */
export interface KernelContext {
  readonly inputs: readonly CodeBlock[];
  readonly output: CodeBlock;
  readonly constants: ConstantTables;
  readonly scratch: Scratch;
  /** Compute in plain TypeScript, as the formulas stand, even where the same bits come faster. */
  readonly reference?: boolean;
}

/** Working memory that all kernels of an executor share; contents do not survive a kernel. */
export class Scratch {
  private integers = new Int16Array(0);
  private doubles = new Float64Array(0);

  /** An array of at least `length` elements. */
  int16(length: number): Int16Array {
    if (this.integers.length < length) this.integers = new Int16Array(length);
    return this.integers;
  }

  /** An array of at least `length` elements. */
  float64(length: number): Float64Array {
    if (this.doubles.length < length) this.doubles = new Float64Array(length);
    return this.doubles;
  }
}

/** The Program's constants by id, with derived tables made once for all steps that use them. */
export class ConstantTables {
  private readonly derived = new Map<string, unknown>();

  constructor(private readonly constants: readonly Constant[]) {}

  /** @throws RangeError if there is no such constant or it has another number of values */
  values(id: ConstantId, length: number): Constant['values'] {
    const constant = this.constants[id];
    if (constant === undefined) throw new RangeError(`There is no constant ${id}.`);
    if (constant.values.length !== length)
      throw new RangeError(`Constant ${id} has ${constant.values.length} values instead of ${length}.`);
    return constant.values;
  }

  int32(id: ConstantId, length: number): Int32Array {
    const values = this.values(id, length);
    return values instanceof Int32Array ? values : Int32Array.from(values);
  }

  /** One value per channel, whether the Program holds a number or a table. */
  perChannel(value: number | PerChannel, channels: number): Int32Array {
    return typeof value === 'number' ? new Int32Array(channels).fill(value) : this.int32(value.constant, channels);
  }

  /** `make()`, once per key. */
  once<T>(key: string, make: () => T): T {
    if (!this.derived.has(key)) this.derived.set(key, make());
    return this.derived.get(key) as T;
  }
}

/** Throws unless the clamp bounds are codes of the output's format. */
export function checkClamp(output: CodeBlock, min: number, max: number): void {
  const lowest = minCode(output.bits, output.signed);
  const highest = maxCode(output.bits, output.signed);
  if (min < lowest || min > highest || max < lowest || max > highest)
    throw new RangeError(`Clamp ${min}…${max} leaves the codes ${lowest}…${highest} of the output.`);
}

/** Throws unless all values are codes of the block's format. */
export function checkCodes(block: CodeBlock, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) checkClamp(block, values[i], values[i]);
}

/** Throws unless the condition holds. */
export function check(condition: boolean, message: string): void {
  if (!condition) throw new RangeError(message);
}

/** Throws unless the output has the input's rows and columns and channels. */
export function requireSameShape(a: CodeBlock, b: CodeBlock): void {
  check(
    a.h === b.h && a.w === b.w && a.channels === b.channels,
    `Shapes ${a.h}×${a.w}×${a.channels} and ${b.h}×${b.w}×${b.channels} differ.`,
  );
}
