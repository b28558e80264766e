import type { LoadedSample } from '../calibration/inputs';
import { loadSamples } from '../calibration/inputs';
import { spread, type SampleSet } from '../calibration/samples';
import { FloatSession } from '../calibration/session';
import type { Preprocess } from '../calibration/types';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import { checkCancelled, type Progress } from '../common/progress';
import type { LayerParameters, QuantizedParameters } from '../quantize/types';
import { compensateLayer } from './compensateLayer';
import { LayerSamples } from './layerSamples';
import { LayerStream } from './layerStream';
import { gatherTaps } from './layerTaps';

/** What the float network does on a few calibration images: the targets of error compensation. */
export interface FloatTargets {
  readonly images: readonly LoadedSample[];
  readonly layers: ReadonlyMap<LayerId, LayerSamples>;
  /** Outputs per image, HWC. */
  readonly outputs: readonly (readonly Float32Array[])[];
}

/**
 * Runs the float network over at most `limit` samples and keeps sampled values of every layer with weights, before its
 * clamp.
 *
 * @throws UserError when no sample can be used; CancelledError
 */
export async function observeTargets(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  preprocess: Preprocess,
  limit: number,
  progress: Progress,
): Promise<FloatTargets> {
  const chosen = { ...set, samples: spread(set.samples.length, limit).map((i) => set.samples[i]) };
  const images: LoadedSample[] = [];
  // Notes on damaged files were given by calibration.
  for await (const loaded of loadSamples(chosen, graph, preprocess, 'Loading images', progress, []))
    images.push(loaded);
  const weighted = graph.layers.filter(isWeighted);
  const layers = new Map(weighted.map((l) => [l.id, LayerSamples.of(graph, l, images.length)]));
  const clamped = (id: LayerId): boolean => {
    const layer = graph.layers[id];
    return isWeighted(layer) && (layer.clamp.min !== null || layer.clamp.max !== null);
  };
  const session = await FloatSession.open(
    graph,
    modelPath,
    {
      maps: weighted.filter((l) => !clamped(l.id)).map((l) => l.output),
      preClamp: weighted.filter((l) => clamped(l.id)).map((l) => l.output),
    },
    { progress },
  );
  const outputs: Float32Array[][] = [];
  try {
    for (const [i, image] of images.entries()) {
      checkCancelled(progress);
      progress.report('Running the float network', i, images.length);
      await session.run(image.inputs.map((input) => input.real));
      for (const layer of weighted)
        layers
          .get(layer.id)!
          .observe(i, clamped(layer.id) ? session.preClamp(layer.output) : session.map(layer.output));
      outputs.push(session.outputs());
    }
  } finally {
    await session.dispose();
  }
  return { images, layers, outputs };
}

/** The same for some of the images. */
export function selectTargets(targets: FloatTargets, images: readonly number[]): FloatTargets {
  return {
    images: images.map((i) => targets.images[i]),
    layers: new Map([...targets.layers].map(([id, samples]) => [id, samples.select(images)])),
    outputs: images.map((i) => targets.outputs[i]),
  };
}

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
  targets: FloatTargets,
  progress: Progress,
  damping: number | null = null,
): QuantizedParameters {
  const layers = new Map<LayerId, LayerParameters>(parameters.layers);
  const result: QuantizedParameters = { ...parameters, layers };
  const stream = new LayerStream(
    graph,
    parameters,
    targets.images.map((i) => i.inputs),
  );
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
