import type { Graph, LayerId, MapId } from '../graph/types';
import type { Grid } from '../schedule/branches';
import type { BitsOf } from '../schedule/schedule';
import type { AxisNumbers, StageShapes } from './stageShapes';

/**
 * What one stage's branches need, by plain arithmetic: lower bounds, nearly what their schedules need, for all branches
 * of a grid at once.
 */
export class BranchNeeds {
  /** By map of the stage, bytes of a pixel. */
  private readonly pixelBytes: Float64Array;
  /** By layer of the stage, the maps of the stage that it reads (indexes), and its entries. */
  private readonly reads: readonly (readonly number[])[];
  private readonly entryReads: readonly (readonly number[])[];
  private readonly kept: readonly number[];
  private readonly split: number;
  /** By map, whether its columns are kept only once the branch has read it for the last time. */
  private readonly keptAfter: readonly boolean[];
  /** By layer of the stage, the layers whose outputs' buffers begin with it. */
  private readonly begins: readonly (readonly number[])[];
  /** By layer of the stage, whether its output may overlap inputs. */
  private readonly overlaps: readonly boolean[];
  private readonly own: Omit<Caches, 'others'>;
  /** Share of what overlaps may save that counts. */
  private saves = 1;
  private readonly lastUse: Int32Array;
  private readonly lastEntry: Int32Array;
  /** By entry, the last branch that reads it: where halos are kept it need not be the last of all. */
  private readonly lastReader: Int32Array;

  /**
   * @param entryBytes of every input of the stage as a whole; 0 for those outside of the arena
   * @param lateEntries which of them are needed after the stage
   * @param concatInPlace whether the schedule lets this input of a concat be computed into the concat's buffer
   */
  constructor(
    graph: Graph,
    private readonly shapes: StageShapes,
    bits: BitsOf,
    private readonly entryBytes: readonly number[],
    private readonly lateEntries: readonly boolean[],
    private readonly splitBytes: number,
    concatInPlace: (layer: LayerId, input: number) => boolean,
  ) {
    const { stage, kept, maps } = shapes;
    const indexOf = new Map(maps.map((map, m) => [map, m]));
    const entryOf = new Map(stage.inputs.map((map, e) => [map, e]));
    const indexes = (inputs: readonly MapId[], of: ReadonlyMap<MapId, number>): number[] =>
      [...new Set(inputs)].flatMap((map) => of.get(map) ?? []);
    // Loading a tile is a layer that reads nothing.
    const layers = maps.map((map) =>
      graph.maps[map].producer === null ? null : graph.layers[graph.maps[map].producer],
    );
    this.reads = layers.map((layer) => indexes(layer?.inputs ?? [], indexOf));
    this.entryReads = layers.map((layer) => indexes(layer?.inputs ?? [], entryOf));
    this.pixelBytes = Float64Array.from(maps, (map, m) =>
      Math.ceil((graph.maps[map].shape.c * bits.stored(map, layers[m] === null ? null : 'regular')) / 8),
    );
    const homeOf = Int32Array.from(maps, (_, l) => l);
    for (const [l, layer] of layers.entries()) {
      if (layer === null) continue;
      // A slice may stay inside its input.
      if (layer.kind === 'slice' && !kept.has(layer.output) && layer.output !== stage.splitMap) this.pixelBytes[l] = 0;
      if (layer.kind !== 'concat') continue;
      for (const [i, map] of layer.inputs.entries()) {
        const part = indexOf.get(map);
        // What is kept has its own buffer.
        if (part === undefined || kept.has(map) || kept.has(layer.output)) continue;
        // Inputs of a concat may be computed into its buffer; where it is sure that they are, that exists starting with
        // the first of them.
        const sure = concatInPlace(layer.id, i) && graph.maps[map].consumers.length === 1 && this.pixelBytes[l] > 0;
        if (sure) homeOf[l] = Math.min(homeOf[l], part);
        this.pixelBytes[part] = 0;
      }
    }
    this.overlaps = layers.map(
      (layer) => layer !== null && layer.kind !== 'pad' && (layer.kind === 'concat' || layer.inputs.length <= 2),
    );
    this.begins = maps.map((_, l) => [...homeOf.keys()].filter((h) => homeOf[h] === l));
    this.kept = maps.flatMap((map, m) => (kept.has(map) ? [m] : []));
    this.keptAfter = maps.map((map) => shapes.keepColumns.has(map) && graph.maps[map].producer !== null);
    this.split = indexOf.get(stage.splitMap)!;
    const zeros = () => new Float64Array(maps.length);
    this.own = { above: zeros(), left: zeros(), below: zeros(), right: zeros() };
    this.lastUse = new Int32Array(maps.length);
    this.lastEntry = new Int32Array(stage.inputs.length);
    this.lastReader = new Int32Array(stage.inputs.length);
  }

  /**
   * By branch, row by row: the least its steps need; or, with `apart`, about what they need when no output overlaps
   * an input.
   */
  all({ rows, cols }: Grid, apart = false): Float64Array {
    const v = this.shapes.axis('h', rows)!;
    const u = this.shapes.axis('w', cols)!;
    const needs = new Float64Array(rows * cols);
    this.findLastReaders(v, u, rows, cols);
    this.saves = apart ? 0 : 1;
    for (let row = 0; row < rows; row++)
      for (let col = 0; col < cols; col++) needs[row * cols + col] = this.branch(v, u, row, col, rows, cols);
    return needs;
  }

  /** The least that one branch in the middle needs. */
  middle(grid: Grid): number {
    return this.most(grid, [grid.rows >> 1], [grid.cols >> 1]);
  }

  /** The most of what branches at the corners, in the middles of the sides and in the middle need. */
  ofNine(grid: Grid): number {
    return this.most(grid, [0, grid.rows >> 1, grid.rows - 1], [0, grid.cols >> 1, grid.cols - 1]);
  }

  private most({ rows, cols }: Grid, someRows: readonly number[], someCols: readonly number[]): number {
    const v = this.shapes.axis('h', rows)!;
    const u = this.shapes.axis('w', cols)!;
    this.findLastReaders(v, u, rows, cols);
    this.saves = 1;
    let most = 0;
    for (const row of new Set(someRows))
      for (const col of new Set(someCols)) most = Math.max(most, this.branch(v, u, row, col, rows, cols));
    return most;
  }

  /** The most that is kept between two rows of branches. */
  betweenRows({ rows, cols }: Grid): number {
    const v = this.shapes.axis('h', rows)!;
    const u = this.shapes.axis('w', cols)!;
    let most = 0;
    for (let row = 1; row < rows; row++) {
      let bytes = 0;
      for (const m of this.kept) {
        const at = m * rows + row;
        bytes += (v.freshBegin[at] - v.needBegin[at]) * u.computed[m] * this.pixelBytes[m];
      }
      most = Math.max(most, bytes);
    }
    return most;
  }

  private branch(v: AxisNumbers, u: AxisNumbers, row: number, col: number, rows: number, cols: number): number {
    const { pixelBytes, reads, entryReads, entryBytes, lateEntries, split, lastUse, lastEntry, lastReader } = this;
    const layers = reads.length;
    const isFirst = row + col === 0;
    const index = row * cols + col;
    // The last layer that reads each map in this branch; layers whose output is all there drop out.
    lastUse.fill(-1);
    lastEntry.fill(-1);
    for (let l = 0; l < layers; l++) {
      if (v.fresh[l * rows + row] * u.fresh[l * cols + col] === 0) continue;
      for (const m of reads[l]) lastUse[m] = l;
      for (const e of entryReads[l]) if (lastReader[e] === index) lastEntry[e] = l;
    }
    const { others, above, left, below, right } = this.caches(v, u, row, col, rows, cols);
    let live = others + (isFirst ? 0 : this.splitBytes);
    for (let e = 0; e < entryBytes.length; e++) if (lateEntries[e] || lastReader[e] >= index) live += entryBytes[e];
    let most = 0;
    for (let l = 0; l < layers; l++) {
      let out = 0;
      // What begins here: the layer's output, or a concat's that it is part of.
      for (const h of this.begins[l]) {
        const bytes =
          h === split
            ? isFirst
              ? this.splitBytes
              : 0
            : v.need[h * rows + row] * u.need[h * cols + col] * pixelBytes[h];
        live += bytes;
        out += bytes;
      }
      // A cache dies once it has been copied back; at best the first one was under the buffer.
      if (above[l] > 0) most = Math.max(most, live - this.saves * Math.min(above[l], out));
      live -= above[l];
      if (left[l] > 0) most = Math.max(most, live - (above[l] > 0 ? 0 : this.saves * Math.min(left[l], out)));
      live -= left[l];
      if (v.fresh[l * rows + row] * u.fresh[l * cols + col] > 0) {
        let dying = 0;
        // Of maps whose columns are kept after their last use the rest dies then.
        let later = 0;
        for (const m of reads[l]) {
          if (lastUse[m] !== l) continue;
          const bytes = v.need[m * rows + row] * u.need[m * cols + col] * pixelBytes[m];
          if (this.keptAfter[m] && right[m] > 0) later += bytes - right[m];
          else dying += bytes;
        }
        for (const e of entryReads[l]) if (lastEntry[e] === l && !lateEntries[e]) dying += entryBytes[e];
        // So may the output overlap everything that dies with this step, unless part of it is there already.
        most = Math.max(
          most,
          live - (above[l] + left[l] > 0 || !this.overlaps[l] ? 0 : this.saves * Math.min(out, dying)),
        );
        live -= dying + later;
      }
      if (this.keptAfter[l] && lastUse[l] >= 0) continue;
      live += below[l];
      if (below[l] > 0) most = Math.max(most, lastUse[l] < 0 ? 0 : live);
      live += right[l];
      if (right[l] > 0) most = Math.max(most, lastUse[l] < 0 ? 0 : live);
      if (lastUse[l] < 0 && l !== split) live -= v.need[l * rows + row] * u.need[l * cols + col] * pixelBytes[l];
    }
    return most;
  }

  private findLastReaders(v: AxisNumbers, u: AxisNumbers, rows: number, cols: number): void {
    const last = (fresh: Int32Array, l: number, count: number): number => {
      let i = count - 1;
      while (i >= 0 && fresh[l * count + i] === 0) i--;
      return i;
    };
    this.lastReader.fill(-1);
    for (const [l, entries] of this.entryReads.entries()) {
      for (const e of entries)
        this.lastReader[e] = Math.max(this.lastReader[e], last(v.fresh, l, rows) * cols + last(u.fresh, l, cols));
    }
  }

  /**
   * Bytes of the caches that a branch finds and leaves, by layer; `others`: those that it does not touch, of columns to
   * the right from above, to the left for below.
   */
  private caches(v: AxisNumbers, u: AxisNumbers, row: number, col: number, rows: number, cols: number): Caches {
    const { above, left, below, right } = this.own;
    let others = 0;
    for (const m of this.kept) {
      const bytes = this.pixelBytes[m];
      const y = m * rows + row;
      const x = m * cols + col;
      const rowsAbove = row > 0 ? v.freshBegin[y] - v.needBegin[y] : 0;
      const rowsBelow = row + 1 < rows ? overlap(v, y, y + 1) : 0;
      above[m] = rowsAbove * u.fresh[x] * bytes;
      left[m] = col > 0 ? (u.freshBegin[x] - u.needBegin[x]) * v.need[y] * bytes : 0;
      below[m] = rowsBelow * u.fresh[x] * bytes;
      right[m] = col + 1 < cols ? overlap(u, x, x + 1) * v.need[y] * bytes : 0;
      others += (rowsAbove * (u.computed[m] - u.freshBefore[x] - u.fresh[x]) + rowsBelow * u.freshBefore[x]) * bytes;
      // Its own are alive when the branch begins.
      others += above[m] + left[m];
    }
    return { others, above, left, below, right };
  }
}

interface Caches {
  readonly others: number;
  readonly above: Float64Array;
  readonly left: Float64Array;
  readonly below: Float64Array;
  readonly right: Float64Array;
}

/** Elements that branch `at` has in its buffer and branch `next` does not compute. */
function overlap({ need, needBegin, freshBegin }: AxisNumbers, at: number, next: number): number {
  return Math.max(0, Math.min(needBegin[at] + need[at], freshBegin[next]) - Math.max(needBegin[at], needBegin[next]));
}
