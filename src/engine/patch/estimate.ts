import type { Graph, LayerId, MapId } from '../graph/types';
import { isOutside, type InputPlace, type PatchClass } from '../graph/bits';
import type { Core } from '../targets/types';
import { layoutArena, type ArenaLayout, type ArenaOptions } from '../arena/layoutArena';
import { arenaLowerBound, chainNeeds, stepNeeds } from '../arena/lowerBound';
import { BranchNeeds } from './branchNeeds';
import type { Grid } from '../schedule/branches';
import type { Choice } from './choices';
import {
  buildSchedule,
  buildStageSchedule,
  type BitsOf,
  type RuntimeClasses,
  type Schedule,
  type ScheduledStage,
  type ScheduleOptions,
  type StagePatches,
  type ScheduledTailStage,
} from '../schedule/schedule';
import { scheduleArena } from '../schedule/scheduleArena';
import { scheduleRules, type RuleDecisions } from '../schedule/scheduleRules';
import type { Stage } from '../schedule/stages';
import type { StageShapes } from './stageShapes';

/** Branches that an estimate considers besides the first and the last. */
const DECISIVE = 3;
/** If halos are kept and there are no more branches than this, it considers all of them. */
const FEW = 25;

/** What memory depends on besides stage and grid. */
export interface MemoryModel {
  readonly bits: BitsOf;
  readonly schedule?: ScheduleOptions;
  /** Alignment of buffers. Default: {@link ARENA_ALIGN}. */
  readonly align?: number;
  /** Graph inputs live outside of the arena. */
  readonly externalInputs: boolean;
  /**
   * Class of all branches, `either` while classes are not known (the larger counts), or decided at run time.
   */
  readonly classes: PatchClass | 'either' | RuntimeClasses;
  /** The core whose instructions are estimated. Default: Cortex-M4. */
  readonly core?: Core;
}

/**
 * The memory of a graph at these decisions.
 *
 * @param mixedAtRuntime classes are decided at run time, so that any patch may be of either class
 */
export function memoryModel(
  graph: Graph,
  decisions: RuleDecisions,
  { input, core }: { readonly input?: InputPlace; readonly core?: Core },
  mixedAtRuntime = false,
): MemoryModel {
  const { bits, options: schedule } = scheduleRules(graph, null, decisions, input);
  return {
    bits,
    schedule,
    externalInputs: isOutside(input),
    classes: mixedAtRuntime ? 'either' : 'regular',
    core,
  };
}

/** What layers need when the graph runs layer by layer. */
export interface LayerNeeds {
  /** By layer, what its own steps need; 0 for layers without a step. */
  readonly alone: readonly number[];
  /**
   * Layers, both inclusive, that need more when they follow one another, because outputs cannot overlap inputs all
   * along.
   */
  readonly chains: readonly { readonly first: LayerId; readonly last: LayerId; readonly bytes: number }[];
}

/** A choice of how to run a graph. */
export interface PatchChoice extends StagePatches {
  /** Stages of the tail that run patch by patch as well. Missing: none. */
  readonly tailStages?: readonly ScheduledTailStage[];
}

/**
 * Estimates of arenas that need no complete schedule and no layout; they are lower bounds of a layout's size, and
 * nearly always exact.
 */
export class MemoryEstimator {
  private readonly tails = new Map<MapId, number>();
  private readonly needs = new Map<StageShapes, BranchNeeds>();
  private whole: number | undefined;

  constructor(
    private readonly graph: Graph,
    private readonly model: MemoryModel,
  ) {}

  /** Arena of the graph without patches. */
  layerByLayer(): number {
    this.whole ??= this.bound(buildSchedule(this.graph, null, this.model.bits, this.model.schedule));
    return this.whole;
  }

  /** What layers need when the graph runs layer by layer. */
  layerNeeds(): LayerNeeds {
    const schedule = buildSchedule(this.graph, null, this.model.bits, this.model.schedule);
    const { requests, overlaps } = scheduleArena(this.graph, schedule, this.model);
    const alone = new Array<number>(this.graph.layers.length).fill(0);
    const changes = stepNeeds(requests, overlaps);
    let at = 0;
    let bytes = 0;
    schedule.steps.forEach(({ layer }, step) => {
      // Steps at which nothing begins or ends need the same as the step before.
      for (; at < changes.length && changes[at].step <= step; at++) ({ bytes } = changes[at]);
      alone[layer] = Math.max(alone[layer], bytes);
    });
    const layerAt = (step: number): LayerId => schedule.steps[step].layer;
    return {
      alone,
      chains: chainNeeds(requests, overlaps).map((c) => ({
        first: layerAt(c.first),
        last: layerAt(c.last),
        bytes: c.bytes,
      })),
    };
  }

  /** What whole maps take together; inputs outside of the arena take nothing. */
  wholeBytes(maps: readonly MapId[]): number {
    const { graph, model } = this;
    return maps.reduce((sum, id) => {
      const { shape, producer } = graph.maps[id];
      return producer === null && model.externalInputs
        ? sum
        : sum + shape.h * shape.w * Math.ceil((shape.c * model.bits.stored(id, null)) / 8);
    }, 0);
  }

  /** What a stage of the tail needs while it runs, apart from maps that it neither reads nor writes. */
  tailStage(shapes: StageShapes, grid: Grid): number {
    const { stage, keep, keepColumns } = shapes;
    const tailStages = [{ stage, grid, keep, keepColumns }];
    return this.bound(
      buildStageSchedule(
        this.graph,
        null,
        this.model.bits,
        { ...this.model.schedule, tailStages },
        this.decisiveBranches(shapes, grid),
      ),
    );
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

  /** What the stage needs while it runs: by the schedules of those of its branches that seem to need most. */
  stage(shapes: StageShapes, grid: Grid): number {
    const { stage, keep, keepColumns } = shapes;
    const choice: PatchChoice = { stage, grid, keep, keepColumns };
    const branches = this.decisiveBranches(shapes, grid);
    return classesOf(this.model).reduce((most, classes) => {
      const schedule = buildStageSchedule(
        this.graph,
        scheduled(choice, classes),
        this.model.bits,
        this.model.schedule ?? {},
        branches,
      );
      return Math.max(most, this.bound(schedule));
    }, 0);
  }

  /**
   * Whether a choice fits in `bytes` beside `others`: the cheap bounds (of one branch, of all), and if these are not
   * decisive, its schedules. Remembers in the choice what it found.
   */
  fits(choice: Choice, bytes: number, others: number, estimate: (shapes: StageShapes, grid: Grid) => number): boolean {
    const { shapes, grid } = choice;
    if (choice.bytes === null) {
      if (choice.floor === 0) choice.floor = this.needsOf(shapes).middle(grid);
      if (others + choice.floor > bytes) return false;
      if (!choice.isFloorOfAll) {
        choice.floor = Math.max(choice.floor, this.stageFloor(shapes, grid));
        choice.isFloorOfAll = true;
      }
      if (others + choice.floor > bytes) return false;
      choice.bytes = others + estimate(shapes, grid);
    }
    return choice.bytes <= bytes;
  }

  /** A bound that is nearly free (see {@link BranchNeeds}). */
  stageFloor(shapes: StageShapes, grid: Grid): number {
    return this.needsOf(shapes)
      .all(grid)
      .reduce((a, b) => Math.max(a, b), 0);
  }

  private decisiveBranches(shapes: StageShapes, grid: Grid): number[] {
    const needs = this.needsOf(shapes);
    const largest = (apart: boolean): number[] => {
      const bytes = needs.all(grid, apart);
      return [...bytes.keys()].sort((a, b) => bytes[b] - bytes[a]).slice(0, DECISIVE);
    };
    // Branches that only recompute differ only in size; with kept halos, what an overlap saves may decide.
    const count = grid.rows * grid.cols;
    if (shapes.kept.size > 0 && count <= FEW) return Array.from({ length: count }, (_, i) => i);
    const decisive = shapes.kept.size > 0 ? [...largest(false), ...largest(true)] : largest(false);
    return [...new Set([0, ...decisive, count - 1])].sort((a, b) => a - b);
  }

  private needsOf(shapes: StageShapes): BranchNeeds {
    let known = this.needs.get(shapes);
    if (!known) {
      const { graph, model } = this;
      const { stage } = shapes;
      const inside = new Set(stage.layers);
      const outputs = new Set(graph.outputs.map((o) => o.map));
      const isLate = (map: MapId) => outputs.has(map) || graph.maps[map].consumers.some((id) => !inside.has(id));
      known = new BranchNeeds(
        graph,
        shapes,
        model.bits,
        stage.inputs.map((map) => this.wholeBytes([map])),
        stage.inputs.map(isLate),
        this.wholeBytes([stage.splitMap]),
        model.schedule?.concatInPlace ?? (() => false),
      );
      this.needs.set(shapes, known);
    }
    return known;
  }

  /**
   * Lower bound of a choice's arena by its complete schedule: that of all its parts, and of what leads from one into
   * the next.
   */
  bytes(choice: PatchChoice | null, tailStages: readonly ScheduledTailStage[]): number {
    return this.schedules(choice, tailStages).reduce((most, schedule) => Math.max(most, this.bound(schedule)), 0);
  }

  /**
   * The complete schedule of a choice (null: without a patch stage); of several classes the one that seems to need
   * most.
   */
  schedule(choice: PatchChoice | null, tailStages: readonly ScheduledTailStage[]): Schedule {
    const all = this.schedules(choice, tailStages);
    return all.length === 1 ? all[0] : all.reduce((a, b) => (this.bound(b) > this.bound(a) ? b : a));
  }

  private schedules(choice: PatchChoice | null, tailStages: readonly ScheduledTailStage[]): Schedule[] {
    const stages = choice ? classesOf(this.model).map((classes) => scheduled(choice, classes)) : [null];
    return stages.map((stage) =>
      buildSchedule(this.graph, stage, this.model.bits, { ...this.model.schedule, tailStages }),
    );
  }

  /**
   * The exact layout of a choice (null: without a patch stage), as lowering will make it; of several classes the one
   * that needs most.
   */
  layout(
    choice: PatchChoice | null,
    options?: ArenaOptions,
    tailStages: readonly ScheduledTailStage[] = choice?.tailStages ?? [],
  ): { readonly schedule: Schedule; readonly layout: ArenaLayout } {
    const { graph, model } = this;
    const results = this.schedules(choice, tailStages).map((schedule) => {
      const { requests, overlaps } = scheduleArena(graph, schedule, model);
      return { schedule, layout: layoutArena(requests, overlaps, options) };
    });
    return results.reduce((a, b) => (b.layout.bytes > a.layout.bytes ? b : a));
  }

  private bound(schedule: Schedule, begin = -1): number {
    const { requests, overlaps } = scheduleArena(this.graph, schedule, this.model);
    if (begin < 0) return arenaLowerBound(requests, overlaps);
    // Only what is alive from `begin` on; requests that died before become empty.
    const later = requests.map((r) =>
      r.last < begin ? { ...r, bytes: 0 } : { ...r, first: Math.max(r.first, begin) },
    );
    return arenaLowerBound(
      later,
      overlaps.filter((o) => requests[o.output].first >= begin),
    );
  }
}

type Classes = PatchClass | RuntimeClasses;

function classesOf(model: MemoryModel): Classes[] {
  return model.classes === 'either' ? ['outlier', 'regular'] : [model.classes];
}

function scheduled({ stage, grid, keep, keepColumns, streamed }: PatchChoice, classes: Classes): ScheduledStage {
  return {
    stage,
    grid,
    keep,
    keepColumns,
    streamed,
    classes: typeof classes === 'string' ? new Array<PatchClass>(grid.rows * grid.cols).fill(classes) : classes,
  };
}
