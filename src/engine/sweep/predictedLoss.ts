import { isWeighted, type Graph } from '../graph/types';
import { decisionsOf } from '../planned/decisions';
import type { Sensitivities } from '../vdqs/sensitivity';
import type { DecisionUnit } from '../vdqs/units';
import type { SweepDecisions } from './types';

/**
 * Σ of the measured sensitivities of decisions: the change of the network's output that the search expects. @param file
 * named in errors
 */
export function predictedLoss(
  graph: Graph,
  units: readonly DecisionUnit[],
  sensitivities: Sensitivities,
  decisions: SweepDecisions,
  file: string,
): number {
  const bits = decisionsOf(graph, decisions, file);
  const ofUnits = units.reduce((sum, unit, i) => {
    const b = unit.kind === 'view' ? bits.inputBits(unit.readers[0]) : bits.mapBits(unit.maps[0]);
    return sum + (sensitivities.units[i].get(b) ?? 0);
  }, 0);
  return graph.layers
    .filter(isWeighted)
    .reduce((sum, { id }) => sum + (bits.weightBits(id) === 4 ? (sensitivities.weights.get(id) ?? 0) : 0), ofUnits);
}
