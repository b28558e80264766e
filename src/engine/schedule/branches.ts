import type { Graph, MapId } from '../graph/types';
import type { Region } from '../graph/region';
import { axisNeed, type Axis, type Span } from './receptiveField';
import type { Stage } from './stages';

/** Patches of the split map, rows × cols. */
export interface Grid {
  readonly rows: number;
  readonly cols: number;
}

/** What one row (or column) of branches does with one map, on one axis. */
export interface AxisPart {
  /** All elements that the branch reads of the map (for the split map: its patch). */
  readonly need: Span;
  /**
   * The elements that it computes; the rest of `need`, before it, is kept from the branch before. Equal to `need`
   * unless the map is kept.
   */
  readonly fresh: Span;
}

/**
 * Per map of the stage, inputs and split map included: what the branches of each row (or column) of the grid need and
 * compute.
 */
export type AxisParts = ReadonlyMap<MapId, readonly AxisPart[]>;

/** One map in one branch. */
export interface BranchPart {
  /** All pixels of the map that the branch reads: the hull of what its layers need. */
  readonly need: Region;
  /**
   * The pixels that it computes. The pixels above and to the left of them inside `need` were computed by earlier
   * branches and kept.
   */
  readonly fresh: Region;
}

/** A branch of the patch stage: what it takes to compute one patch of the split map. */
export interface StageBranch {
  /** row · cols of the grid + col. */
  readonly index: number;
  readonly row: number;
  readonly col: number;
  /** The patch of the split map. */
  readonly patch: Region;
  readonly parts: ReadonlyMap<MapId, BranchPart>;
}

/**
 * Cuts `extent` elements into `count` patches whose sizes differ by at most one. The larger ones go to the borders,
 * where the halo is on one side only: first, last, second, second last…
 */
export function patchSpans(extent: number, count: number): Span[] {
  const sizes = new Array<number>(count).fill(Math.floor(extent / count));
  for (let extra = 0; extra < extent % count; extra++)
    sizes[extra % 2 === 0 ? extra / 2 : count - 1 - (extra - 1) / 2]++;
  const spans: Span[] = [];
  let begin = 0;
  for (const size of sizes) {
    spans.push({ begin, end: begin + size });
    begin += size;
  }
  return spans;
}

/**
 * The regions of all maps of a stage on one axis, from the split map backwards. A map of `keep` is computed only where
 * the patch before has not computed it, and layers that only serve what is already there drop out: their spans are
 * empty. Null when the patches do not suit the stage: a patch needs nothing but padding of some map, or something that
 * was kept earlier than by the patch before.
 */
export function axisParts(
  graph: Graph,
  stage: Stage,
  axis: Axis,
  patches: readonly Span[],
  keep: ReadonlySet<MapId>,
): AxisParts | null {
  const needs = new Map<MapId, (Span | null)[]>([[stage.splitMap, [...patches]]]);
  const parts = new Map<MapId, readonly AxisPart[]>();
  for (let at = stage.layers.length - 1; at >= 0; at--) {
    // All consumers of a map come after its producer, so the needs of a layer's output are complete here.
    const layer = graph.layers[stage.layers[at]];
    const out = settle(needs.get(layer.output)!, keep.has(layer.output));
    if (!out) return null;
    parts.set(layer.output, out);
    for (const [input, map] of layer.inputs.entries()) {
      const spans = needs.get(map) ?? new Array<Span | null>(patches.length).fill(null);
      needs.set(map, spans);
      for (const [i, { fresh }] of out.entries()) {
        if (isEmptySpan(fresh)) continue;
        const span = axisNeed(graph, layer, input, axis, fresh);
        if (isEmptySpan(span)) return null;
        const other = spans[i] ?? span;
        spans[i] = { begin: Math.min(other.begin, span.begin), end: Math.max(other.end, span.end) };
      }
    }
  }
  for (const map of stage.inputs) {
    // Only inputs that come in tiles can be kept.
    const read = settle(needs.get(map)!, keep.has(map));
    if (!read) return null;
    parts.set(map, read);
  }
  return parts;
}

function settle(needs: readonly (Span | null)[], kept: boolean): AxisPart[] | null {
  const parts: AxisPart[] = [];
  let done = 0;
  for (const span of needs) {
    const need = span ?? { begin: done, end: done };
    const begin = kept ? Math.min(Math.max(need.begin, done), need.end) : need.begin;
    if (begin > need.begin) {
      const before = parts[parts.length - 1].need;
      if (before.begin > need.begin || before.end < begin) return null;
    }
    done = Math.max(done, need.end);
    parts.push({ need, fresh: { begin, end: need.end } });
  }
  return parts;
}

function isEmptySpan(span: Span): boolean {
  return span.begin >= span.end;
}

/** Maps whose halo is kept from one branch to the next of its row. */
export function keptInRows(keep: ReadonlySet<MapId>, keepColumns: ReadonlySet<MapId>): ReadonlySet<MapId> {
  return keepColumns.size === 0 ? keep : new Set([...keep, ...keepColumns]);
}

/** Maps that are never kept: recomputing nothing. */
export const keepNothing: ReadonlySet<MapId> = new Set<MapId>();

/**
 * The branches of a stage in the order in which they run, row by row. Null when the grid does not suit the stage: more
 * patches than pixels, or a branch that would need nothing but padding of some map.
 *
 * @param keep maps whose halo is kept between branches
 * @param keepColumns those of which it is kept from one branch to the next of its row only
 */
export function stageBranches(
  graph: Graph,
  stage: Stage,
  grid: Grid,
  keep: ReadonlySet<MapId> = keepNothing,
  keepColumns: ReadonlySet<MapId> = keepNothing,
): StageBranch[] | null {
  const { h, w } = graph.maps[stage.splitMap].shape;
  if (grid.rows < 1 || grid.cols < 1 || grid.rows > h || grid.cols > w) return null;
  const rows = axisParts(graph, stage, 'h', patchSpans(h, grid.rows), keep);
  const cols = axisParts(graph, stage, 'w', patchSpans(w, grid.cols), keptInRows(keep, keepColumns));
  if (!rows || !cols) return null;
  const branches: StageBranch[] = [];
  for (let row = 0; row < grid.rows; row++) {
    for (let col = 0; col < grid.cols; col++) {
      const parts = new Map<MapId, BranchPart>();
      for (const [map, vertical] of rows) {
        const v = vertical[row];
        const c = cols.get(map)![col];
        parts.set(map, { need: regionOf(v.need, c.need), fresh: regionOf(v.fresh, c.fresh) });
      }
      branches.push({ index: branches.length, row, col, patch: parts.get(stage.splitMap)!.need, parts });
    }
  }
  return branches;
}

function regionOf(rows: Span, cols: Span): Region {
  return { y0: rows.begin, x0: cols.begin, y1: rows.end, x1: cols.end };
}
