import type { Graph, LayerId, MapId } from '../../src/engine/graph/types';
import { keepNothing, stageBranches, type Grid } from '../../src/engine/schedule/branches';
import type { ScheduledTailStage } from '../../src/engine/schedule/schedule';
import { candidateStages, channelStage, stageUpTo, type Stage } from '../../src/engine/schedule/stages';
import { isStreamable } from '../../src/engine/schedule/streams';
import { mulberry32 } from './graphBuilder';

/**
 * Stages for the layers that are not `taken`, anywhere in a graph: ends, beginnings, grids and kept maps by a seed.
 * Often none.
 */
export function randomTailStages(graph: Graph, taken: readonly LayerId[], seed: number): ScheduledTailStage[] {
  const random = mulberry32(seed);
  const int = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1));
  const used = new Set(taken);
  const stages: ScheduledTailStage[] = [];
  for (let attempt = 0; attempt < 12 && stages.length < 4; attempt++) {
    const end = int(0, graph.layers.length - 1);
    const depth = int(1, 6);
    const pooled = random() > 0 ? channelStage(graph, graph.layers[end]) : null;
    if (pooled?.layers.every((id) => !used.has(id))) {
      for (const id of pooled.layers) used.add(id);
      stages.push({ stage: pooled, grid: { rows: 1, cols: 1 }, keep: new Set(), channels: 8 * int(1, 2) });
      continue;
    }
    const from = new Set(
      graph.maps
        .filter((m) => (m.producer ?? -1) < end - depth || (random() > 0.6 && m.producer !== end))
        .map((m) => m.id),
    );
    const stage = stageUpTo(graph, graph.layers[end].output, from);
    if (!stage || stage.layers.some((id) => used.has(id))) continue;
    const grid = { rows: int(1, 4), cols: int(1, 4) };
    const keep = new Set<MapId>(random() > 0 ? keepable(stage).filter(() => random() > 0) : []);
    const keepColumns = random() > 0.3 ? keepable(stage).filter((m) => !keep.has(m) && random() > 0) : [];
    if (!stageBranches(graph, stage, grid, keep, new Set(keepColumns))) continue;
    for (const id of stage.layers) used.add(id);
    stages.push({ stage, grid, keep, keepColumns: new Set(keepColumns) });
  }
  return stages;
}

/**
 * Two to four stages from the graph's beginning, each but the last streamed into the next one, by a seed; null where
 * the graph has none.
 */
export function randomStream(graph: Graph, seed: number): readonly ScheduledTailStage[] | null {
  const random = mulberry32(seed);
  const int = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1));
  const firsts = candidateStages(graph);
  if (firsts.length === 0) return null;
  const chain: Stage[] = [firsts[int(0, firsts.length - 1)]];
  for (let next = chain[0].layers.length; next < graph.layers.length && chain.length < 4; next += int(1, 3)) {
    const last = chain[chain.length - 1];
    const stage = stageUpTo(
      graph,
      graph.layers[next].output,
      new Set([last.splitMap, ...graph.inputs.map((i) => i.map)]),
    );
    if (stage && stage.layers[0] > last.layers[last.layers.length - 1] && isStreamable(graph, last.splitMap, { stage }))
      chain.push(stage);
  }
  if (chain.length === 1) return null;
  const stages: ScheduledTailStage[] = [];
  for (const [i, stage] of chain.entries()) {
    const { h, w } = graph.maps[stage.splitMap].shape;
    const grid: Grid = { rows: int(1, Math.min(h, 6)), cols: int(1, Math.min(w, 4)) };
    const keep = new Set(keepable(stage).filter(() => random() > 0));
    const keepColumns = new Set(keepable(stage).filter((m) => !keep.has(m) && random() > 0));
    const suits = stageBranches(graph, stage, grid, keep, keepColumns) !== null;
    const plain = { stage, grid: { rows: 1, cols: 1 }, keep: keepNothing };
    if (!suits && !stageBranches(graph, stage, plain.grid)) return null;
    stages.push({ ...(suits ? { stage, grid, keep, keepColumns } : plain), streamed: i + 1 < chain.length });
  }
  return stages;
}

function keepable(stage: Stage): MapId[] {
  return stage.maps.filter((m) => m !== stage.splitMap);
}
