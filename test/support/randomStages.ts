import type { Graph, LayerId, MapId } from '../../src/engine/graph/types';
import { stageBranches } from '../../src/engine/schedule/branches';
import type { ScheduledTailStage } from '../../src/engine/schedule/schedule';
import { channelStage, stageUpTo } from '../../src/engine/schedule/stages';
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
    const keep = new Set<MapId>(random() > 0 ? stage.maps.filter((m) => m !== stage.splitMap && random() > 0) : []);
    if (!stageBranches(graph, stage, grid, keep)) continue;
    for (const id of stage.layers) used.add(id);
    stages.push({ stage, grid, keep });
  }
  return stages;
}
