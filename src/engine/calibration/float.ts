import type { Graph } from '../graph/types';
import type { Progress } from '../common/progress';
import { loadSamples, type LoadedSample } from './inputs';
import { FloatSession } from './session';
import type { RuntimeOptions } from './runtime';
import type { SampleSet } from './samples';
import type { Preprocess } from './types';

export interface FloatResult extends LoadedSample {
  /** One array per graph output, HWC. */
  readonly outputs: readonly Float32Array[];
}

/**
 * Runs the float network over samples, one at a time: what quantized executions are compared with. The same loaded
 * inputs are handed out with the result, so that both begin with the same 8-bit pixels.
 *
 * @throws UserError when no sample can be used or the model cannot run; CancelledError
 */
export async function* floatOutputs(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  preprocess: Preprocess,
  progress: Progress,
  notes: string[],
  options: RuntimeOptions = {},
): AsyncGenerator<FloatResult, void> {
  const session = await FloatSession.open(
    graph,
    modelPath,
    { maps: [], preClamp: [] },
    { progress, notes, ...options },
  );
  if (session.note !== null) notes.push(session.note);
  try {
    for await (const loaded of loadSamples(set, graph, preprocess, 'Running the float network', progress, notes)) {
      await session.run(loaded.inputs.map((i) => i.real));
      yield { ...loaded, outputs: session.outputs() };
    }
  } finally {
    await session.dispose();
  }
}
