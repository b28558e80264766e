import { OnnxBuilder } from '../onnxBuilder';
import { randomNumbers } from '../onnxOracle';

/** A value of a network that is being written: its name and its extents, batch first. */
export interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Writes random networks: numbers by a seed, weights of a size that keeps sums of order 1. */
export class Draft {
  readonly m: OnnxBuilder;
  /** What the network consists of, to name it when it fails. */
  readonly story: string[] = [];
  private readonly random: () => number;

  constructor(
    seed: number,
    readonly opset: number,
  ) {
    this.random = randomNumbers(seed);
    this.m = new OnnxBuilder(opset, opset > 19 ? 10 : 8);
  }

  /** A whole number from 0 to n − 1. */
  upTo(n: number): number {
    return Math.min(n - 1, Math.floor(((this.random() + 1) / 2) * n));
  }

  pick<T>(...of: readonly T[]): T {
    return of[this.upTo(of.length)];
  }

  chance(p: number): boolean {
    return (this.random() + 1) / 2 < p;
  }

  /** Numbers between two bounds. */
  numbers(count: number, least = -1, most = 1): number[] {
    return Array.from({ length: count }, () => Math.fround(least + ((this.random() + 1) / 2) * (most - least)));
  }

  /** Weights of outputs × what each sums. */
  weights(dims: readonly number[], sums: number): string {
    const bound = 1.7 / Math.sqrt(sums);
    return this.m.floats(dims, this.numbers(product(dims), -bound, bound));
  }

  bias(count: number): string {
    return this.m.floats([count], this.numbers(count, -0.3, 0.3));
  }

  node(opType: string, inputs: readonly string[], attributes: Parameters<OnnxBuilder['node']>[2] = {}): string {
    return this.m.node(opType, inputs, attributes);
  }

  /** One node that keeps the extents. */
  same(x: Value, opType: string, attributes: Parameters<OnnxBuilder['node']>[2] = {}, ...more: string[]): Value {
    return { name: this.node(opType, [x.name, ...more], attributes), dims: x.dims };
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return { name: this.node('Transpose', [x.name], { perm }), dims: perm.map((p) => x.dims[p]) };
  }

  reshape(x: Value, dims: readonly number[]): Value {
    return { name: this.node('Reshape', [x.name, this.m.int64s([...dims])]), dims };
  }

  /** A reduction with its axes where the opset has them. */
  reduce(x: Value, opType: string, axes: readonly number[], keepdims: number): Value {
    const asInput = opType === 'ReduceSum' ? this.opset >= 13 : this.opset >= 18;
    const name = asInput
      ? this.node(opType, [x.name, this.m.int64s([...axes])], { keepdims })
      : this.node(opType, [x.name], { axes, keepdims });
    const at = axes.map((a) => (a < 0 ? a + x.dims.length : a));
    const dims = x.dims.flatMap((d, i) => (at.includes(i) ? (keepdims ? [1] : []) : [d]));
    return { name, dims };
  }
}

export function product(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}
