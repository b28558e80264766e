import type { Ending, EndingResult } from '../../onnx/ending';
import { product, uniform } from './random';
import { at, type Table } from './tables';

/** Feature maps of one grid, and the rows that they become. */
export interface FoundLevel {
  readonly rows: number;
  readonly cols: number;
  readonly anchors: number;
  /** Row of its first cell and anchor; rows from one cell, and from one anchor, to the next. */
  readonly row: number;
  readonly rowsPerCell: number;
  readonly rowsPerAnchor: number;
  /** Inputs of the ending. */
  readonly parts: readonly FoundPart[];
}

export interface FoundPart {
  readonly input: number;
  readonly channels: number;
}

/** A column of the outputs: field `field` of table `table`, as one number. */
export const column = (table: number, field: number): number => table * 65536 + field;

/** Which columns each channel of an anchor changes, by the parts of a level. */
export type Roles = readonly (readonly ReadonlySet<number>[])[];

/**
 * Finds out what an ending does by changing its inputs and looking at what changes in its outputs: which rows are
 * whose cells, and what each channel is for. What is found is a guess, which a proof must follow.
 */
export class Probe {
  private readonly base: readonly Float32Array[];
  private readonly results: readonly EndingResult[];

  private constructor(
    private readonly ending: Ending,
    private readonly tables: readonly Table[],
  ) {
    const random = uniform(7);
    this.base = ending.inputs.map(({ dims }) => Float32Array.from({ length: product(dims) }, () => random() - 0.5));
    this.results = ending.run(this.base) ?? [];
  }

  /** Levels, and the roles of channels in the one of most cells; null where the rows are not those of grids. */
  static of(ending: Ending, tables: readonly Table[]): { levels: FoundLevel[]; roles: Roles } | null {
    const probe = new Probe(ending, tables);
    const levels = probe.levels();
    if (!levels) return null;
    const largest = levels.reduce((a, b) => (b.rows * b.cols > a.rows * a.cols ? b : a));
    const roles = probe.roles(largest);
    return roles && { levels, roles };
  }

  /** Outputs where some elements are larger. @param change what is added to element (channel, cell) of an input */
  private changed(change: (input: number, channel: number, cell: number) => number): readonly EndingResult[] | null {
    return this.ending.run(
      this.base.map((values, input) => {
        const [, , h, w] = this.ending.inputs[input].dims;
        return values.map((v, i) => v + change(input, Math.floor(i / (h * w)), i % (h * w)));
      }),
    );
  }

  /** Rows of [first, end) that differ from those before a change. */
  private rowsChanged(results: readonly EndingResult[], first: number, end: number): number[] {
    const rows: number[] = [];
    for (let row = first; row < end; row++) if (this.columnsChanged(results, row, true).size > 0) rows.push(row);
    return rows;
  }

  private columnsChanged(results: readonly EndingResult[], row: number, isFirstEnough = false): Set<number> {
    const found = new Set<number>();
    for (const [t, table] of this.tables.entries()) {
      for (let field = 0; field < table.fields; field++) {
        if (isRounding(at(results, table, row, field), at(this.results, table, row, field))) continue;
        found.add(column(t, field));
        if (isFirstEnough) return found;
      }
    }
    return found;
  }

  private levels(): FoundLevel[] | null {
    const total = this.tables[0].rows;
    const spans = new Map<string, { first: number; count: number; grid: string; parts: FoundPart[] }>();
    for (const [input, { dims }] of this.ending.inputs.entries()) {
      const random = uniform(input + 1);
      const results = this.changed((own) => (own === input ? 0.5 + random() : 0));
      const rows = results ? this.rowsChanged(results, 0, total) : [];
      const [first, last] = [rows[0], rows[rows.length - 1]];
      if (rows.length === 0 || last - first + 1 !== rows.length) return null;
      const grid = `${dims[2]}×${dims[3]}`;
      const span = spans.get(String(first)) ?? { first, count: rows.length, grid, parts: [] };
      if (span.count !== rows.length || span.grid !== grid) return null;
      span.parts.push({ input, channels: dims[1] });
      spans.set(String(first), span);
    }
    const sorted = [...spans.values()].sort((a, b) => a.first - b.first);
    let row = 0;
    for (const { first, count } of sorted) {
      if (first !== row) return null;
      row += count;
    }
    return row === total ? this.cellsOf(sorted) : null;
  }

  /** The order of rows within spans, by the rows of the first two cells. */
  private cellsOf(
    spans: readonly { readonly first: number; readonly count: number; readonly parts: readonly FoundPart[] }[],
  ): FoundLevel[] | null {
    const cells = [0, 1].map((wanted) => {
      const random = uniform(wanted + 100);
      return this.changed((_, __, cell) => (cell === wanted ? 0.5 + random() : 0));
    });
    if (!cells[0] || !cells[1]) return null;
    const levels: FoundLevel[] = [];
    for (const { first, count, parts } of spans) {
      const [, , rows, cols] = this.ending.inputs[parts[0].input].dims;
      const anchors = count / (rows * cols);
      const [own, next] = [cells[0], cells[1]].map((results) => this.rowsChanged(results, first, first + count));
      if (own.length !== anchors || (rows * cols > 1 && next.length !== anchors)) return null;
      const rowsPerCell = rows * cols > 1 ? next[0] - own[0] : anchors;
      const rowsPerAnchor = anchors > 1 ? own[1] - own[0] : 0;
      if (parts.some(({ channels }) => channels % anchors !== 0)) return null;
      levels.push({ rows, cols, anchors, row: own[0], rowsPerCell, rowsPerAnchor, parts });
    }
    return levels;
  }

  /** What each channel of a level's parts changes; null where anchors do not have channels of their own in turn. */
  private roles({ rows, cols, anchors, row, rowsPerCell, rowsPerAnchor, parts }: FoundLevel): Roles | null {
    const cells = rows * cols;
    const found: ReadonlySet<number>[][] = [];
    for (const { input, channels } of parts) {
      const fields = channels / anchors;
      const own: ReadonlySet<number>[] = [];
      for (let from = 0; from < channels; from += cells) {
        const results = this.changed((other, c, cell) => (other === input && c - from === cell ? 1 : 0));
        if (!results) return null;
        for (let channel = from; channel < Math.min(channels, from + cells); channel++) {
          const first = row + (channel - from) * rowsPerCell;
          const changed = Array.from({ length: anchors }, (_, a) =>
            this.columnsChanged(results, first + a * rowsPerAnchor),
          );
          const anchor = Math.floor(channel / fields);
          if (changed.some((columns, a) => a !== anchor && columns.size > 0)) return null;
          const field = channel % fields;
          if (anchor === 0) own.push(changed[anchor]);
          else if (!isEqual(own[field], changed[anchor])) return null;
        }
      }
      found.push(own);
    }
    return found;
  }
}

/** Whether two values differ by no more than rounding: changes of the inputs are about as large as these. */
function isRounding(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
}

function isEqual(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((v) => b.has(v));
}
