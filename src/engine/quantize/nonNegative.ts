import { isNonNegative } from '../graph/functions';
import type { Graph, Layer } from '../graph/types';

/**
 * For each feature map, whether the graph's structure guarantees that it is never negative (then its codes are
 * unsigned). Graph inputs count as possibly negative.
 */
export function nonNegativeMaps(graph: Graph): boolean[] {
  const result = graph.maps.map(() => false);
  for (const layer of graph.layers) result[layer.output] = writesNonNegative(layer, result);
  return result;
}

function writesNonNegative(layer: Layer, known: readonly boolean[]): boolean {
  const inputs = layer.inputs.every((map) => known[map]);
  switch (layer.kind) {
    case 'conv':
    case 'depthwise':
    case 'fullyConnected':
      return layer.clamp.min !== null && layer.clamp.min >= 0;
    case 'add':
      return (layer.clamp.min !== null && layer.clamp.min >= 0) || (inputs && layer.signs.every((s) => s > 0));
    case 'mul':
      return (layer.clamp.min !== null && layer.clamp.min >= 0) || inputs;
    case 'pad':
      return inputs && layer.value >= 0;
    case 'activation':
      return isNonNegative(layer.fn, inputs);
    case 'softmax':
      return true;
    case 'normalize':
      return inputs && !layer.centered;
    default:
      return inputs;
  }
}
