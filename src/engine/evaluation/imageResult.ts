import type { Sample } from '../calibration/samples';
import { hasClasses, type Task } from '../graph/task';
import type { ImageDetection } from './detections';
import type { Graph } from '../graph/types';
import { chanceLost } from '../vdqs/accuracyBudget';
import { answerOf, outputDivergence } from '../vdqs/divergence';
import { compareOutput, topIndices, type OutputComparison } from './compareOutputs';

/** What one image says. */
export interface ImageResult {
  readonly sample: Sample;
  /** Best classes of the first output, best first; of a binary network its answer. */
  readonly float: readonly number[];
  readonly quantized: readonly number[];
  /** By output. */
  readonly outputs: readonly OutputComparison[];
  /** How far the classes are from float's; null where there are no classes. */
  readonly classes: { readonly divergence: number; readonly chanceLost: number } | null;
  /** What a detector finds; null for other networks. */
  readonly detection: ImageDetection | null;
}

/** Compares the outputs of one image, HWC, real values. */
export function imageResult(
  graph: Graph,
  task: Task,
  sample: Sample,
  float: readonly Float32Array[],
  quantized: readonly Float32Array[],
  detection: ImageDetection | null = null,
): ImageResult {
  const best = (outputs: readonly Float32Array[]): number[] =>
    task === 'binary' ? [answerOf(graph, task, outputs)] : topIndices(outputs[0], 5);
  return {
    sample,
    float: best(float),
    quantized: best(quantized),
    outputs: float.map((values, i) => compareOutput(values, quantized[i])),
    classes: hasClasses(task)
      ? {
          divergence: outputDivergence(graph, task, [float], [quantized]),
          chanceLost: chanceLost(graph, task, float, quantized),
        }
      : null,
    detection,
  };
}
