import type { Graph, MapId } from '../graph/types';
import type { PatchClass } from '../plan/types';
import { layoutArena, type ArenaLayout, type ArenaOptions } from '../program/arena';
import { arenaLowerBound } from '../program/arena/lowerBound';
import type { Grid } from './branches';
import { buildSchedule, buildStageSchedule, type BitsOf, type RuntimeClasses, type Schedule, type ScheduledStage, type ScheduleOptions } from './schedule';
import { scheduleArena } from './scheduleArena';
import type { Stage } from './stages';
import { StageShapes } from './stageShapes';

/** What memory depends on besides stage and grid. */
export interface MemoryModel {
  readonly bits: BitsOf;
  readonly schedule?: ScheduleOptions;
  /** Alignment of buffers. */
  readonly align: number;
  /** Graph inputs live outside of the arena. */
  readonly externalInputs: boolean;
  /** Class of all branches, `either` when it is not known yet which are which (the larger counts), or decided at run time. */
  readonly classes: PatchClass | 'either' | RuntimeClasses;
}

/** A choice of how to run a graph. */
export interface PatchChoice {
  readonly stage: Stage;
  readonly grid: Grid;
  readonly keep: ReadonlySet<MapId>;
}

/** Estimates of arenas that need no complete schedule and no layout; they are lower bounds of what a layout takes, and nearly always exact. */
export class MemoryEstimator {
  private readonly tails = new Map<MapId, number>();

  constructor(
    private readonly graph: Graph,
    private readonly model: MemoryModel,
  ) {}

  /** Arena of the graph without patches. */
  layerByLayer(): number {
    return this.bound(buildSchedule(this.graph, null, this.model.bits, this.model.schedule));
  }

  /** What the tail after a stage needs, the split map included. */
  tail(stage: Stage): number {
    let bytes = this.tails.get(stage.splitMap);
    if (bytes === undefined) {
      const whole: PatchChoice = { stage, grid: { rows: 1, cols: 1 }, keep: new Set() };
      const schedule = buildSchedule(this.graph, scheduled(whole, 'regular'), this.model.bits, this.model.schedule);
      const begin = schedule.steps.findIndex((step) => step.branch === null);
      bytes = begin < 0 ? 0 : this.bound(schedule, begin);
      this.tails.set(stage.splitMap, bytes);
    }
    return bytes;
  }

  /** What the stage needs while it runs. */
  stage(shapes: StageShapes, grid: Grid): number {
    const choice: PatchChoice = { stage: shapes.stage, grid, keep: shapes.keep };
    const branches = shapes.representatives(grid);
    return classesOf(this.model).reduce((most, classes) => {
      const schedule = buildStageSchedule(this.graph, scheduled(choice, classes), this.model.bits, this.model.schedule ?? {}, branches);
      return Math.max(most, this.bound(schedule));
    }, 0);
  }

  /** A bound that costs next to nothing: the largest map in a branch, beside the input or the split map. */
  stageFloor(shapes: StageShapes, grid: Grid): number {
    const { graph, model } = this;
    const bytes = (map: MapId, pixels: number, scope: PatchClass | null) => pixels * Math.ceil((graph.maps[map].shape.c * model.bits.stored(map, scope)) / 8);
    const whole = (map: MapId) => bytes(map, graph.maps[map].shape.h * graph.maps[map].shape.w, null);
    const { splitMap, maps, inputs } = shapes.stage;
    const input = model.externalInputs ? 0 : inputs.reduce((sum, map) => sum + whole(map), 0);
    const split = whole(splitMap);
    let most = 0;
    for (const map of maps) if (map !== splitMap) most = Math.max(most, bytes(map, shapes.mostPixels(map, grid), 'regular'));
    return Math.max(split, most + (grid.rows * grid.cols > 1 ? Math.min(input, split) : 0));
  }

  /** The exact layout of a choice (null: layer by layer), as lowering will make it; of several classes the one that needs most. */
  layout(choice: PatchChoice | null, options?: ArenaOptions): { readonly schedule: Schedule; readonly layout: ArenaLayout } {
    const { graph, model } = this;
    const results = (choice ? classesOf(model).map((classes) => scheduled(choice, classes)) : [null]).map((stage) => {
      const schedule = buildSchedule(graph, stage, model.bits, model.schedule);
      const { requests, overlaps } = scheduleArena(graph, schedule, model.align, model.externalInputs);
      return { schedule, layout: layoutArena(requests, overlaps, options) };
    });
    return results.reduce((a, b) => (b.layout.bytes > a.layout.bytes ? b : a));
  }

  private bound(schedule: Schedule, begin = -1): number {
    const { requests, overlaps } = scheduleArena(this.graph, schedule, this.model.align, this.model.externalInputs);
    if (begin < 0) return arenaLowerBound(requests, overlaps);
    // Only what is alive from `begin` on; requests that died before become empty.
    const later = requests.map((r) => (r.last < begin ? { ...r, bytes: 0 } : { ...r, first: Math.max(r.first, begin) }));
    return arenaLowerBound(later, overlaps.filter((o) => requests[o.output].first >= begin));
  }
}

type Classes = PatchClass | RuntimeClasses;

function classesOf(model: MemoryModel): Classes[] {
  return model.classes === 'either' ? ['outlier', 'regular'] : [model.classes];
}

function scheduled({ stage, grid, keep }: PatchChoice, classes: Classes): ScheduledStage {
  return { stage, grid, keep, classes: typeof classes === 'string' ? new Array<PatchClass>(grid.rows * grid.cols).fill(classes) : classes };
}
