import { UserError } from '../common/errors';
import type { Graph } from '../graph/types';
import type { Progress } from '../common/progress';
import { loadSamples, type LoadedSample } from './inputs';
import { FloatSession } from './session';
import { MapAccumulator } from './statistics';
import { MAX_PATCH_IMAGES, PatchCollector, patchReference, type PatchReference } from './patchStatistics';
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
  const observer = new Observer(graph, set.samples.length);
  const { reference } = observer;
  const session = await FloatSession.open(
    graph,
    modelPath,
    {
      maps: graph.maps.map((m) => m.id),
      preClamp: reference?.source === 'preActivation' ? [reference.map] : [],
    },
    { progress, notes, ...options },
  );
  try {
    if (session.note !== null) notes.push(session.note);
    let before: LoadedSample | null = null;
    for await (const loaded of loadSamples(set, graph, preprocess, 'Calibrating', progress, notes)) {
      // The sample before is observed while onnxruntime works on this one.
      const end = await session.begin(loaded.inputs.map((i) => i.real));
      if (before !== null) observer.observe(session, before);
      await end();
      before = loaded;
    }
    if (before !== null) observer.observe(session, before);
  } finally {
    await session.dispose();
  }
  return {
    key,
    inputKind: set.elementType,
    ...observer.finish(),
  };
}

/** What calibration keeps of the samples that it has seen. */
class Observer {
  readonly reference: PatchReference | null;
  private readonly accumulators: readonly MapAccumulator[];
  private readonly collector: PatchCollector | null;
  private readonly patchSamples: ReadonlySet<number>;
  private images = 0;
  private patchImages = 0;

  constructor(
    private readonly graph: Graph,
    samples: number,
  ) {
    this.accumulators = graph.maps.map((map) => new MapAccumulator(map));
    this.reference = patchReference(graph);
    this.collector =
      this.reference === null ? null : new PatchCollector(this.reference, graph.maps[this.reference.map].shape);
    this.patchSamples = new Set(spread(samples, MAX_PATCH_IMAGES));
  }

  /**
   * Takes in the maps of the session's last run.
   * @throws UserError when a map takes values that are not finite
   */
  observe(session: FloatSession, { sample, index }: LoadedSample): void {
    for (const map of this.graph.maps) {
      const { values, layout } = session.map(map.id);
      if (!this.accumulators[map.id].add(values, layout)) {
        throw new UserError(
          `Feature map '${map.name}' has values that are not finite numbers for ${sample.name}; check the ` +
            "model's weights and the preprocessing.",
        );
      }
    }
    if (this.collector !== null && this.patchSamples.has(index)) {
      const { source, map } = this.reference!;
      const observed = source === 'preActivation' ? session.preClamp(map) : session.map(map);
      this.collector.add(observed.values, observed.layout);
      this.patchImages++;
    }
    this.images++;
  }

  finish(): Pick<Calibration, 'images' | 'maps' | 'patches'> {
    return {
      images: this.images,
      maps: new Map(this.accumulators.map((a, id) => [id, a.finish()])),
      patches: this.collector === null || this.patchImages === 0 ? null : this.collector.finish(),
    };
  }
}
