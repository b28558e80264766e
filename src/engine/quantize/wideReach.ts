import { isSmooth } from '../graph/functions';
import { isWeighted, type Graph, type Layer, type MapId } from '../graph/types';

/** Largest code of 16 bits. */
const LARGEST = 32767;
/** Fewer codes than these are not worth twice the memory. */
const LEAST = 1023;
/** Magnitudes of 8-bit weights, and of the sums that leave a bias its room in 32 bits. */
const LARGEST_WEIGHT = 127;
const LARGEST_SUM = 2 ** 30;

/**
 * Of every map the largest magnitude of a 16-bit code: 32767, or less where a layer with weights adds up so many
 * products that its sums might leave 32 bits. 0 for maps that cannot have 16 bits: what the application writes; what
 * Softmax and norms read and write; what functions read that jump or are too steep for interpolation; and what such
 * long sums read that little more than 8 bits would be left.
 *
 * @param group representative of the maps that share their bits
 */
export function wideReach(graph: Graph, group: (map: MapId) => MapId): number[] {
  const reach = graph.maps.map(() => LARGEST);
  const limit = (map: MapId, most: number): void => {
    reach[group(map)] = Math.min(reach[group(map)], most < LEAST ? 0 : most);
  };
  for (const { map } of graph.inputs) limit(map, 0);
  for (const layer of graph.layers) {
    for (const map of layer.inputs) limit(map, inputReach(graph, layer));
    if (layer.kind === 'softmax' || layer.kind === 'normalize') limit(layer.output, 0);
  }
  return graph.maps.map(({ id }) => reach[group(id)]);
}

function inputReach(graph: Graph, layer: Layer): number {
  switch (layer.kind) {
    case 'softmax':
    case 'normalize':
      return 0;
    case 'activation':
      return isSmooth(layer.fn) ? LARGEST : 0;
    case 'averagePool': {
      const { kernelH, kernelW } = layer.window;
      return Math.min(LARGEST, Math.floor(LARGEST_SUM / (kernelH * kernelW)));
    }
    default: {
      if (!isWeighted(layer)) return LARGEST;
      const products = layer.weights.length / graph.maps[layer.output].shape.c;
      return Math.min(LARGEST, Math.floor(LARGEST_SUM / (LARGEST_WEIGHT * products)));
    }
  }
}
