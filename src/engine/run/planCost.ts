import { workInstructions } from '../cost/latency';
import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { LayerPlan, MapPlan } from '../plan/types';
import { plannedWork } from '../planned/work';
import { coreOf } from '../targets/targets';
import { decisionCost, type DecisionCost } from '../vdqs/decisionCost';
import { freeChoices } from '../vdqs/freeChoices';
import type { DecisionUnit } from '../vdqs/units';
import type { DecideOptions } from './decisionTypes';

/** A share of the BitOPs at 8 bits is worth so much of the time. */
export const BITOPS_WORTH = 2;

/**
 * What decisions cost on a board by an objective, see {@link decisionCost}. With `asFast` time and BitOPs together,
 * each as a share of what 8 bits take: nearly as many BitOPs are saved as by themselves, and nearly as much time. The
 * time is that of finished plans whose decisions all have the same bits, in the forms that such plans have flash for.
 */
export function planCost(
  graph: Graph,
  units: readonly DecisionUnit[],
  { objective = 'bitops', asFast, target }: Pick<DecideOptions, 'objective' | 'asFast' | 'target'>,
): DecisionCost {
  const core = coreOf(target);
  const cost = decisionCost(graph, objective, core);
  if (asFast !== true) return cost;
  const time = decisionCost(graph, 'latency', core);
  const instructions = (id: LayerId, weightBits: WeightBits, inputBits: Bits): number =>
    uniformPlan(graph, units, target, weightBits, inputBits)[id];
  const all = (of: (id: LayerId) => number): number =>
    graph.layers.filter(isWeighted).reduce((sum, { id }) => sum + of(id), 0);
  const perInstruction =
    1 /
    Math.max(
      1,
      all((id) => instructions(id, 8, 8)),
    );
  const perBitOp =
    BITOPS_WORTH /
    Math.max(
      1,
      all((id) => cost.layer(id, 8, 8)),
    );
  return {
    layer: (id, weightBits, inputBits) =>
      perInstruction * instructions(id, weightBits, inputBits) + perBitOp * cost.layer(id, weightBits, inputBits),
    unit: (unit, bits) => perInstruction * time.unit(unit, bits),
  };
}

/** Of uniform plans of a graph, by board and bits: a search asks for the same ones again and again. */
const known = new WeakMap<Graph, Map<string, readonly number[]>>();

/** Instructions of the weighted layers' own calls where all that is free has these bits, by layer, without patches. */
function uniformPlan(
  graph: Graph,
  units: readonly DecisionUnit[],
  target: DecideOptions['target'],
  weightBits: WeightBits,
  inputBits: Bits,
): readonly number[] {
  let plans = known.get(graph);
  if (!plans) known.set(graph, (plans = new Map<string, readonly number[]>()));
  const key = JSON.stringify([target, weightBits, inputBits]);
  let layers = plans.get(key);
  if (!layers) plans.set(key, (layers = layersAt(graph, units, target, weightBits, inputBits)));
  return layers;
}

function layersAt(
  graph: Graph,
  units: readonly DecisionUnit[],
  target: DecideOptions['target'],
  weightBits: WeightBits,
  inputBits: Bits,
): number[] {
  const free = freeChoices(graph, units, [8, inputBits], 'auto');
  const maps: Record<string, MapPlan> = {};
  const layers: Record<string, LayerPlan> = {};
  for (const { id, name } of graph.layers.filter(isWeighted))
    if (free.weightBits(id).includes(weightBits)) layers[name] = { weightBits };
  units.forEach((unit, i) => {
    if (inputBits === 8 || !free.bits(i).includes(inputBits)) return;
    if (unit.kind === 'stored') for (const map of unit.maps) maps[graph.maps[map].name] = { bits: inputBits };
    else for (const id of unit.readers) layers[graph.layers[id].name] = { ...layers[graph.layers[id].name], inputBits };
  });
  const plan = { maps, layers, patchStage: null, tailStages: [], target };
  const { work, forms, core } = plannedWork(graph, plan, 'plan');
  const instructions = graph.layers.map(() => 0);
  workInstructions(work, core, forms).forEach((count, i) => {
    const { op } = work[i].call;
    if (op === 'conv2d' || op === 'depthwise2d' || op === 'fullyConnected') instructions[work[i].layer] += count;
  });
  return instructions;
}
