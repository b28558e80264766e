import type { Graph, Layer, Shape } from './types';
import { elements } from './types';

/**
 * Multiply-accumulates that a layer needs for `pixels` pixels of its output (rows × columns; all of them by default).
 * Padding counts as multiplied. Only layers with weights have any, as is usual when MACs of networks are
 * compared.
 */
export function layerMacs(graph: Graph, layer: Layer, pixels?: number): number {
  const output = graph.maps[layer.output].shape;
  return (pixels ?? output.h * output.w) * macsPerPixel(layer, graph.maps[layer.inputs[0]].shape, output);
}

/** MACs of one output pixel with all its channels. */
export function macsPerPixel(layer: Layer, input: Shape, output: Shape): number {
  switch (layer.kind) {
    case 'conv':
      return output.c * layer.window.kernelH * layer.window.kernelW * (input.c / layer.group);
    case 'depthwise':
      return output.c * layer.window.kernelH * layer.window.kernelW;
    case 'fullyConnected':
      return output.c * elements(input);
    default:
      return 0;
  }
}

/** MACs of one inference without patches. */
export function graphMacs(graph: Graph): number {
  return graph.layers.reduce((sum, layer) => sum + layerMacs(graph, layer), 0);
}
