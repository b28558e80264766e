import type { OnnxModel, TensorInfo } from './model';
import { DataType } from './model';
import { ProblemError } from './problems';
import type { Numbers } from './tensorData';
import { elementCount, readTensor } from './tensorData';

/** Elements up to which a value is kept after it was read once: shapes, axes, scalars and per-channel parameters. */
export const KEEP_ELEMENTS = 4096;

/**
 * A tensor known at import time whose elements are read or computed only when asked for, so that describing a model
 * costs nothing for its weights.
 */
export class Constant {
  private kept: Numbers | null = null;
  /** Computed constants between this one and the file. */
  depth = 0;

  /** @param load computes the elements in row-major order; may throw ProblemError */
  constructor(
    readonly dims: readonly number[],
    readonly dataType: number,
    private readonly load: () => Numbers,
  ) {}

  static ofTensor(model: OnnxModel, tensor: TensorInfo): Constant {
    return new Constant(tensor.dims, tensor.dataType, () => readTensor(model, tensor));
  }

  static ofNumbers(values: readonly number[], dims: readonly number[], dataType: number): Constant {
    return new Constant(dims, dataType, () =>
      isFloat(dataType) ? Float32Array.from(values) : Float64Array.from(values),
    );
  }

  get elements(): number {
    return elementCount(this.dims);
  }

  /** The same elements under other dimensions. */
  reshaped(dims: readonly number[]): Constant {
    return new Constant(dims, this.dataType, () => this.read());
  }

  /** The elements; do not write into them. */
  read(): Numbers {
    if (this.kept) return this.kept;
    const values = this.load();
    if (this.elements <= KEEP_ELEMENTS) this.kept = values;
    return values;
  }

  /** The elements of a small tensor as plain numbers. */
  small(): number[] {
    if (this.elements > KEEP_ELEMENTS) {
      throw new ProblemError(
        `has a parameter of ${this.elements} elements where a short list is expected`,
        'Export the model again.',
      );
    }
    return Array.from(this.read());
  }
}

export function isFloat(dataType: number): boolean {
  return (
    dataType === DataType.Float ||
    dataType === DataType.Float16 ||
    dataType === DataType.Bfloat16 ||
    dataType === DataType.Double
  );
}
