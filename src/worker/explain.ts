import type { Calibration } from '../engine/calibration/types';
import { searchedBits } from '../engine/graph/bits';
import type { Graph, LayerId, MapId } from '../engine/graph/types';
import type { OpenedPlan } from '../engine/planned/open';
import type { Plan } from '../engine/plan/types';
import type { MapFormat } from '../engine/quantize/types';
import { codeEntropy } from '../engine/vdqs/entropy';
import { scoreUnits } from '../engine/vdqs/scoreUnits';
import { decisionUnits } from '../engine/vdqs/units';
import type { CandidateView } from '../protocol/views';

/** Why bits are what they are, by layer. */
export interface Explanation {
  /** Of the layer's output map. */
  readonly output: ReadonlyMap<LayerId, readonly CandidateView[]>;
  /** Of the bits at which the layer reads its input, where that is a decision of its own. */
  readonly input: ReadonlyMap<LayerId, readonly CandidateView[]>;
  /** Entropy of a map's codes in a format, bits; null without the calibration. */
  entropy(map: MapId, format: MapFormat): number | null;
}

export const noExplanation: Explanation = { output: new Map(), input: new Map(), entropy: () => null };

const known = new WeakMap<Calibration, { readonly key: string; readonly value: Explanation }>();

/** Entropy, Ω, Φ and score of each candidate of each decision, exactly as the search sees them. */
export function explain(
  { graph, plan, parameters }: Pick<OpenedPlan, 'graph' | 'plan' | 'parameters'>,
  calibration: Calibration,
): Explanation {
  const weightBits = (layer: LayerId): 8 | 4 => parameters.layers.get(layer)?.weightBits ?? 8;
  const key = JSON.stringify([plan.search.bits, plan.search.lambda, graph.layers.map((layer) => weightBits(layer.id))]);
  const found = known.get(calibration);
  if (found?.key === key) return found.value;
  const value = explainDecisions(graph, plan, calibration, weightBits);
  known.set(calibration, { key, value });
  return value;
}

function explainDecisions(
  graph: Graph,
  plan: Plan,
  calibration: Calibration,
  weightBits: (layer: LayerId) => 8 | 4,
): Explanation {
  const output = new Map<LayerId, readonly CandidateView[]>();
  const input = new Map<LayerId, readonly CandidateView[]>();
  const bits = [...new Set([8 as const, ...searchedBits(plan.search.bits)])].sort((a, b) => b - a);
  for (const { unit, candidates } of scoreUnits(
    graph,
    calibration,
    decisionUnits(graph),
    bits,
    plan.search.lambda,
    weightBits,
    () => null,
  )) {
    // A map that no layer with weights reads does not concern the score.
    if (unit.readers.length === 0) continue;
    if (unit.kind === 'view') {
      input.set(unit.readers[0], candidates);
      continue;
    }
    for (const map of unit.maps) {
      const { producer } = graph.maps[map];
      if (producer !== null) output.set(producer, candidates);
    }
  }
  return { output, input, entropy: (map, format) => entropyOf(calibration, map, format) };
}

const entropies = new WeakMap<Calibration, Map<string, number>>();

/** Formats are recomputed with every change, mostly with the same scales. */
function entropyOf(calibration: Calibration, map: MapId, format: MapFormat): number | null {
  const statistics = calibration.maps.get(map);
  if (!statistics) return null;
  let known = entropies.get(calibration);
  if (!known) entropies.set(calibration, (known = new Map<string, number>()));
  const key = `${map} ${format.bits} ${format.signed} ${format.scales.join()} ${format.zeroPoints.join()}`;
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = codeEntropy(statistics, format)));
  return value;
}
