import type { AveragePoolLayer, Graph, Layer, LayerId, MapId, Shape } from '../graph/types';
import { runsOnPatches } from './receptiveField';

/**
 * Layers that can run patch by patch: everything that `splitMap` is computed from, back to the graph's inputs or to
 * maps that were computed before.
 */
export interface Stage {
  /** The one map that crosses from the stage to the tail. */
  readonly splitMap: MapId;
  /** Layers of the stage in graph order, the producer of the split map among them. */
  readonly layers: readonly LayerId[];
  /** Maps that the stage writes, the split map among them, in the order of their layers. */
  readonly maps: readonly MapId[];
  /**
   * Maps that the stage reads and does not write: graph inputs, or what was computed before. They are there as a whole.
   */
  readonly inputs: readonly MapId[];
}

const fromInputs: ReadonlySet<MapId> = new Set<MapId>();

/**
 * The stage that ends with `splitMap` and begins with the maps `from` (and the graph's inputs), or null when the map
 * cannot be a split point: one of its layers does not run on patches, or a map inside the stage (a graph input
 * included) is also read outside of it or is an output of the graph.
 */
export function stageUpTo(graph: Graph, splitMap: MapId, from: ReadonlySet<MapId> = fromInputs): Stage | null {
  const last = graph.maps[splitMap].producer;
  if (last === null) return null;
  const inside = new Set<LayerId>();
  const inputs = new Set<MapId>();
  const pending: LayerId[] = [last];
  while (pending.length > 0) {
    const id = pending.pop()!;
    if (inside.has(id)) continue;
    inside.add(id);
    if (!runsOnPatches(graph, graph.layers[id])) return null;
    for (const map of graph.layers[id].inputs) {
      const { producer } = graph.maps[map];
      if (producer === null || from.has(map)) inputs.add(map);
      else pending.push(producer);
    }
  }
  const layers = [...inside].sort((a, b) => a - b);
  const maps = layers.map((id) => graph.layers[id].output);
  const outputs = new Set(graph.outputs.map((o) => o.map));
  for (const map of [...maps, ...inputs]) {
    if (map === splitMap || from.has(map)) continue;
    if (outputs.has(map) || graph.maps[map].consumers.some((c) => !inside.has(c))) return null;
  }
  return { splitMap, layers, maps, inputs: [...inputs].sort((a, b) => a - b) };
}

/**
 * The stage of a convolution and the global average that alone reads what it writes, or null when `pool` is not such an
 * average. Its split map is the average.
 */
export function channelStage(graph: Graph, pool: Layer): Stage | null {
  if (pool.kind !== 'averagePool') return null;
  const map = graph.maps[pool.inputs[0]];
  const { h, w } = graph.maps[pool.output].shape;
  const conv = map.producer === null ? null : graph.layers[map.producer];
  if (h * w !== 1 || conv?.kind !== 'conv' || conv.group !== 1 || !windowIsWhole(pool, map.shape)) return null;
  return stageUpTo(graph, pool.output, new Set(conv.inputs));
}

/** The graph inputs that a stage reads and that can come in tiles: all but those that are handed back as they are. */
export function tiledInputs(graph: Graph, stage: Stage): MapId[] {
  const outputs = new Set(graph.outputs.map((o) => o.map));
  return stage.inputs.filter((map) => graph.maps[map].producer === null && !outputs.has(map));
}

function windowIsWhole({ window }: AveragePoolLayer, { h, w }: Shape): boolean {
  const { padding } = window;
  return (
    window.kernelH === h && window.kernelW === w && padding.top + padding.left + padding.bottom + padding.right === 0
  );
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
