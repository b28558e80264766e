import type { Constant, ConstantId, ConstantKind } from './types';

/** Collects the integers of a Program; equal tables of equal kind are stored once. */
export class ConstantPool {
  readonly constants: Constant[] = [];
  private readonly byContent = new Map<string, ConstantId>();

  /** Adds a table, or finds an equal one, and returns its id. */
  add(
    kind: ConstantKind,
    name: string,
    bits: Constant['bits'],
    signed: boolean,
    values: Constant['values'],
    dims: readonly number[],
  ): ConstantId {
    const key =
      kind === 'weights'
        ? null
        : `${kind}/${bits}/${signed}/${dims.join('x')}/` +
          Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
    if (key !== null) {
      const known = this.byContent.get(key);
      if (known !== undefined) return known;
    }
    const id = this.constants.length;
    this.constants.push({ id, kind, name, bits, signed, values, dims });
    if (key !== null) this.byContent.set(key, id);
    return id;
  }

  /** A number where all channels agree, otherwise a table of 16-bit values, or of 32-bit ones. */
  perChannel(
    name: string,
    values: readonly number[] | Int32Array | Float64Array,
    bits: 16 | 32 = 16,
  ): number | { readonly constant: ConstantId } {
    const first = values[0];
    let same = true;
    for (let i = 1; i < values.length && same; i++) same = values[i] === first;
    if (same) return first;
    const table = bits === 16 ? Int16Array.from(values) : Int32Array.from(values);
    return { constant: this.add('table', name, bits, true, table, [values.length]) };
  }
}

/**
 * Bytes that a constant takes in flash. 4-bit weights are packed two per byte, each row starting on a byte; a row is
 * what belongs to one output channel, or for depthwise weights ([kH][kW][C], three dimensions) to one kernel position.
 */
export function constantBytes(constant: Constant): number {
  const n = constant.values.length;
  if (constant.bits !== 4) return (n * constant.bits) / 8;
  const rows = constant.dims.length === 3 ? constant.dims[0] * constant.dims[1] : constant.dims[0];
  return rows * Math.ceil(n / rows / 2);
}
