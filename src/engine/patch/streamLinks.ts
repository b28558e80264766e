import { copyInstructions } from '../cost/latency';
import type { Graph, MapId } from '../graph/types';
import { keepNothing, patchSpans, type Grid } from '../schedule/branches';
import type { Span } from '../schedule/receptiveField';
import { candidateStages, stageUpTo, tiledInputs, type Stage } from '../schedule/stages';
import { isStreamable } from '../schedule/streams';
import { BranchNeeds } from './branchNeeds';
import type { MemoryEstimator, MemoryModel } from './estimate';
import { StageCalls } from './stageCalls';
import { StageShapes } from './stageShapes';

/** One stage of a stream in patches, and what it needs of the arena, without the maps that it reads and writes. */
export interface StreamLink {
  readonly shapes: StageShapes;
  readonly grid: Grid;
  /** Estimated instructions beyond those of the stage computed at once. */
  readonly extra: number;
  /** A lower bound of its bytes while its patches run. */
  readonly busy: number;
  /** Bytes between its rows of patches, while other stages run. */
  readonly between: number;
  /** The streamed map that it reads; null for the first stage. */
  readonly reads: StreamedRows | null;
}

/** Which rows of a streamed map a stage reads, one row of patches after the other. */
export interface StreamedRows {
  readonly rowBytes: number;
  readonly height: number;
  readonly spans: readonly Span[];
  /** The most bytes that are kept from one row of patches for the next, if no more is written than is read. */
  readonly kept: number;
  /** The most bytes that are there at once, if no more is written than is read. */
  readonly least: number;
}

/** The most bytes of a streamed map that are there at once if it is written in `rows` rows of patches. */
export function bandBytes({ rowBytes, height, spans }: StreamedRows, rows: number): number {
  const strips = patchSpans(height, rows);
  let most = 0;
  let written = 0;
  let strip = 0;
  for (const { begin, end } of spans) {
    const before = written;
    while (written < end) written = strips[strip++].end;
    most = Math.max(most, written - Math.min(begin, before));
  }
  return most * rowBytes;
}

/** Rows (and columns) of the split map in one patch that are tried. */
const PATCH_ROWS = [1, 2, 4];
const PATCH_COLS = [1, 2, 3, 4, 6, 9, 12];
/** Patches of one stage: each is code in flash, and takes time to lay out. */
const MOST_PATCHES = 1024;
/** Layers of a stage. */
const LONGEST = 24;

/** The stages that streams of a graph can consist of, and the ways to run them. */
export class StreamLinks {
  /** Stages from the graph's inputs that end where the graph is narrow: a stream is cut there. */
  readonly cuts: readonly Stage[];
  private readonly links = new Map<string, readonly StreamLink[]>();
  private readonly known = new Map<StageShapes, Map<string, number>>();
  private readonly calls: StageCalls;

  constructor(
    private readonly graph: Graph,
    private readonly memory: MemoryModel,
    private readonly estimator: MemoryEstimator,
    private readonly checkCancelled: () => void,
  ) {
    this.calls = new StageCalls(graph, memory);
    const prefixes = candidateStages(graph).filter(({ layers }) => layers[layers.length - 1] === layers.length - 1);
    const bytes = prefixes.map(({ splitMap }) => estimator.wholeBytes([splitMap]));
    this.cuts = prefixes.filter((_, i) => !(bytes[i - 1] < bytes[i]) && !(bytes[i + 1] < bytes[i]));
  }

  /**
   * The ways to run the layers between two cuts (from the graph's inputs on, without one), the fewest instructions
   * first; without those that others are better than in everything.
   */
  between(from: Stage | null, to: Stage): readonly StreamLink[] {
    const key = `${from?.splitMap} ${to.splitMap}`;
    let links = this.links.get(key);
    if (!links) this.links.set(key, (links = this.find(from, to)));
    return links;
  }

  /** Bytes of a link while its patches run, by their schedules. */
  busyBytes({ shapes, grid, reads }: StreamLink): number {
    const key = `${grid.rows}×${grid.cols}`;
    let known = this.known.get(shapes);
    if (!known) this.known.set(shapes, (known = new Map<string, number>()));
    let bytes = known.get(key);
    if (bytes === undefined) {
      const { estimator } = this;
      const all = reads ? estimator.tailStage(shapes, grid) : estimator.stage(shapes, grid);
      // The maps that it reads and writes are there all along.
      bytes = all - estimator.wholeBytes([...shapes.stage.inputs, shapes.stage.splitMap]);
      known.set(key, bytes);
    }
    return bytes;
  }

  private find(from: Stage | null, to: Stage): readonly StreamLink[] {
    const { graph } = this;
    if (to.layers.length - (from?.layers.length ?? 0) > LONGEST) return [];
    const stage = from ? stageUpTo(graph, to.splitMap, new Set([from.splitMap])) : to;
    if (!stage || (from && !isStreamable(graph, from.splitMap, { stage }))) return [];
    const tiles = this.memory.schedule?.inputTiles ? tiledInputs(graph, stage) : [];
    const whole = new StageShapes(graph, stage, keepNothing, tiles);
    if (!whole.suits({ rows: 1, cols: 1 })) return [];
    const once = whole.instructions(this.calls)({ rows: 1, cols: 1 });
    const all: StreamLink[] = [];
    const { h, w } = graph.maps[stage.splitMap].shape;
    for (const { keep, keepColumns } of haloChoices(graph, stage, tiles)) {
      this.checkCancelled();
      const shapes = new StageShapes(graph, stage, keep, tiles, keepColumns);
      const needs = this.needsOf(shapes);
      const instructions = shapes.instructions(this.calls);
      for (const rows of countsOf(h, PATCH_ROWS))
        for (const cols of countsOf(w, PATCH_COLS)) {
          const grid = { rows, cols };
          if (rows * cols > MOST_PATCHES || !shapes.suits(grid)) continue;
          const reads = from && this.rowsOf(shapes, grid, from);
          all.push({
            shapes,
            grid,
            extra: instructions(grid) - once + (reads ? this.copying(reads, grid) : 0),
            busy: needs.ofNine(grid),
            between: needs.betweenRows(grid),
            reads,
          });
        }
    }
    return undominated(all);
  }

  private needsOf(shapes: StageShapes): BranchNeeds {
    const { graph, memory } = this;
    const none = shapes.stage.inputs.map(() => 0);
    return new BranchNeeds(
      graph,
      shapes,
      memory.bits,
      none,
      none.map(() => false),
      0,
      memory.schedule?.concatInPlace ?? (() => false),
    );
  }

  private rowsOf(shapes: StageShapes, { rows }: Grid, { splitMap }: Stage): StreamedRows {
    const { h: height } = this.graph.maps[splitMap].shape;
    const rowBytes = this.estimator.wholeBytes([splitMap]) / height;
    const parts = shapes.axis('h', rows)!.inputs[shapes.stage.inputs.indexOf(splitMap)];
    const spans = parts.map(({ need }) => need).filter(({ begin, end }) => end > begin);
    const kept = spans.reduce((most, { begin }, i) => Math.max(most, i === 0 ? 0 : spans[i - 1].end - begin), 0);
    const reads = { rowBytes, height, spans, kept: kept * rowBytes };
    return { ...reads, least: bandBytes({ ...reads, least: 0 }, height) };
  }

  /** Instructions of keeping rows of a streamed map for the next row of patches. */
  private copying({ kept }: StreamedRows, { rows }: Grid): number {
    return copyInstructions(this.calls.costs, 2 * kept * rows, 2 * rows, 2 * rows);
  }
}

/**
 * Ways to treat the halos of a stage: maps up to some width keep theirs on both axes; of the others none does, or all
 * do within rows. @param tiles inputs that may keep theirs as well
 */
export function haloChoices(
  graph: Graph,
  { maps, splitMap }: Stage,
  tiles: readonly MapId[] = [],
): { readonly keep: ReadonlySet<MapId>; readonly keepColumns: ReadonlySet<MapId> }[] {
  const inner = maps.filter((map) => map !== splitMap);
  const channels = (map: MapId): number => graph.maps[map].shape.c;
  const widths = [...new Set(inner.map(channels))].sort((a, b) => a - b);
  return [0, ...widths].flatMap((width) => {
    const narrow = inner.filter((map) => channels(map) <= width);
    const wide = inner.filter((map) => channels(map) > width);
    return (tiles.length > 0 ? [tiles, []] : [[]]).flatMap((kept) =>
      (wide.length > 0 ? [[], wide] : [[]]).map((columns) => ({
        keep: new Set([...kept, ...narrow]),
        keepColumns: new Set(columns),
      })),
    );
  });
}

/** How many patches an extent is cut into so that each has some size. */
function countsOf(extent: number, sizes: readonly number[]): readonly number[] {
  return [...new Set([...sizes.map((size) => Math.ceil(extent / size)), 1])];
}

function undominated(links: StreamLink[]): StreamLink[] {
  const best: StreamLink[] = [];
  for (const link of links.sort((a, b) => a.extra - b.extra || a.busy - b.busy))
    if (!best.some((b) => isBetter(b, link))) best.push(link);
  return best;
}

/** Whether a link needs no more than another whatever the others of its stream are. */
function isBetter(a: StreamLink, b: StreamLink): boolean {
  const read = ({ reads }: StreamLink): number => reads?.least ?? 0;
  const kept = ({ reads }: StreamLink): number => reads?.kept ?? 0;
  return (
    a.busy + read(a) <= b.busy + read(b) &&
    a.between + read(a) <= b.between + read(b) &&
    a.between + kept(a) <= b.between + kept(b) &&
    // Coarser rows of patches write more of what the next stage reads than it needs.
    a.grid.rows >= b.grid.rows
  );
}
