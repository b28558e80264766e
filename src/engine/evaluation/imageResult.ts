import type { Sample } from '../calibration/samples';
import { compareOutput, topIndices, type OutputComparison } from './compareOutputs';

/** What one image says. */
export interface ImageResult {
  readonly sample: Sample;
  /** Best classes of the first output, best first. */
  readonly float: readonly number[];
  readonly quantized: readonly number[];
  /** By output. */
  readonly outputs: readonly OutputComparison[];
}

/** Compares the outputs of one image, HWC, real values. */
export function imageResult(sample: Sample, float: readonly Float32Array[], quantized: readonly Float32Array[]): ImageResult {
  return {
    sample,
    float: topIndices(float[0], 5),
    quantized: topIndices(quantized[0], 5),
    outputs: float.map((values, i) => compareOutput(values, quantized[i])),
  };
}
