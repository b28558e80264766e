import type { Bits, InputPlace, PatchClass, WeightBits } from '../../src/engine/graph/bits';
import type { Graph, MapId } from '../../src/engine/graph/types';
import { stageBranches } from '../../src/engine/schedule/branches';
import type { ScheduledStage, ScheduledTailStage } from '../../src/engine/schedule/schedule';
import { candidateStages } from '../../src/engine/schedule/stages';
import type { BitDecisions } from '../../src/engine/quantize/quantizeGraph';
import { formatTies } from '../../src/engine/quantize/ties';
import { mulberry32 } from './graphBuilder';
import { randomStream, randomTailStages } from './randomStages';

/** Decisions that a plan could have. */
export interface RandomPlan {
  readonly decisions: BitDecisions;
  readonly stage: (ScheduledStage & { readonly runtime: null }) | null;
  readonly tailStages: readonly ScheduledTailStage[];
  readonly input: InputPlace;
}

/**
 * Any bits that the graph's ties allow; the network's input and outputs at 8.
 * @param wide some maps have 16, outputs among them
 */
export function randomBits(graph: Graph, random: () => number, wide = false): BitDecisions {
  const { bitGroup, leastBits, reach } = formatTies(graph);
  const choices: Bits[] = wide ? [16, 16, 8, 4] : [8, 8, 4, 2];
  const pick = (): Bits => choices[Math.floor(((random() + 1) / 2) * choices.length)];
  const chosen = graph.maps.map(pick);
  const mapBits = (m: MapId): Bits => {
    const bits = Math.max(leastBits[m], chosen[bitGroup[m]]) as Bits;
    return bits === 16 && reach[m] === 0 ? 8 : bits;
  };
  const reads = graph.layers.map(pick);
  const weights = graph.layers.map(({ inputs, output }): WeightBits => {
    const bits = random() > 0 ? 8 : 4;
    return [...inputs, output].some((m) => mapBits(m) === 16) ? 8 : bits;
  });
  return {
    mapBits,
    weightBits: (l) => weights[l],
    inputBits: (l) => Math.min(reads[l], mapBits(graph.layers[l].inputs[0])) as Bits,
  };
}

/** 16 bits for all maps that may have them, and weights of 8. */
export function wideBits(graph: Graph): BitDecisions {
  const { reach } = formatTies(graph);
  const mapBits = (m: MapId): Bits => (reach[m] > 0 ? 16 : 8);
  return { mapBits, weightBits: () => 8, inputBits: (l) => mapBits(graph.layers[l].inputs[0]) };
}

/** Bits, a patch stage with classes and kept halos, stages of the tail and a place of the input by a seed. */
export function randomPlan(graph: Graph, seed: number): RandomPlan {
  const random = mulberry32(seed);
  const pick = (n: number): number => Math.floor(((random() + 1) / 2) * n);
  const decisions = randomBits(graph, random);
  const input = (['counted', 'external', 'tiles'] as const)[pick(3)];
  const stream = pick(4) === 0 ? randomStream(graph, seed) : null;
  if (stream) {
    const [first, ...tailStages] = stream;
    const classes = Array.from({ length: first.grid.rows * first.grid.cols }, () => anyClass(pick));
    return { decisions, stage: { ...first, classes, runtime: null }, tailStages, input };
  }
  const stages = candidateStages(graph);
  const stage = stages.length > 0 && pick(4) > 0 ? stages[pick(stages.length)] : null;
  const grid = { rows: 1 + pick(4), cols: 1 + pick(4) };
  const keep = new Set(stage?.maps.filter((m) => m !== stage.splitMap && pick(3) === 0) ?? []);
  const suits = stage && stageBranches(graph, stage, grid, keep);
  const classes = Array.from({ length: grid.rows * grid.cols }, () => anyClass(pick));
  return {
    decisions,
    stage: suits ? { stage, grid, keep, classes, runtime: null } : null,
    tailStages: randomTailStages(graph, suits ? stage.layers : [], seed),
    input,
  };
}

function anyClass(pick: (n: number) => number): PatchClass {
  return pick(3) === 0 ? 'outlier' : 'regular';
}
