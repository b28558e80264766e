import { UserError } from '../common/errors';
import type { Graph } from '../graph/types';
import type { Progress } from '../common/progress';
import { loadSamples } from './inputs';
import { FloatSession } from './session';
import { MapAccumulator } from './statistics';
import { MAX_PATCH_IMAGES, PatchCollector, patchReference } from './patchStatistics';
import type { RuntimeOptions } from './runtime';
import { spread, type SampleSet } from './samples';
import type { Calibration, Preprocess } from './types';

/**
 * Runs the float network over the samples and observes every feature map. One pass, one sample in memory at a time.
 *
 * @param key identity of this calibration, see `calibrationKey`
 * @param notes gets a line for each thing the user should know, e.g. skipped images
 * @throws UserError when no sample can be used, the model cannot run or a feature map takes values that are not
 *   finite; CancelledError
 */
export async function calibrate(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  preprocess: Preprocess,
  key: string,
  progress: Progress,
  notes: string[],
  options: RuntimeOptions = {},
): Promise<Calibration> {
  const accumulators = graph.maps.map((map) => new MapAccumulator(map));
  const reference = patchReference(graph);
  const collector = reference === null ? null : new PatchCollector(reference, graph.maps[reference.map].shape);
  const patchSamples = new Set(spread(set.samples.length, MAX_PATCH_IMAGES));
  const session = await FloatSession.open(
    graph,
    modelPath,
    {
      maps: graph.maps.map((m) => m.id),
      preClamp: reference?.source === 'preActivation' ? [reference.map] : [],
    },
    { progress, notes, ...options },
  );
  let images = 0;
  let patchImages = 0;
  try {
    if (session.note !== null) notes.push(session.note);
    for await (const { sample, index, inputs } of loadSamples(set, graph, preprocess, 'Calibrating', progress, notes)) {
      await session.run(inputs.map((i) => i.real));
      for (const map of graph.maps) {
        const { values, layout } = session.map(map.id);
        if (!accumulators[map.id].add(values, layout)) {
          throw new UserError(
            `Feature map '${map.name}' takes values that are not finite numbers for ${sample.name}; check the ` +
              "model's weights and the preprocessing.",
          );
        }
      }
      if (collector !== null && patchSamples.has(index)) {
        const observed =
          reference!.source === 'preActivation' ? session.preClamp(reference!.map) : session.map(reference!.map);
        collector.add(observed.values, observed.layout);
        patchImages++;
      }
      images++;
    }
  } finally {
    await session.dispose();
  }
  return {
    key,
    images,
    inputKind: set.elementType,
    maps: new Map(accumulators.map((a, id) => [id, a.finish()])),
    patches: collector === null || patchImages === 0 ? null : collector.finish(),
  };
}
