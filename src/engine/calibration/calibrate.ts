import * as path from 'node:path';
import { UserError } from '../common/errors';
import type { Graph, MapId } from '../graph/types';
import type { Progress } from '../common/progress';
import { loadSamples, type LoadedSample } from './inputs';
import { FloatSession } from './session';
import { MapAccumulator } from './statistics';
import { MAX_PATCH_IMAGES, PatchCollector, patchReference, type PatchReference } from './patchStatistics';
import { crashedAgain, ObservationsLost, type RuntimeOptions } from './runtime';
import { spread, type SampleSet } from './samples';
import type { Calibration, MapStatistics, Preprocess } from './types';

/**
 * Runs the float network over the samples and observes every feature map. One pass, a few samples in memory at a time.
 * If onnxruntime's process ends on the way, it begins again, once.
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
  const pass = async (): Promise<Calibration> => {
    const own: string[] = [];
    const observed = await observe(graph, modelPath, set, { preprocess, progress, notes: own, options });
    notes.push(...own);
    return { key, inputKind: set.elementType, ...observed };
  };
  const file = path.basename(modelPath);
  try {
    return await pass();
  } catch (error) {
    if (!(error instanceof ObservationsLost)) throw error;
    notes.push(
      `The onnxruntime process crashed while running ${file} (${error.message}); it was restarted and calibration ` +
        'began again.',
    );
  }
  try {
    return await pass();
  } catch (error) {
    throw error instanceof ObservationsLost ? crashedAgain(file, error) : error;
  }
}

/** What one pass over the samples is made with; its notes are dropped where it is lost. */
interface Pass {
  readonly preprocess: Preprocess;
  readonly progress: Progress;
  readonly notes: string[];
  readonly options: RuntimeOptions;
}

/** @throws ObservationsLost, and as {@link calibrate} */
async function observe(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  { preprocess, progress, notes, options }: Pass,
): Promise<Pick<Calibration, 'images' | 'maps' | 'patches'>> {
  const observer = new Observer(graph, set.samples.length);
  const { reference } = observer;
  const session = await FloatSession.open(
    graph,
    modelPath,
    {
      maps: reference !== null && reference.source !== 'preActivation' ? [reference.map] : [],
      preClamp: reference?.source === 'preActivation' ? [reference.map] : [],
      statistics: graph.maps.map((m) => m.id),
    },
    { progress, notes, ...options },
  );
  try {
    if (session.note !== null) notes.push(session.note);
    let before: { readonly loaded: LoadedSample; readonly end: () => Promise<void> } | null = null;
    for await (const loaded of loadSamples(set, graph, preprocess, 'Calibrating', progress, notes)) {
      // One sample is on its way while onnxruntime works on the one before.
      const end = await session.begin(loaded.inputs.map((i) => i.real));
      await before?.end();
      if (before !== null) observer.observe(session, before.loaded);
      before = { loaded, end };
    }
    await before?.end();
    if (before !== null) observer.observe(session, before.loaded);
    return observer.finish(await session.statistics());
  } finally {
    await session.dispose();
  }
}

/** What calibration keeps of the samples that it has seen. */
class Observer {
  readonly reference: PatchReference | null;
  /** Of maps that are observed here. */
  private readonly accumulators = new Map<MapId, MapAccumulator>();
  private readonly collector: PatchCollector | null;
  private readonly patchSamples: ReadonlySet<number>;
  private images = 0;
  private patchImages = 0;

  constructor(
    private readonly graph: Graph,
    samples: number,
  ) {
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
    const isFinite = (map: MapId): boolean => {
      if (session.observed.has(map)) return session.infinite !== map;
      const { values, layout } = session.map(map);
      let accumulator = this.accumulators.get(map);
      if (!accumulator) this.accumulators.set(map, (accumulator = new MapAccumulator(this.graph.maps[map])));
      return accumulator.add(values, layout);
    };
    for (const map of this.graph.maps) {
      if (!isFinite(map.id)) {
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

  /** @param observed statistics that were kept elsewhere */
  finish(observed: ReadonlyMap<MapId, MapStatistics>): Pick<Calibration, 'images' | 'maps' | 'patches'> {
    return {
      images: this.images,
      maps: new Map(this.graph.maps.map(({ id }) => [id, observed.get(id) ?? this.accumulators.get(id)!.finish()])),
      patches: this.collector === null || this.patchImages === 0 ? null : this.collector.finish(),
    };
  }
}
