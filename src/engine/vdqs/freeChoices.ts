import type { Bits, WeightBits } from '../graph/bits';
import type { Graph } from '../graph/types';
import { hasFewSamples } from './fewSamples';
import type { TradeOffChoices } from './searchTradeOff';
import type { DecisionUnit } from './units';

/**
 * What the search may choose from where nobody locked anything. 8 bits stay for layers of few samples and for what they
 * alone read, the global average's output: that saves next to nothing and cannot be compensated. So they do for maps
 * that no layer with weights reads: what fewer bits cost there is not measured.
 *
 * @param bits    candidates of feature maps
 * @param weights bits of all weights; `auto`: 8 or 4
 */
export function freeChoices(
  graph: Graph,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  weights: WeightBits | 'auto',
): TradeOffChoices {
  return {
    bits: (i) =>
      units[i].readers.some((id) => !hasFewSamples(graph, id)) ? bits.filter((b) => b >= units[i].leastBits) : [8],
    weightBits: (id) => (hasFewSamples(graph, id) ? [8] : weights === 'auto' ? [8, 4] : [weights]),
  };
}
