import { graphMacs } from '../graph/macs';
import type { Graph, MapId } from '../graph/types';
import { keepNothing, type Grid } from './branches';
import { MemoryEstimator, type MemoryModel, type PatchChoice } from './estimate';
import { explainNoFit, type NoFit } from './noFit';
import { candidateStages, type Stage } from './stages';
import { StageShapes } from './stageShapes';

/**
 * How halos are treated. `recompute`: every branch computes all it needs. `keep`: all halos are kept, nothing is computed twice. `hybrid`: those of the
 * narrow maps are kept and wide ones recomputed, for every width that divides them.
 */
export type HaloStrategy = 'recompute' | 'keep' | 'hybrid';

export interface PlannerOptions {
  readonly memory: MemoryModel;
  /** What the arena may take. */
  readonly sramBytes: number;
  /** Largest grid; default 8×8. */
  readonly largestGrid?: Grid;
  /** Only this grid. */
  readonly grid?: Grid;
  /** Only the stage that ends with this map. */
  readonly splitMap?: MapId;
  /** Default: recompute only. */
  readonly strategies?: readonly HaloStrategy[];
  /** What a plan should have as little of as fits: work (default), or patches, and of those with as few patches work. */
  readonly least?: 'work' | 'patches';
  /**
   * Only the best plan: stop at the first that fits, and look at nothing that cannot fit. The Pareto set is left incomplete; when nothing fits, the closest
   * plan is one with the finest grid, and no remedies are sought.
   */
  readonly firstFit?: boolean;
}

/** A way to run the graph and what it costs. */
export interface PatchCandidate {
  /** Null: layer by layer. */
  readonly choice: PatchChoice | null;
  /** The larger of the two; what the arena needs. A lower bound that the layout nearly always reaches; exact in {@link PatchPlanning.best}. */
  readonly arenaBytes: number;
  readonly stageBytes: number;
  readonly tailBytes: number;
  /** Multiply-accumulates of one inference, recomputed halos included. */
  readonly macs: number;
  /** Those of them that are computed more than once. */
  readonly redundantMacs: number;
  /** Estimated instructions beyond those of running layer by layer: recomputed halos, copies of kept ones, calls. */
  readonly extraInstructions: number;
}

export interface PatchPlanning {
  /** The least work that fits, with the arena really laid out; null when nothing fits. */
  readonly best: PatchCandidate | null;
  /** From the most SRAM and the least work to the least SRAM: every further one needs less SRAM and more work. */
  readonly pareto: readonly PatchCandidate[];
  /** Why nothing fits. */
  readonly noFit: NoFit | null;
}

/**
 * The cheapest way to run a graph in `sramBytes`: enumerates split maps × grids × halo strategies, in order of estimated instructions, and looks at the memory of those
 * that can still improve on the cheaper ones.
 */
export function planPatches(graph: Graph, options: PlannerOptions): PatchPlanning {
  const estimator = new MemoryEstimator(graph, options.memory);
  const baseMacs = graphMacs(graph);
  const pareto: PatchCandidate[] = [];
  let best: PatchCandidate | null = null;
  let least = options.firstFit ? options.sramBytes + 1 : Infinity;
  let closest: PatchCandidate | null = null;
  const consider = (candidate: PatchCandidate): void => {
    if (!closest || candidate.arenaBytes < closest.arenaBytes) closest = candidate;
    if (candidate.arenaBytes >= least) return;
    least = candidate.arenaBytes;
    pareto.push(candidate);
    if (best || candidate.arenaBytes > options.sramBytes) return;
    let { bytes } = estimator.layout(candidate.choice, { effort: 'quick' }).layout;
    if (bytes > options.sramBytes) ({ bytes } = estimator.layout(candidate.choice).layout);
    if (bytes <= options.sramBytes) best = { ...candidate, arenaBytes: bytes };
  };
  if (!options.grid && options.splitMap === undefined) {
    const bytes = estimator.layerByLayer();
    consider({ choice: null, arenaBytes: bytes, stageBytes: 0, tailBytes: bytes, macs: baseMacs, redundantMacs: 0, extraInstructions: 0 });
  }
  if (best && options.firstFit) return { best, pareto, noFit: null };
  const looked = new Map<StageShapes, { readonly grid: Grid; readonly bytes: number }[]>();
  for (const { shapes, grid, macs, extra, extraOf } of enumerate(graph, options)) {
    if (best && options.firstFit) break;
    const tailBytes = estimator.tail(shapes.stage);
    let known = looked.get(shapes);
    if (!known) {
      looked.set(shapes, (known = []));
      // What the finest grid needs, all need.
      const finest = finestGrid(shapes, options);
      const floor = Math.max(tailBytes, estimator.stageFloor(shapes, finest));
      if (floor < least || !closest || floor < (closest).arenaBytes) {
        const bytes = estimator.stage(shapes, finest);
        known.push({ grid: finest, bytes });
        const more = { redundantMacs: shapes.macs(finest) - macs, extraInstructions: extraOf(finest) };
        const arenaBytes = Math.max(bytes, tailBytes);
        const choice: PatchChoice = { stage: shapes.stage, grid: finest, keep: shapes.keep };
        if (!closest || arenaBytes < (closest).arenaBytes) closest = { choice, arenaBytes, stageBytes: bytes, tailBytes, macs: baseMacs + more.redundantMacs, ...more };
      }
    }
    if (Math.max(tailBytes, estimator.stageFloor(shapes, grid)) >= least) continue;
    if (known.some((k) => k.bytes >= least && k.grid.rows >= grid.rows && k.grid.cols >= grid.cols)) continue;
    const stageBytes = estimator.stage(shapes, grid);
    known.push({ grid, bytes: stageBytes });
    const choice: PatchChoice = { stage: shapes.stage, grid, keep: shapes.keep };
    const redundantMacs = shapes.macs(grid) - macs;
    consider({ choice, arenaBytes: Math.max(stageBytes, tailBytes), stageBytes, tailBytes, macs: baseMacs + redundantMacs, redundantMacs, extraInstructions: extra });
  }
  return { best, pareto, noFit: best || !closest ? null : explainNoFit(graph, options, closest) };
}

/**
 * Maps of all stages that are looked at, times their halo strategies. MobileNetV2 has about 10 000; what lies beyond are chains of many hundred layers, whose
 * deepest stages (they come last) are left out, since the time would grow with the square of the depth.
 */
const MOST_WORK = 12_000;

/** Regions do not depend on bits: searches that follow one another on a graph share them. */
const shapesOfGraphs = new WeakMap<Graph, Map<string, StageShapes>>();

function shapesOf(graph: Graph, stage: Stage, keep: ReadonlySet<MapId>): StageShapes {
  let known = shapesOfGraphs.get(graph);
  if (!known) shapesOfGraphs.set(graph, (known = new Map<string, StageShapes>()));
  const key = `${stage.splitMap}: ${[...keep].join()}`;
  let shapes = known.get(key);
  if (!shapes) known.set(key, (shapes = new StageShapes(graph, stage, keep)));
  return shapes;
}

interface Enumerated {
  readonly shapes: StageShapes;
  readonly grid: Grid;
  /** MACs of the stage computed at once. */
  readonly macs: number;
  /** Estimated instructions beyond those of the stage computed at once. */
  readonly extra: number;
  /** The same of another grid. */
  readonly extraOf: (grid: Grid) => number;
}

/** All choices, those with the least work (or the fewest patches) first; of equals the smaller grids (or less work). */
function enumerate(graph: Graph, options: PlannerOptions): Enumerated[] {
  const all: Enumerated[] = [];
  const one: Grid = { rows: 1, cols: 1 };
  let work = 0;
  for (const stage of candidateStages(graph)) {
    if (options.splitMap !== undefined && stage.splitMap !== options.splitMap) continue;
    const whole = shapesOf(graph, stage, keepNothing);
    const macs = whole.macs(one);
    const instructions = whole.instructions(options.memory.bits)(one);
    const sets = keepSets(graph, stage, options);
    work += stage.maps.length * sets.length;
    if (work > MOST_WORK && all.length > 0) break;
    for (const keep of sets) {
      const shapes = shapesOf(graph, stage, keep);
      const work = shapes.instructions(options.memory.bits);
      for (const grid of options.grid ? [options.grid] : grids(options.largestGrid ?? defaultGrid)) {
        if (!shapes.suits(grid)) continue;
        all.push({ shapes, grid, macs, extra: work(grid) - instructions, extraOf: (other) => work(other) - instructions });
      }
    }
  }
  const byWork = (a: Enumerated, b: Enumerated) => a.extra - b.extra;
  const byPatches = (a: Enumerated, b: Enumerated) => a.grid.rows * a.grid.cols - b.grid.rows * b.grid.cols;
  return all.sort(options.least === 'patches' ? (a, b) => byPatches(a, b) || byWork(a, b) : (a, b) => byWork(a, b) || byPatches(a, b));
}

/** The largest grid that suits a stage, rows before columns. */
function finestGrid(shapes: StageShapes, { grid, largestGrid = defaultGrid }: PlannerOptions): Grid {
  if (grid) return grid;
  const suiting = grids(largestGrid).filter((g) => shapes.suits(g));
  return suiting.reduce((a, b) => (b.rows >= a.rows && b.cols >= a.cols ? b : a));
}

const defaultGrid: Grid = { rows: 8, cols: 8 };

function grids({ rows, cols }: Grid): Grid[] {
  const all: Grid[] = [];
  for (let r = 1; r <= rows; r++) for (let c = 1; c <= cols; c++) if (r * c > 1) all.push({ rows: r, cols: c });
  return all;
}

/** The sets of kept maps that the strategies ask for. A kept map is shared by branches of both classes, so it must have the same bits in both. */
function keepSets(graph: Graph, stage: Stage, { strategies = ['recompute'], memory }: PlannerOptions): ReadonlySet<MapId>[] {
  const keepable = stage.maps.filter((map) => map !== stage.splitMap && memory.bits.stored(map, 'regular') === memory.bits.stored(map, 'outlier'));
  const channels = (map: MapId) => graph.maps[map].shape.c;
  const widths = [...new Set(keepable.map(channels))].sort((a, b) => a - b);
  const sets: ReadonlySet<MapId>[] = strategies.includes('recompute') ? [keepNothing] : [];
  if (strategies.includes('hybrid')) for (const width of widths.slice(0, -1)) sets.push(new Set(keepable.filter((map) => channels(map) <= width)));
  if ((strategies.includes('keep') || strategies.includes('hybrid')) && keepable.length > 0) sets.push(new Set(keepable));
  return sets;
}
