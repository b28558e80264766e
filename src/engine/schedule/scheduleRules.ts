import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { BitsOf, ScheduleOptions } from './schedule';
import type { Bits, InputPlace, WeightBits } from '../graph/bits';
import { formatTies } from '../quantize/ties';

/** Bits of maps, of what layers read, and of weights (missing: 8). */
export interface RuleDecisions {
  mapBits(map: MapId): Bits;
  inputBits(layer: LayerId): Bits;
  weightBits?(layer: LayerId): WeightBits;
}

/**
 * How bit decisions become widths of buffers: in branches of outlier class maps have at least 8 bits, except for those
 * that share their format with the split map, which all branches write; a layer that reads fewer bits than are stored
 * reads a view, in outlier class one of 8 bits with the view's scales. The planner and lower() follow the same rules,
 * so that an estimate is what comes out.
 *
 * @param splitMap the map that ends the patch stage; null without one, or when it is not known yet
 * @param input where the graph's inputs are
 */
export function scheduleRules(
  graph: Graph,
  splitMap: MapId | null,
  decisions: RuleDecisions,
  input?: InputPlace,
): { bits: BitsOf; options: ScheduleOptions } {
  const { bitGroup, mixedConcats } = formatTies(graph);
  const splitGroup = splitMap === null ? -1 : bitGroup[splitMap];
  // Only layers with weights fold the scales of a view into something.
  const hasView = (layer: LayerId): boolean =>
    isWeighted(graph.layers[layer]) && decisions.inputBits(layer) < decisions.mapBits(graph.layers[layer].inputs[0]);
  return {
    bits: {
      stored: (map, scope) =>
        scope === 'outlier' && bitGroup[map] !== splitGroup ? atLeast8(decisions.mapBits(map)) : decisions.mapBits(map),
      read: (layer, scope) => (hasView(layer) ? (scope === 'outlier' ? 8 : decisions.inputBits(layer)) : null),
      weights: (layer) => decisions.weightBits?.(layer) ?? 8,
    },
    options: {
      concatInPlace: (layer) => !mixedConcats.has(layer),
      sliceInPlace: () => true,
      inputTiles: input === 'tiles',
      alwaysView: (layer, scope) => scope === 'outlier' && hasView(layer),
    },
  };
}

function atLeast8(bits: Bits): Bits {
  return bits > 8 ? bits : 8;
}
