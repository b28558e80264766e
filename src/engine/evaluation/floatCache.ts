/** Values kept at most: 256 MB. */
const MOST_VALUES = 64 << 20;

/** Outputs of the float network by sample, for evaluations of several plans of one model on the same samples. */
export class FloatCache {
  private readonly outputs = new Map<number, readonly Float32Array[]>();
  private values = 0;

  get(index: number): readonly Float32Array[] | undefined {
    return this.outputs.get(index);
  }

  /** Keeps outputs, as long as there is room. */
  set(index: number, outputs: readonly Float32Array[]): void {
    const values = outputs.reduce((sum, o) => sum + o.length, 0);
    if (this.outputs.has(index) || this.values + values > MOST_VALUES) return;
    this.values += values;
    this.outputs.set(index, outputs);
  }
}
