import { loadSample } from '../calibration/inputs';
import { listSamples } from '../calibration/samples';
import { FloatSession } from '../calibration/session';
import type { Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import { hasClasses, taskOf } from '../graph/task';
import type { Graph } from '../graph/types';
import { Answers } from './answers';
import type { PreprocessScore } from './foundPreprocess';

/** Samples that are looked at, spread over the set. */
const MOST_SAMPLES = 64;

/**
 * How well a float classifier does on samples: two versions of a model are compared by it.
 *
 * @returns null where nothing can be said: outputs that are not classes, or no sample that can be read
 * @throws UserError when the folder or the model cannot be read; CancelledError
 */
export async function floatScore(
  graph: Graph,
  modelPath: string,
  imagesPath: string,
  preprocess: Preprocess,
  progress: Progress,
): Promise<Omit<PreprocessScore, 'name'> | null> {
  const { samples } = await listSamples(imagesPath, graph, MOST_SAMPLES);
  const task = taskOf(
    graph,
    samples.map(({ label }) => label),
  );
  if (!hasClasses(task)) return null;
  const answers = new Answers(graph, task);
  const session = await FloatSession.open(graph, modelPath, { maps: [], preClamp: [] });
  try {
    for (const [i, sample] of samples.entries()) {
      checkCancelled(progress);
      progress.report('Running the float model', i, samples.length);
      try {
        const inputs = await loadSample(sample, graph, preprocess);
        await session.run(inputs.map(({ real }) => real));
      } catch (error) {
        // One picture that cannot be read is not a reason to compare none.
        if (error instanceof UserError) continue;
        throw error;
      }
      answers.add(session.outputs(), sample.label);
    }
  } finally {
    await session.dispose();
  }
  const { score } = answers;
  return score.images === 0 ? null : score;
}
