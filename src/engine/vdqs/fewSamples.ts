import { graphMacs, layerMacs } from '../graph/macs';
import { isWeighted, type Graph, type LayerId } from '../graph/types';

/** With less than this share of the network's MACs, fewer bits save next to nothing. */
const LITTLE = 0.05;

/**
 * Whether a layer has to keep 8 bits for its weights and for what it alone reads: it computes a single pixel, so that
 * an image is one sample for all of its taps, too few to fit the layer to; and it has few of the MACs. Classifiers are
 * such layers, whether they are fully connected or convolutions on the global average.
 */
export function hasFewSamples(graph: Graph, id: LayerId): boolean {
  const layer = graph.layers[id];
  if (layer.kind === 'fullyConnected') return true;
  const { h, w } = graph.maps[layer.output].shape;
  return h * w === 1 && isWeighted(layer) && layerMacs(graph, layer) < LITTLE * graphMacs(graph);
}
