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
