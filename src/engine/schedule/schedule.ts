import type { Graph, LayerId, MapId } from '../graph/types';
import type { Region } from '../graph/region';
import type { Bits, PatchClass, WeightBits } from '../graph/bits';
import type { Grid } from './branches';
import type { Stage } from './stages';
import { ScheduleBuilder } from './scheduleBuilder';

/**
 * What a Plan does, without any numbers: which region of which map is computed when, and which buffers that takes from
 * when to when. lower() fills in kernels and constants, the planner lays the buffers out to learn what a grid costs;
 * both read the same list, so estimates match the result.
 */
export interface Schedule {
  readonly buffers: readonly ScheduleBuffer[];
  readonly steps: readonly ScheduleStep[];
  /** Buffer of every graph input, in the graph's order. */
  readonly inputs: readonly number[];
  /** Buffer of every graph output, in the graph's order. */
  readonly outputs: readonly number[];
}

/** Class of the branch in which something happens; null in the tail. */
export type Scope = PatchClass | null;

/** The widths of codes. */
export interface BitsOf {
  /**
   * Bits that a map is stored with. Asked with scope null for graph inputs, the split map and the tail. Halos of kept
   * maps have the bits of the regular class.
   */
  stored(map: MapId, scope: Scope): Bits;
  /**
   * Bits with which a layer reads its inputs; null: as they are stored. Fewer than stored means that it reads a
   * requantized view.
   */
  read(layer: LayerId, scope: Scope): Bits | null;
  /** Bits of a layer's weights. Missing: 8. No schedule depends on them, but what its steps cost does. */
  weights?(layer: LayerId): WeightBits;
}

/** How a stage runs patch by patch. */
export interface StagePatches {
  readonly stage: Stage;
  readonly grid: Grid;
  /** Maps of the stage whose halo is kept between branches, tiles of graph inputs among them. */
  readonly keep: ReadonlySet<MapId>;
  /**
   * Maps whose halo is kept from one branch to the next of its row, and computed again from one row to the next: wide
   * maps, of which a row takes much. Missing: none.
   */
  readonly keepColumns?: ReadonlySet<MapId>;
  /**
   * The split map never exists as a whole: the one later stage that reads it has the rows of branches run that write
   * what its own next row of branches needs, and only those rows of the map exist. Missing: no.
   */
  readonly streamed?: boolean;
}

/** The patch stage as the schedule needs it. */
export interface ScheduledStage extends StagePatches {
  /** Class of each branch, row-major, or what decides it at run time. */
  readonly classes: readonly PatchClass[] | RuntimeClasses;
}

/**
 * A further stage, behind the patch stage (or without one): its branches have the widths of the tail and no classes.
 */
export interface ScheduledTailStage extends StagePatches {
  /**
   * The stage is a convolution and the global average of what it writes (see channelStage): in place of patches it runs
   * in slices of this many channels, a multiple of 8, each averaged before the next is computed. The feature map before
   * the average never exists as a whole, and nothing is computed twice.
   */
  readonly channels?: number;
}

/**
 * Each branch computes up to the map `decidedBy` with the widths of the outlier class, is classified by that map, and
 * continues in one of two ways.
 */
export interface RuntimeClasses {
  readonly decidedBy: MapId;
}

export interface ScheduleOptions {
  /** Stages of the tail that run patch by patch as well, in order; they share no layer. Default: none. */
  readonly tailStages?: readonly ScheduledTailStage[];
  /**
   * Graph inputs are outside of the arena and come into it in tiles: every branch begins with loading what it needs of
   * them, and a layer between stages has them loaded as a whole. An input that is an output, too, is not. Default:
   * layers read them where they are.
   */
  readonly inputTiles?: boolean;
  /**
   * Whether this input of a concat along c may be computed straight into the concat's buffer (same format); asked only
   * where the geometry allows it. Default: never.
   */
  readonly concatInPlace?: (layer: LayerId, input: number) => boolean;
  /** Whether the output of a slice may stay where its input is (same format). Default: never. */
  readonly sliceInPlace?: (layer: LayerId) => boolean;
  /**
   * Whether the layer needs a copy of its input even at the bits it is stored with, because the copy's scales differ.
   * Default: never.
   */
  readonly alwaysView?: (layer: LayerId, scope: Scope) => boolean;
}

export interface ScheduleBuffer {
  readonly id: number;
  readonly role: 'input' | 'output' | 'map' | 'branch' | 'cache' | 'view';
  /** The map whose codes it holds; those of other maps too when they are computed into it or read from it in place. */
  readonly map: MapId;
  readonly window: Region;
  readonly channels: number;
  readonly bits: Bits;
  readonly pixelBytes: number;
  readonly rowBytes: number;
  readonly bytes: number;
  /** Branch that owns it; null for buffers that outlive branches. */
  readonly branch: number | null;
  /** Class whose widths it has; null in the tail. */
  readonly scope: Scope;
  /** The layer that a view is made for. */
  readonly reader: LayerId | null;
  /**
   * Another buffer that this one is only a second name of, with another shape (reshape). Its lifetime is that buffer's.
   */
  readonly aliasOf: number | null;
  /** Alive from this step to that one, inclusive; −1 before the first step, steps.length after the last. */
  readonly first: number;
  readonly last: number;
}

export interface ScheduleAccess {
  readonly buffer: number;
  /** The map meant: it may live in another map's buffer. */
  readonly map: MapId;
  /** In the map's coordinates. Empty only for the input of a pad layer of which a call writes nothing but padding. */
  readonly region: Region;
  /** First channel in the buffer, and how many. */
  readonly channel: number;
  readonly channels: number;
}

export interface ScheduleStep {
  /**
   * `layer`: compute `output` from `inputs`. A concat is one such step per input that is not computed in place: a copy
   * into its channels, rows or columns. `view`: requantize the one input for `layer`. `classify`: decide the class of
   * `branch` by the input. `keep`, `restore`: copy a halo to and from its cache, requantized where the branch has other
   * bits. `load`: get a region of a graph input for `layer` (and others after it).
   */
  readonly kind: 'layer' | 'view' | 'classify' | 'keep' | 'restore' | 'load';
  readonly layer: LayerId;
  /** Which input of the layer is copied or viewed; 0 where the step serves all. */
  readonly part: number;
  /** Index of the branch of the patch stage; null outside of it. */
  readonly branch: number | null;
  /** The stage of the tail, counted from 0, and its branch; null outside of these. */
  readonly tailStage: { readonly index: number; readonly branch: number } | null;
  readonly scope: Scope;
  /** The step runs only when the branch turned out to be of this class. */
  readonly guard: PatchClass | null;
  /** Of the layer's output, where a step computes some of its channels only; null: all, or those that `part` says. */
  readonly slice: { readonly begin: number; readonly end: number } | null;
  readonly inputs: readonly ScheduleAccess[];
  /** Null for `classify`. */
  readonly output: ScheduleAccess | null;
  /** Padding of this call of a windowed (or pad) layer, in elements. */
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * The order of execution: branch after branch, each in graph order, then the tail in graph order, its stages branch
 * after branch as soon as all that they read is there. Without a stage everything is tail.
 *
 * A branch's buffers hold what that branch needs of each map; the split map is one buffer into which every branch
 * writes its patch; graph inputs are read in place, or loaded in tiles. Steps and buffers are numbered from 0 in order.
 *
 * @throws Error when the grid does not suit the stage (see stageBranches).
 */
export function buildSchedule(
  graph: Graph,
  stage: ScheduledStage | null,
  bits: BitsOf,
  options: ScheduleOptions = {},
): Schedule {
  return new ScheduleBuilder(graph, stage, bits, options).build();
}

/**
 * Only some branches of the stage (of the tail, too), without anything else: for estimates of the memory that it needs.
 * With `stage` null it is the first of the tail's. `branches` are indexes in order; the first and the last branch of
 * the grid must be among them.
 */
export function buildStageSchedule(
  graph: Graph,
  stage: ScheduledStage | null,
  bits: BitsOf,
  options: ScheduleOptions,
  branches: readonly number[],
): Schedule {
  return new ScheduleBuilder(graph, stage, bits, options).buildBranches(branches);
}
