import type { Calibration } from '../calibration/types';
import type { Progress } from '../common/progress';
import type { Graph, MapId } from '../graph/types';
import type { MapPlan } from '../plan/types';
import { formatTies } from '../quantize/ties';
import { decide } from './decide';
import type { DecideOptions, Decision } from './decisionTypes';
import { allLocked } from './lockedDecisions';

/** A plan's maps with some groups of them at 16 bits. */
export function raisedMaps(
  graph: Graph,
  maps: Readonly<Record<string, MapPlan>>,
  groups: ReadonlySet<MapId>,
): Record<string, MapPlan> {
  const { bitGroup } = formatTies(graph);
  const raised: Record<string, MapPlan> = {};
  for (const { id, name } of graph.maps) {
    if (groups.has(bitGroup[id])) raised[name] = { bits: 16 };
    else if (Object.hasOwn(maps, name)) raised[name] = maps[name];
  }
  return raised;
}

/**
 * The same decisions with some groups of maps at 16 bits; patches are planned again for them.
 *
 * @param losses that were measured at 8 bits, by group, in the unit of the search's loss
 * @throws UserError when nothing fits; CancelledError
 */
export function raisedDecision(
  graph: Graph,
  calibration: Calibration,
  search: Omit<DecideOptions, 'measured'>,
  decision: Decision,
  losses: ReadonlyMap<MapId, number>,
  progress: Progress,
): Decision {
  const maps = raisedMaps(graph, decision.maps, new Set(losses.keys()));
  const locked = allLocked(graph, { ...decision, maps });
  const { patchStage, tailStages, pareto } = decide(graph, calibration, { ...search, bits: [8], locked }, progress);
  const reasons = { ...decision.reasons, maps: { ...decision.reasons.maps } };
  const { bitGroup } = formatTies(graph);
  for (const { id, name } of graph.maps) {
    const loss = losses.get(bitGroup[id]);
    if (loss !== undefined) reasons.maps[name] = { bits: 16, by: 'raised', losses: { 8: Number(loss.toPrecision(3)) } };
  }
  return { ...decision, patchStage, tailStages, pareto, maps, reasons };
}

/** Names of the outputs that have 16 bits with some groups. */
export function raisedOutputs(graph: Graph, groups: ReadonlySet<MapId>): string[] {
  const { bitGroup } = formatTies(graph);
  return graph.outputs.filter(({ map }) => groups.has(bitGroup[map])).map(({ name }) => name);
}
