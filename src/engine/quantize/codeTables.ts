import { codeRange } from './histogramError';
import type { MapFormat } from './types';

/** Codes of one format as codes of another for the nearest values. */
export interface CodeTables {
  /** The code of the first entry. */
  readonly first: number;
  /** Table of a channel, by code − first. */
  of(channel: number): Int16Array;
}

/** One table per channel where scales or zero points differ between channels, otherwise one for all. */
export function codeTables(from: MapFormat, to: MapFormat): CodeTables {
  const at = <T extends Float64Array | Int32Array>(a: T, c: number): number => a[a.length === 1 ? 0 : c];
  const wide = codeRange(from.bits, from.signed);
  const narrow = codeRange(to.bits, to.signed);
  const count = Math.max(from.scales.length, from.zeroPoints.length, to.scales.length, to.zeroPoints.length);
  const tables = Array.from({ length: count }, (_, c) => {
    const table = new Int16Array(wide.max - wide.min + 1);
    const [scale, zero] = [at(from.scales, c), at(from.zeroPoints, c)];
    const [toScale, toZero] = [at(to.scales, c), at(to.zeroPoints, c)];
    for (let i = 0; i < table.length; i++) {
      const code = Math.round((scale * (wide.min + i - zero)) / toScale) + toZero;
      table[i] = Math.max(narrow.min, Math.min(narrow.max, code));
    }
    return table;
  });
  return { first: wide.min, of: (channel) => tables[count === 1 ? 0 : channel] };
}
