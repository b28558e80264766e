import { UserError } from '../common/errors';
import type { Graph, MapId } from '../graph/types';
import { stageBranches } from '../schedule/branches';
import { isStreamable } from '../schedule/streams';
import { channelStage, stageUpTo } from '../schedule/stages';
import type { LoweringStage } from '../program/lowering/options';
import type { ScheduledTailStage, StagePatches } from '../schedule/schedule';
import type { PatchClass } from '../graph/bits';
import type { PatchStage, TailStage } from '../plan/types';

/**
 * The patch stage of a plan on its graph.
 * @param file named in errors
 * @throws UserError if the graph has no such stage
 */
export function resolveStage(graph: Graph, stage: PatchStage | null, file: string): LoweringStage | null {
  if (stage === null) return null;
  const mapOf = (name: string): MapId => {
    const map = graph.maps.find((m) => m.name === name);
    if (!map)
      throw new UserError(`${file}: the model has no feature map "${name}". Quantize it again, or correct the name.`);
    return map.id;
  };
  const resolved = stageUpTo(graph, mapOf(stage.splitMap));
  if (!resolved)
    throw new UserError(
      `${file}: the patch stage cannot end at "${stage.splitMap}": a layer before it needs whole maps, or a map ` +
        'inside is read after it.',
    );
  const { grid } = stage;
  const patches: StagePatches = { stage: resolved, grid, ...resolveHalos(stage, mapOf) };
  if (!stageBranches(graph, resolved, grid, patches.keep, patches.keepColumns))
    throw new UserError(
      `${file}: a grid of ${grid.rows}×${grid.cols} patches is too fine for "${stage.splitMap}". Use fewer patches.`,
    );
  const classes: PatchClass[] = stage.classes.flatMap((row) =>
    [...row].map((c): PatchClass => (c === 'O' ? 'outlier' : 'regular')),
  );
  if (stage.classMode === 'static') return { ...patches, classes, runtime: null };
  if (!stage.runtime)
    throw new UserError(`${file}: classes are decided at run time, but /patchStage/runtime does not say how.`);
  const { map, low, high, epsilon } = stage.runtime;
  const inside = new Set(resolved.layers.map((id) => graph.layers[id].output));
  if (!inside.has(mapOf(map)))
    throw new UserError(
      `${file}: /patchStage/runtime/map is "${map}", which no layer of the patch stage writes. Name a feature map ` +
        'that is computed in patches.',
    );
  return { ...patches, classes: { decidedBy: mapOf(map) }, runtime: { low, high, epsilon } };
}

/**
 * The further stages of a plan on its graph.
 * @param file named in errors
 * @throws UserError if the graph has no such stage, or stages share a layer
 */
export function resolveTailStages(
  graph: Graph,
  plan: { readonly patchStage: PatchStage | null; readonly tailStages?: readonly TailStage[] },
  file: string,
): ScheduledTailStage[] {
  const idByName = new Map(graph.maps.map((m) => [m.name, m.id]));
  const mapOf = (name: string): MapId => {
    const id = idByName.get(name);
    if (id === undefined)
      throw new UserError(`${file}: the model has no feature map "${name}". Quantize it again, or correct the name.`);
    return id;
  };
  const first = plan.patchStage && stageUpTo(graph, mapOf(plan.patchStage.splitMap));
  const used = new Set(first?.layers);
  const stages = (plan.tailStages ?? []).map((planned, i): ScheduledTailStage => {
    const { from, splitMap, grid, channels } = planned;
    const stage = stageUpTo(graph, mapOf(splitMap), new Set(from.map(mapOf)));
    if (!stage)
      throw new UserError(
        `${file}: /tailStages/${i} cannot end at "${splitMap}": one of its layers needs whole maps, or a map ` +
          'inside is read elsewhere.',
      );
    if (stage.layers.some((id) => used.has(id)))
      throw new UserError(
        `${file}: /tailStages/${i} has layers that belong to another stage. List the maps it starts from in "from".`,
      );
    for (const id of stage.layers) used.add(id);
    const halos = resolveHalos(planned, mapOf);
    if (!stageBranches(graph, stage, grid, halos.keep, halos.keepColumns))
      throw new UserError(
        `${file}: a grid of ${grid.rows}×${grid.cols} patches is too fine for "${splitMap}". Use fewer patches.`,
      );
    if (channels === undefined) return { stage, grid, ...halos };
    if (
      channelStage(graph, graph.layers[graph.maps[stage.splitMap].producer!])?.layers.length !== stage.layers.length
    ) {
      throw new UserError(
        `${file}: /tailStages/${i} has "channels" but is not a convolution followed by a global average of its output.`,
      );
    }
    return { stage, grid: { rows: 1, cols: 1 }, ...halos, channels };
  });
  const streamed = [
    ...(plan.patchStage?.streamed ? [mapOf(plan.patchStage.splitMap)] : []),
    ...stages.filter((stage) => stage.streamed).map(({ stage }) => stage.splitMap),
  ];
  for (const map of streamed)
    if (!stages.some((stage) => isStreamable(graph, map, stage)))
      throw new UserError(
        `${file}: "${graph.maps[map].name}" is "streamed", but no stage of the tail alone reads it in patches. ` +
          'Remove "streamed".',
      );
  return stages;
}

type PlannedHalos = Pick<PatchStage, 'keep' | 'keepColumns' | 'streamed'>;

function resolveHalos(
  { keep, keepColumns = [], streamed }: PlannedHalos,
  mapOf: (name: string) => MapId,
): Pick<StagePatches, 'keep' | 'keepColumns' | 'streamed'> {
  return { keep: new Set(keep.map(mapOf)), keepColumns: new Set(keepColumns.map(mapOf)), streamed: streamed ?? false };
}

/** What a stage does with its halos and its split map, as the sidecar has it. */
export function namedHalos(
  graph: Graph,
  { keep, keepColumns, streamed }: Pick<StagePatches, 'keep' | 'keepColumns' | 'streamed'>,
): PlannedHalos {
  const names = (maps: Iterable<MapId>): string[] => [...maps].map((map) => graph.maps[map].name);
  return {
    keep: names(keep),
    ...(keepColumns && keepColumns.size > 0 ? { keepColumns: names(keepColumns) } : {}),
    ...(streamed ? { streamed } : {}),
  };
}

/** A stage of the tail by names, as the sidecar has it. */
export function namedTailStage(graph: Graph, planned: ScheduledTailStage): TailStage {
  const { stage, grid, channels } = planned;
  const name = (map: MapId): string => graph.maps[map].name;
  return {
    from: stage.inputs.map(name),
    splitMap: name(stage.splitMap),
    grid: { rows: grid.rows, cols: grid.cols },
    ...namedHalos(graph, planned),
    ...(channels === undefined ? {} : { channels }),
  };
}

/** Rows of `O` and `.`, as the sidecar has them. */
export function classRows(classes: readonly PatchClass[], cols: number): string[] {
  const rows: string[] = [];
  for (let i = 0; i < classes.length; i += cols) {
    rows.push(
      classes
        .slice(i, i + cols)
        .map((c) => (c === 'outlier' ? 'O' : '.'))
        .join(''),
    );
  }
  return rows;
}

/** Maps that need one scale for all channels because classes are decided by their codes at run time. */
export function oneScaleMaps(graph: Graph, stage: PatchStage | null): ReadonlySet<MapId> {
  const name = stage?.classMode === 'runtime' ? stage.runtime?.map : undefined;
  return new Set(graph.maps.filter((m) => m.name === name).map((m) => m.id));
}

/** Share of the patches that are outlier class; for runtime classes as found on the calibration images. */
export function outlierShare(stage: PatchStage): number {
  const all = stage.classes.join('');
  return [...all].filter((c) => c === 'O').length / all.length;
}
