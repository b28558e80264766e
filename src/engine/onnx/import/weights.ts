import { MalformedError } from '../byteReader';
import type { ModelProblem } from '../problems';
import { ProblemError } from '../problems';
import type { Draft, DraftLayer } from './draft';

/** Reads the weights of all drafted layers and returns what is wrong with them. */
export function loadWeights(draft: Draft): ModelProblem[] {
  const problems: ModelProblem[] = [];
  for (const layer of draft.layers) {
    if (!layer.load) continue;
    try {
      layer.spec = layer.load();
      layer.load = null;
      checkFinite(layer);
    } catch (error) {
      if (!(error instanceof ProblemError) && !(error instanceof MalformedError)) throw error;
      const remedy = error instanceof ProblemError ? error.remedy : 'Download or export the model again.';
      problems.push({ ...nameOf(layer), message: error.message, remedy });
    }
  }
  return problems;
}

/** Folding multiplies constants: finite ones may still overflow. */
export function checkFolded(draft: Draft): ModelProblem[] {
  const problems: ModelProblem[] = [];
  for (const layer of draft.layers) {
    try {
      checkFinite(layer);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push({ ...nameOf(layer), message: error.message, remedy: error.remedy });
    }
  }
  return problems;
}

function nameOf(layer: DraftLayer): { node: string; opType: string } {
  const ref = layer.onnx[layer.onnx.length - 1];
  return { node: ref?.name || layer.output.name || layer.name, opType: ref?.opType ?? layer.spec.kind };
}

function checkFinite({ spec }: DraftLayer): void {
  const arrays = 'weights' in spec ? [spec.weights, spec.bias] : 'slopes' in spec ? [spec.slopes] : [];
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) {
        throw new ProblemError(
          `has a weight that is ${Number.isNaN(values[i]) ? 'not a number (NaN)' : 'infinite'}`,
          'The training diverged or the file is damaged: export a sound checkpoint.',
        );
      }
    }
  }
}
