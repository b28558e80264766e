import type { Graph, MapId } from '../graph/types';
import { keepNothing, type Grid } from '../schedule/branches';
import type { PlannerOptions } from './types';
import { StageCalls } from './stageCalls';
import { StageShapes } from './stageShapes';
import { candidateStages, tiledInputs, type Stage } from '../schedule/stages';

/** A patch stage in patches: one of the ways to begin. */
export interface Choice {
  readonly shapes: StageShapes;
  readonly grid: Grid;
  /** Estimated instructions beyond those of the stage computed at once. */
  readonly extra: number;
  /** A cheap lower bound of what it needs; 0 until requested. */
  floor: number;
  /** Whether it is that of all branches. */
  isFloorOfAll: boolean;
  /** A closer one, nearly always exact; null until requested. */
  bytes: number | null;
}

/**
 * Maps of all stages that are looked at, times their halo strategies. MobileNetV2 has about 10 000; what lies beyond
 * are chains of many hundred layers, whose deepest stages (they come last) are left out, since the time would grow with
 * the square of the depth.
 */
const MOST_WORK = 12_000;
/** As {@link MOST_WORK}, for a first answer. It may not be the least possible; a test measures how close it is. */
const MOST_WORK_AT_FIRST = 3_000;

const defaultGrid: Grid = { rows: 8, cols: 8 };

/** The grids to try, without 1×1. */
export function gridsOf({ grid, largestGrid: { rows, cols } = defaultGrid }: PlannerOptions): readonly Grid[] {
  if (grid) return [grid];
  const all: Grid[] = [];
  for (let r = 1; r <= rows; r++) for (let c = 1; c <= cols; c++) if (r * c > 1) all.push({ rows: r, cols: c });
  return all;
}

/** Regions do not depend on bits: successive searches on a graph share them. */
const shapesOfGraphs = new WeakMap<Graph, Map<string, StageShapes>>();

export function shapesOf(graph: Graph, stage: Stage, keep: ReadonlySet<MapId>, inputTiles = false): StageShapes {
  let known = shapesOfGraphs.get(graph);
  if (!known) shapesOfGraphs.set(graph, (known = new Map<string, StageShapes>()));
  const tiles = inputTiles ? tiledInputs(graph, stage) : [];
  const key = `${stage.inputs.join()} ${stage.splitMap}: ${[...keep].join()} ${tiles.join()}`;
  let shapes = known.get(key);
  if (!shapes) known.set(key, (shapes = new StageShapes(graph, stage, keep, tiles)));
  return shapes;
}

/**
 * All patch stages with their grids and kept maps, those with the least work (or the fewest patches) first; of equals
 * the smaller grids (or less work).
 */
export function choicesOf(graph: Graph, options: PlannerOptions): Choice[] {
  const all: Choice[] = [];
  const grids = gridsOf(options);
  const calls = new StageCalls(graph, options.memory);
  const inputTiles = options.memory.schedule?.inputTiles;
  let work = 0;
  for (const stage of candidateStages(graph)) {
    if (options.splitMap !== undefined && stage.splitMap !== options.splitMap) continue;
    // Where classes are decided at run time, what is kept must have the same bits in both; otherwise it has those of
    // the regular class.
    const { bits, classes } = options.memory;
    const sets = keepSets(
      graph,
      stage,
      options,
      (map) => classes === 'regular' || bits.stored(map, 'regular') === bits.stored(map, 'outlier'),
    );
    work += stage.maps.length * sets.length;
    if (work > (options.isFirstAnswer ? MOST_WORK_AT_FIRST : MOST_WORK) && all.length > 0) break;
    options.checkCancelled?.();
    const whole = shapesOf(graph, stage, keepNothing, inputTiles);
    // As a single patch it may need nothing but padding of some map: then no grid suits it.
    if (!whole.suits({ rows: 1, cols: 1 })) continue;
    const once = whole.instructions(calls)({ rows: 1, cols: 1 });
    for (const keep of sets) {
      const shapes = shapesOf(graph, stage, keep, inputTiles);
      const instructions = shapes.instructions(calls);
      for (const grid of grids)
        if (shapes.suits(grid) && !(options.isFirstAnswer && shapes.isSquare && grid.cols > grid.rows))
          all.push({ shapes, grid, extra: instructions(grid) - once, floor: 0, isFloorOfAll: false, bytes: null });
    }
  }
  const byWork = (a: Choice, b: Choice) => a.extra - b.extra;
  const byPatches = (a: Choice, b: Choice) => patches(a.grid) - patches(b.grid);
  return all.sort(
    options.least === 'patches' ? (a, b) => byPatches(a, b) || byWork(a, b) : (a, b) => byWork(a, b) || byPatches(a, b),
  );
}

export function patches({ rows, cols }: Grid): number {
  return rows * cols;
}

/**
 * The sets of kept maps that the strategies ask for, of those that are `isKeepable`: all branches share what is kept.
 */
export function keepSets(
  graph: Graph,
  stage: Stage,
  { strategies = ['recompute'], memory }: PlannerOptions,
  isKeepable: (map: MapId) => boolean,
): ReadonlySet<MapId>[] {
  // Classes that are decided at run time allow no kept halos at all.
  const tiles =
    memory.schedule?.inputTiles && typeof memory.classes === 'string' && memory.classes !== 'either'
      ? tiledInputs(graph, stage)
      : [];
  const keepable = [...tiles, ...stage.maps.filter((map) => map !== stage.splitMap && isKeepable(map))];
  const channels = (map: MapId) => graph.maps[map].shape.c;
  const widths = [...new Set(keepable.map(channels))].sort((a, b) => a - b);
  const sets: ReadonlySet<MapId>[] = strategies.includes('recompute') ? [keepNothing] : [];
  if (strategies.includes('hybrid'))
    for (const width of widths.slice(0, -1)) sets.push(new Set(keepable.filter((map) => channels(map) <= width)));
  if ((strategies.includes('keep') || strategies.includes('hybrid')) && keepable.length > 0)
    sets.push(new Set(keepable));
  return sets;
}
