import { checkCancelled, type Progress } from '../common/progress';
import type { Bits } from '../graph/bits';
import type { Graph, LayerId } from '../graph/types';
import type { LayerParameters, QuantizedParameters } from '../quantize/types';
import { compensateLayer } from './compensateLayer';
import { fitWide } from './fitWide';
import { LayerStream } from './layerStream';
import type { FittedImages } from './targets';

/** Damping of each layer's fit, by {@link dampingKey}. */
export type Dampings = ReadonlyMap<string, number>;

/** How much a layer can be fitted depends on what it reads, hardly on the layers elsewhere. */
const dampingKey = (layer: LayerId, bits: Bits): string => `${layer}/${bits}`;

/** A network whose layers are fitted. */
export interface Compensated {
  readonly parameters: QuantizedParameters;
  /** What was chosen or given. */
  readonly dampings: Dampings;
}

/**
 * Sequential error compensation: in topological order, each layer's weights and bias are fitted to the float network's
 * outputs on the codes that the already quantized layers before it really give (docs/algorithm.md, "Error
 * compensation"). Formats of feature maps stay as they are.
 *
 * @param damping of all fits, or of layers as an earlier fit chose them; null and where none is given: chosen for the
 *   layer by cross-validation
 * @throws CancelledError
 */
export function compensate(
  graph: Graph,
  parameters: QuantizedParameters,
  targets: FittedImages,
  progress: Progress,
  damping: number | Dampings | null = null,
): Compensated {
  const dampings = new Map<string, number>();
  const layers = new Map<LayerId, LayerParameters>(parameters.layers);
  const result: QuantizedParameters = { ...parameters, layers };
  const stream = new LayerStream(graph, parameters, targets.images, false);
  const images = targets.images.length;
  for (let step = 0, { fitted } = stream; step < fitted; step++) {
    checkCancelled(progress);
    progress.report('Compensating errors', step, fitted);
    const id = stream.weightedLayer(step);
    const format =
      id === null ? null : (parameters.views.get(id) ?? parameters.formats.get(graph.layers[id].inputs[0])!);
    if (id !== null && format !== null) {
      const samples = targets.layers.get(id)!;
      const key = dampingKey(id, format.bits);
      const given = typeof damping === 'number' ? damping : (damping?.get(key) ?? null);
      const fitting = { rounded: parameters.layers.get(id)!, stored: format, format, damping: given };
      const codesOf = (image: number): Int16Array => stream.inputCodes(step, image);
      const fitted =
        format.bits === 16
          ? fitWide(graph, samples, codesOf, fitting, parameters.formats.get(graph.layers[id].output)!)
          : compensateLayer(graph, samples, codesOf, [fitting])[0];
      if (fitted.damping !== null) dampings.set(key, fitted.damping);
      layers.set(id, fitted.parameters);
      stream.replace(step, fitted.parameters);
    }
    for (let image = 0; image < images; image++) stream.run(step, image);
  }
  return { parameters: result, dampings };
}
