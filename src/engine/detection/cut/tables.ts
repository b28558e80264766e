import type { Ending, EndingResult } from '../../onnx/ending';
import { product, uniform } from './random';

/** An output as rows, one for each location, of fields. */
export interface Table {
  readonly output: number;
  readonly rows: number;
  readonly fields: number;
  /** Elements from one row, and from one field, to the next. */
  readonly perRow: number;
  readonly perField: number;
}

/** Tables of an ending's outputs by one number of rows; the most rows first. */
export function tablesOf(results: readonly EndingResult[]): Table[][] {
  const dims = results.map((result) => result.dims.filter((d) => d !== 1));
  if (dims.some((d) => d.length === 0 || d.length > 2)) return [];
  const counts = [...new Set(dims[0])].sort((a, b) => b - a);
  return counts.flatMap((rows) => {
    const tables = dims.map(([first, second = 1], output): Table | null => {
      if (first === rows) return { output, rows, fields: second, perRow: second, perField: 1 };
      return second === rows ? { output, rows, fields: first, perRow: 1, perField: rows } : null;
    });
    return tables.every((table) => table !== null) ? [tables] : [];
  });
}

/** A field of a location. */
export function at(results: readonly EndingResult[], table: Table, row: number, field: number): number {
  return results[table.output].values[row * table.perRow + field * table.perField];
}

/** An ending without the outputs that only rearrange its inputs, as old exports have them beside the boxes. */
export function withoutCopies(ending: Ending): Ending {
  const random = uniform(3);
  const values = ending.inputs.map(({ dims }) => Float32Array.from({ length: product(dims) }, random));
  const known = new Set(values.flatMap((list) => [...list]));
  const copies = ending.run(values)?.map((result) => Array.from(result.values).every((v) => known.has(v))) ?? [];
  if (!copies.includes(true) || !copies.includes(false)) return ending;
  return { ...ending, run: (own) => ending.run(own)?.filter((_, output) => !copies[output]) ?? null };
}
