import type { Graph } from './types';

/** Whether the network's only output is one vector of class scores. */
export function isClassifier(graph: Graph): boolean {
  const { h, w, c } = graph.maps[graph.outputs[0].map].shape;
  return graph.outputs.length === 1 && h * w === 1 && c > 1;
}
