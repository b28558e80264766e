import type { PatchClass } from '../graph/bits';
import type { Graph, Layer, LayerId, MapId } from '../graph/types';
import { stageBranches, type StageBranch } from './branches';
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
  /** Maps whose halo is kept on one axis or on both. */
  readonly kept: ReadonlySet<MapId>;
}

/**
 * A stage with its branches.
 *
 * @param isTiled whether an input comes in tiles: others have no halo to keep
 * @throws Error when the grid does not suit the stage
 */
export function newPart(
  graph: Graph,
  given: Part['scheduled'],
  index: number,
  tailIndex: number | null,
  isTiled: (map: MapId) => boolean,
): Part {
  const { stage, grid } = given;
  const keepable = (maps: Iterable<MapId>): ReadonlySet<MapId> =>
    new Set([...maps].filter((map) => graph.maps[map].producer !== null || isTiled(map)));
  const keep = keepable(given.keep);
  const keepColumns = new Set([...keepable(given.keepColumns ?? [])].filter((map) => !keep.has(map)));
  const branches = stageBranches(graph, stage, grid, keep, keepColumns);
  if (!branches) throw new Error(`A grid of ${grid.rows}×${grid.cols} patches does not suit the stage.`);
  return {
    index,
    tailIndex,
    scheduled: { ...given, keep, keepColumns },
    branches,
    layers: new Set(stage.layers),
    kept: new Set([...keep, ...keepColumns]),
  };
}

/**
 * Maps whose columns are kept once a layer has run: it is the last one in the branch that reads them, and the cache may
 * take the place of the branch's buffer.
 */
export function keptAfter(graph: Graph, layer: Layer, { scheduled, layers }: Part): MapId[] {
  const isLast = (map: MapId): boolean =>
    graph.maps[map].producer !== null && graph.maps[map].consumers.every((id) => id <= layer.id || !layers.has(id));
  return [...new Set(layer.inputs)].filter((map) => scheduled.keepColumns?.has(map) && isLast(map));
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
