import type { Graph, LayerId, MapId } from '../graph/types';
import { runsOnPatches } from './receptiveField';

/** A set of layers at the network's beginning that can run patch by patch: everything that `splitMap` is computed from. */
export interface Stage {
  /** The one map that crosses from the stage to the tail. */
  readonly splitMap: MapId;
  /** Layers of the stage in graph order, the producer of the split map among them. */
  readonly layers: readonly LayerId[];
  /** Maps that the stage writes, the split map among them, in the order of their layers. */
  readonly maps: readonly MapId[];
  /** Graph inputs that the stage reads. */
  readonly inputs: readonly MapId[];
}

/**
 * The stage that ends with `splitMap`, or null when the map cannot be a split point: one of its layers does not run on patches, or a map inside
 * the stage (a graph input included) is also read by the tail or is an output of the graph.
 */
export function stageUpTo(graph: Graph, splitMap: MapId): Stage | null {
  const producer = graph.maps[splitMap].producer;
  if (producer === null) return null;
  const inside = new Set<LayerId>();
  const inputs = new Set<MapId>();
  const pending: LayerId[] = [producer];
  while (pending.length > 0) {
    const id = pending.pop()!;
    if (inside.has(id)) continue;
    inside.add(id);
    if (!runsOnPatches(graph, graph.layers[id])) return null;
    for (const map of graph.layers[id].inputs) {
      const from = graph.maps[map].producer;
      if (from === null) inputs.add(map);
      else pending.push(from);
    }
  }
  const layers = [...inside].sort((a, b) => a - b);
  const maps = layers.map((id) => graph.layers[id].output);
  const outputs = new Set(graph.outputs.map((o) => o.map));
  for (const map of [...maps, ...inputs]) {
    if (map === splitMap) continue;
    if (outputs.has(map) || graph.maps[map].consumers.some((c) => !inside.has(c))) return null;
  }
  return { splitMap, layers, maps, inputs: [...inputs].sort((a, b) => a - b) };
}

/** Every stage of the graph whose split map has more than one pixel, shortest first. */
export function candidateStages(graph: Graph): Stage[] {
  const stages: Stage[] = [];
  for (const layer of graph.layers) {
    const { h, w } = graph.maps[layer.output].shape;
    if (h * w < 2) continue;
    const stage = stageUpTo(graph, layer.output);
    if (stage) stages.push(stage);
  }
  return stages;
}
