import { loadSamples, type SampleInput } from '../calibration/inputs';
import { spread, type SampleSet } from '../calibration/samples';
import type { Preprocess } from '../calibration/types';
import { checkCancelled, type Progress } from '../common/progress';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import { FloatSession } from '../calibration/session';
import { LayerSamples } from './layerSamples';
import { integerInputs, type FloatTargets } from './targets';

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
  const images: (readonly SampleInput[])[] = [];
  // Notes on damaged files were given by calibration.
  for await (const loaded of loadSamples(chosen, graph, preprocess, 'Loading images', progress, []))
    images.push(loaded.inputs);
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
  try {
    for (const [i, image] of images.entries()) {
      checkCancelled(progress);
      progress.report('Running the float network', i, images.length);
      await session.run(image.map((input) => input.real));
      for (const layer of weighted)
        layers
          .get(layer.id)!
          .observe(i, clamped(layer.id) ? session.preClamp(layer.output) : session.map(layer.output));
      images[i] = integerInputs(image);
    }
  } finally {
    await session.dispose();
  }
  return { images, layers };
}
