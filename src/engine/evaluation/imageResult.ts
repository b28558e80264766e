import type { Sample } from '../calibration/samples';
import { isClassifier } from '../graph/classifier';
import type { Graph } from '../graph/types';
import { chanceLost } from '../vdqs/accuracyBudget';
import { outputDivergence } from '../vdqs/divergence';
import { compareOutput, topIndices, type OutputComparison } from './compareOutputs';

/** What one image says. */
export interface ImageResult {
  readonly sample: Sample;
  /** Best classes of the first output, best first. */
  readonly float: readonly number[];
  readonly quantized: readonly number[];
  /** By output. */
  readonly outputs: readonly OutputComparison[];
  /** How far the classes are from float's; null for networks that are no classifiers. */
  readonly classes: { readonly divergence: number; readonly chanceLost: number } | null;
}

/** Compares the outputs of one image, HWC, real values. */
export function imageResult(
  graph: Graph,
  sample: Sample,
  float: readonly Float32Array[],
  quantized: readonly Float32Array[],
): ImageResult {
  return {
    sample,
    float: topIndices(float[0], 5),
    quantized: topIndices(quantized[0], 5),
    outputs: float.map((values, i) => compareOutput(values, quantized[i])),
    classes: isClassifier(graph)
      ? { divergence: outputDivergence(graph, float, quantized), chanceLost: chanceLost(graph, float, quantized) }
      : null,
  };
}
