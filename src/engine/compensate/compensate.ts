import { checkCancelled, type Progress } from '../common/progress';
import type { Graph, LayerId } from '../graph/types';
import type { LayerParameters, QuantizedParameters } from '../quantize/types';
import { compensateLayer } from './compensateLayer';
import { LayerStream } from './layerStream';
import { gatherTaps } from './layerTaps';
import type { FittedImages } from './targets';

/**
 * Sequential error compensation: in topological order, each layer's weights and bias are fitted to the float network's
 * outputs on the codes that the already quantized layers before it really give (DESIGN section 8, parts 2 and 3 of the
 * recipe). Formats of feature maps stay as they are.
 *
 * @param damping of all fits; null: chosen for each layer by cross-validation
 * @throws CancelledError
 */
export function compensate(
  graph: Graph,
  parameters: QuantizedParameters,
  targets: FittedImages,
  progress: Progress,
  damping: number | null = null,
): QuantizedParameters {
  const layers = new Map<LayerId, LayerParameters>(parameters.layers);
  const result: QuantizedParameters = { ...parameters, layers };
  const stream = new LayerStream(graph, parameters, targets.images);
  const images = targets.images.length;
  for (let step = 0; step < stream.length; step++) {
    checkCancelled(progress);
    progress.report('Compensating errors', step, stream.length);
    const id = stream.weightedLayer(step);
    if (id !== null) {
      const format = parameters.views.get(id) ?? parameters.formats.get(graph.layers[id].inputs[0])!;
      const samples = targets.layers.get(id)!;
      const read = gatherTaps(graph, samples, (image) => stream.inputCodes(step, image));
      const fitted = compensateLayer(graph, parameters.layers.get(id)!, samples, read, format, format, damping);
      layers.set(id, fitted);
      stream.replace(step, fitted);
    }
    for (let image = 0; image < images; image++) stream.run(step, image);
    stream.release(step);
  }
  return result;
}
