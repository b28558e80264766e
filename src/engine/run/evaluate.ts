import { counted } from '../common/wording';
import { checkChannels } from '../calibration/preprocess';
import { loadSample } from '../calibration/inputs';
import { labelsOf, listSamples, type Sample, type SampleSet } from '../calibration/samples';
import { FloatSession } from '../calibration/session';
import type { Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import { openDetector, type Detector } from '../evaluation/detections';
import { imageResult, type ImageResult } from '../evaluation/imageResult';
import type { RunnerJob, RunnerResult } from '../evaluation/integerRunner';
import { compareLayers } from '../evaluation/layers';
import { summarize } from '../evaluation/summarize';
import { openRunners, threadCount, type Runners } from '../evaluation/threads';
import type { EvaluateOptions, Evaluation } from '../evaluation/types';
import { taskOf, type Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { decodePort } from '../program/ports';
import type { Program } from '../program/types';
import { checkCancelled, type Progress } from '../common/progress';

export type { EvaluateOptions, Evaluation, LayerAgreement, OutputAgreement, Prediction } from '../evaluation/types';

const MAX_SKIP_NOTES = 10;

/**
 * Runs float (onnxruntime) and integer executions over the samples at `location`: the integer network in threads, the
 * float network in this one. Memory does not grow with the number of samples except for a few numbers of each, and the
 * results do not depend on the number of threads.
 *
 * @param limit use at most this many samples, evenly spread; 0: all
 * @throws UserError when there is nothing to run on, or a thread dies; CancelledError
 */
export async function evaluate(
  graph: Graph,
  modelPath: string,
  program: Program,
  preprocess: Preprocess,
  location: string,
  limit: number,
  progress: Progress,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  for (const input of graph.inputs) checkChannels(preprocess, graph.maps[input.map].shape.c);
  const set = await listSamples(location, graph, limit);
  const notes: string[] = [...set.notes];
  const task = options.task ?? taskOf(graph, labelsOf(set));
  const detector = options.detection ? await openDetector(options.detection, location, preprocess, notes) : null;
  const threads = threadCount(set.samples.length, options.threads);
  const runners = openRunners(
    { program, network: { inputs: graph.inputs, maps: graph.maps }, preprocess },
    threads,
    progress,
    options.threadFile,
  );
  let results: readonly ImageResult[];
  let seconds: number;
  try {
    // It takes half as long as the integer network, and can use several cores itself.
    const session = await FloatSession.open(
      graph,
      modelPath,
      { maps: [], preClamp: [] },
      { threads: runners.capacity > 1 ? Math.max(1, Math.round(threads / 3)) : 2, progress, notes },
    );
    if (session.note !== null) notes.push(session.note);
    try {
      const begin = performance.now();
      const float = async (index: number, reals: readonly Float32Array[]): Promise<readonly Float32Array[]> => {
        const known = options.floatCache?.get(index);
        if (known) return known;
        await session.run(reals);
        const outputs = session.outputs();
        options.floatCache?.set(index, outputs);
        return outputs;
      };
      results = await runAll({ graph, task, program, preprocess, detector }, set, runners, float, progress, notes);
      const unknown = detector?.unknownLabels();
      if (unknown) notes.push(unknown);
      seconds = (performance.now() - begin) / 1000;
    } finally {
      await session.dispose();
    }
  } finally {
    await runners.close();
  }
  const { layers } = options;
  return {
    ...summarize(graph, task, results, notes, detector),
    layers:
      layers && layers.images > 0
        ? await compareLayers(graph, modelPath, program, layers.formats, set, preprocess, layers.images, progress)
        : null,
    predictions: options.predictions
      ? results.map(({ sample: { name, label }, float, quantized, classes }) => ({
          sample: name,
          label,
          float: float[0],
          quantized: quantized[0],
          divergence: classes?.divergence ?? null,
        }))
      : null,
    imagesPerSecond: results.length / seconds,
  };
}

/** What is compared. */
interface Compared {
  readonly graph: Graph;
  readonly task: Task;
  readonly program: Program;
  readonly preprocess: Preprocess;
  readonly detector: Detector | null;
}

/** Outputs of the float network for a sample's inputs. */
type FloatRun = (index: number, reals: readonly Float32Array[]) => Promise<readonly Float32Array[]>;

/** Results of all samples that can be used, in their order. */
async function runAll(
  { graph, task, program, preprocess, detector }: Compared,
  set: SampleSet,
  runners: Runners,
  float: FloatRun,
  progress: Progress,
  notes: string[],
): Promise<ImageResult[]> {
  const { samples } = set;
  const results = new Array<ImageResult | string>(samples.length);
  let done = 0;
  const accept = async (result: RunnerResult): Promise<void> => {
    checkCancelled(progress);
    progress.report('Evaluating', done++, samples.length);
    if (result.problem !== null) {
      results[result.index] = result.problem;
      return;
    }
    const reference = await float(result.index, result.reals);
    const quantized = result.outputs.map((bytes, i) => decodePort(program, program.outputs[i], bytes));
    const sample = samples[result.index];
    const boxes = detector ? await detector.detect(sample.name, reference, quantized, result.image ?? null) : null;
    results[result.index] = imageResult(graph, task, sample, reference, quantized, boxes);
  };
  // The float network takes one image at a time.
  let turn = Promise.resolve();
  const pending = new Set<Promise<void>>();
  for (let index = 0; index < samples.length; index++) {
    checkCancelled(progress);
    const job = await jobOf(samples[index], index, graph, preprocess);
    const run = typeof job === 'string' ? Promise.resolve<RunnerResult>({ index, problem: job }) : runners.run(job);
    const finished = run
      .then((result) => (turn = turn.then(() => accept(result))))
      .finally(() => pending.delete(finished));
    // The next await throws a failure.
    finished.catch(() => undefined);
    pending.add(finished);
    if (pending.size >= runners.capacity) await Promise.race(pending);
  }
  await Promise.all(pending);
  progress.report('Evaluating', samples.length, samples.length);
  return usable(set, results, notes);
}

/**
 * What a runner gets: an image's place, or an array's values, whose reader cannot go to another thread; a line of text
 * when these are damaged.
 */
async function jobOf(sample: Sample, index: number, graph: Graph, preprocess: Preprocess): Promise<RunnerJob | string> {
  if (sample.source.kind === 'image') return { index, sample };
  try {
    const inputs = await loadSample(sample, graph, preprocess);
    return { index, inputs: inputs.map(({ codes, real }) => ({ codes: codes?.slice() ?? null, real: real.slice() })) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Notes damaged samples, the first ten by name, and leaves them out. */
function usable(set: SampleSet, results: readonly (ImageResult | string)[], notes: string[]): ImageResult[] {
  const problems = results.filter((r) => typeof r === 'string');
  notes.push(...problems.slice(0, MAX_SKIP_NOTES).map((p) => `Skipped: ${p}`));
  if (problems.length > MAX_SKIP_NOTES)
    notes.push(`Skipped ${counted(problems.length - MAX_SKIP_NOTES, 'more sample')}.`);
  const images = results.filter((r) => typeof r !== 'string');
  if (images.length === 0) throw new UserError(problems[0] ?? `${set.path} has no usable samples.`);
  return images;
}
