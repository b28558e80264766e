import { coreCosts, wholeExtent } from '../cost/kernelCost';
import { CallCost, layerCall } from '../cost/latency';
import { layerMacs } from '../graph/macs';
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

/**
 * The cost of an objective.
 * - `latency`: estimated instructions on the core, of whole maps; a view at fewer bits is requantized.
 * - `bitops`: MACs · weight bits · bits of the input.
 * - `sram`: bytes of the feature maps.
 * - `flash`: bytes of the weights.
 */
export function decisionCost(graph: Graph, objective: Objective, core: Core = 'cortex-m4'): DecisionCost {
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
          return call ? new CallCost(costs, call).instructions(wholeExtent(graph.maps[layer.output].shape)) : 0;
        },
        unit: (unit, bits) => (unit.kind === 'view' && bits < 8 ? mapBytes(unit, 8) * costs.coefficients.element : 0),
      };
    }
  }
}
