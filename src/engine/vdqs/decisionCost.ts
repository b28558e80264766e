import { coreCosts, wholeExtent } from '../cost/kernelCost';
import { CallCost, layerCall } from '../cost/latency';
import { int8Instructions } from '../cost/scheduleInstructions';
import { graphMacs, layerMacs } from '../graph/macs';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import type { Core } from '../targets/types';
import type { DecisionUnit } from './units';

/** What the search minimises within its accuracy. */
export const OBJECTIVES = ['latency', 'bitops', 'sram', 'flash'] as const;
export type Objective = (typeof OBJECTIVES)[number];

/** What decisions cost, in one unit; sums of it are compared. */
export interface DecisionCost {
  /** A layer with weights. */
  layer(id: LayerId, weightBits: WeightBits, inputBits: Bits): number;
  /** A unit's maps, apart from the layers that read them. */
  unit(unit: DecisionUnit, bits: Bits): number;
}

/** What all BitOPs of a network at 8 bits count for beside its instructions, see {@link bitOpWorth}. */
const BITOPS_SHARE = 0.3;

/**
 * Instructions that a BitOP counts for where no objective was named. Many choices of bits take about as many
 * instructions as each other: of such, those of fewer BitOPs have less to read, to keep and to store. Time alone would
 * leave them at 8 bits, or spend the whole accuracy budget on a percent of it.
 */
export function bitOpWorth(graph: Graph, core: Core): number {
  return (BITOPS_SHARE * int8Instructions(graph, core).weighted) / Math.max(1, 64 * graphMacs(graph));
}

/**
 * The cost of an objective.
 * - `latency`: estimated instructions on the core, of whole maps; a view at fewer bits is requantized. A BitOP may
 *   count for some, too, see {@link bitOpWorth}.
 * - `bitops`: MACs · weight bits · bits of the input.
 * - `sram`: bytes of the feature maps.
 * - `flash`: bytes of the weights.
 *
 * @param perBitOp instructions that a BitOP counts for, beside `latency`
 */
export function decisionCost(graph: Graph, objective: Objective, core: Core = 'cortex-m4', perBitOp = 0): DecisionCost {
  const free = (): number => 0;
  const mapBytes = ({ maps }: DecisionUnit, bits: Bits): number =>
    maps.reduce((sum, map) => {
      const { h, w, c } = graph.maps[map].shape;
      return sum + h * w * Math.ceil((c * bits) / 8);
    }, 0);
  switch (objective) {
    case 'bitops':
      return { layer: (id, weightBits, bits) => layerMacs(graph, graph.layers[id]) * weightBits * bits, unit: free };
    case 'flash':
      return {
        layer: (id, weightBits) => {
          const layer = graph.layers[id];
          return isWeighted(layer) ? (layer.weights.length * weightBits) / 8 : 0;
        },
        unit: free,
      };
    case 'sram':
      return { layer: free, unit: (unit, bits) => (unit.kind === 'stored' ? mapBytes(unit, bits) : 0) };
    case 'latency': {
      const costs = coreCosts(core);
      return {
        layer: (id, weightBits, bits) => {
          const layer = graph.layers[id];
          const call = layerCall(graph, layer, bits, weightBits);
          const instructions = call
            ? new CallCost(costs, call).instructions(wholeExtent(graph.maps[layer.output].shape))
            : 0;
          return instructions + perBitOp * layerMacs(graph, layer) * weightBits * bits;
        },
        unit: (unit, bits) => (unit.kind === 'view' && bits < 8 ? mapBytes(unit, 8) * costs.coefficients.element : 0),
      };
    }
  }
}
