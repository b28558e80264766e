import { isWeighted, type Graph, type MapId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import type { Plan } from '../plan/types';
import { formatTies } from '../quantize/ties';
import type { DecideOptions } from './decisionTypes';

/**
 * The maps that may get 16 bits where a plan gives them 8, by representative of those that share their bits: what the
 * arithmetic allows (wideReach.ts), but not what a person locked, what a detection head reads, which takes 8 bits, what
 * patches are classified by at run time, and maps beside weights of 4 bits, which the kernels for 16 do not take and
 * where the search gave accuracy away.
 *
 * @param heads outputs that a detection head reads
 */
export function raisableGroups(
  graph: Graph,
  { maps, layers, patchStage }: Pick<Plan, 'maps' | 'layers' | 'patchStage'>,
  locked: DecideOptions['locked'],
  heads: ReadonlyMap<MapId, unknown> | undefined,
): MapId[] {
  const { bitGroup, reach } = formatTies(graph);
  const own = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
    record && Object.hasOwn(record, name) ? record[name] : undefined;
  const bitsOf = (map: MapId): Bits => own(maps, graph.maps[map].name)?.bits ?? 8;
  const weightsOf = (name: string): WeightBits => own(layers, name)?.weightBits ?? 8;
  const refused = new Set<MapId>();
  for (const { id, name } of graph.maps) {
    const isFixed = own(locked?.maps, name)?.locked === true || heads?.has(id) || patchStage?.runtime?.map === name;
    if (reach[id] === 0 || bitsOf(id) !== 8 || isFixed) refused.add(bitGroup[id]);
  }
  for (const layer of graph.layers)
    if (isWeighted(layer) && weightsOf(layer.name) < 8)
      for (const map of [...layer.inputs, layer.output]) refused.add(bitGroup[map]);
  return [...new Set(bitGroup)].filter((group) => !refused.has(group)).sort((a, b) => a - b);
}
