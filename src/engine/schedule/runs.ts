import type { PatchClass } from '../graph/bits';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { StageBranch } from './branches';
import type { ScheduledStage, ScheduleStep, Scope, ScheduledTailStage } from './schedule';

/** Where maps can be found at one moment of the schedule: buffer and first channel. */
export type Located = Map<MapId, { readonly buffer: number; readonly channel: number }>;

/** A stage of the schedule with its branches. */
export interface Part {
  /** In the order of the stages. */
  readonly index: number;
  /** Among the stages of the tail; null for the patch stage. */
  readonly tailIndex: number | null;
  readonly scheduled: ScheduledStage & Pick<ScheduledTailStage, 'channels'>;
  readonly branches: readonly StageBranch[];
  readonly layers: ReadonlySet<LayerId>;
}

/** The circumstances under which a run of layers is emitted. */
export interface Run {
  /** Null between stages. */
  readonly part: Part | null;
  readonly branch: StageBranch | null;
  readonly scope: Scope;
  readonly guard: PatchClass | null;
  readonly located: Located;
}

/** Index of the branch of the patch stage; null outside of it. */
export function branchOf(run: Run | null): number | null {
  return run?.part && run.part.tailIndex === null ? run.branch!.index : null;
}

/** The stage of the tail and its branch; null outside of these. */
export function tailBranchOf({ part, branch }: Run): ScheduleStep['tailStage'] {
  return part === null || part.tailIndex === null ? null : { index: part.tailIndex, branch: branch!.index };
}

/**
 * Whether all branches of a stage have one buffer of the map: what they read from outside, and what they write
 * together.
 */
export function isShared(graph: Graph, map: MapId, part: Part | null): boolean {
  return (
    part === null ||
    map === part.scheduled.stage.splitMap ||
    graph.maps[map].producer === null ||
    !part.layers.has(graph.maps[map].producer)
  );
}
