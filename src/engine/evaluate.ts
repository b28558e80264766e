import { floatOutputs } from './calibration/float';
import { listSamples } from './calibration/samples';
import type { Preprocess } from './calibration/types';
import { UserError } from './errors';
import type { Graph } from './graph/types';
import { Executor } from './program/interpreter';
import { decodePort, inputCodes } from './program/ports';
import type { Program } from './program/types';
import type { Progress } from './progress';

/** Accuracy of the firmware's integer arithmetic beside the float network, on the same images. */
export interface Evaluation {
  readonly images: number;
  /** Null without labels. Percent. */
  readonly float: { readonly top1: number | null; readonly top5: number | null };
  readonly quantized: { readonly top1: number | null; readonly top5: number | null };
  /** Percent of images on which both have the same first class; for networks that are no classifiers, see `outputError`. */
  readonly agreement: number;
  /** Signal-to-noise ratio of the quantized outputs against float, dB, over all images and outputs. */
  readonly outputSnr: number;
  readonly notes: readonly string[];
}

/**
 * Runs float (onnxruntime) and integer (reference interpreter) executions over the samples at `location`.
 *
 * @param limit use at most so many samples, evenly spread; 0: all
 * @throws UserError when there is nothing to run on; CancelledError
 */
export async function evaluate(
  graph: Graph,
  modelPath: string,
  program: Program,
  preprocess: Preprocess,
  location: string,
  limit: number,
  progress: Progress,
): Promise<Evaluation> {
  const samples = await listSamples(location, graph, limit);
  const executor = new Executor(program);
  const notes: string[] = [...samples.notes];
  const labelled = samples.samples.every((s) => s.label !== null);
  const count = { images: 0, agree: 0, float1: 0, float5: 0, quantized1: 0, quantized5: 0 };
  const classes = outputsAreClasses(graph);
  const classCount = graph.maps[graph.outputs[0].map].shape.c;
  let unknownLabels = 0;
  let signal = 0;
  let noise = 0;
  for await (const { inputs, outputs, sample } of floatOutputs(graph, modelPath, samples, preprocess, progress, notes)) {
    const result = executor.run(inputs.map((input, i) => inputCodes(program, i, input)));
    const quantized = result.outputs.map((bytes, i) => decodePort(program, program.outputs[i], bytes));
    outputs.forEach((reference, i) => {
      for (let k = 0; k < reference.length; k++) {
        signal += reference[k] * reference[k];
        noise += (reference[k] - quantized[i][k]) ** 2;
      }
    });
    const floatRank = topIndices(outputs[0], 5);
    const quantizedRank = topIndices(quantized[0], 5);
    count.images++;
    if (floatRank[0] === quantizedRank[0]) count.agree++;
    if (sample.label !== null) {
      if (classes && sample.label >= classCount) unknownLabels++;
      if (floatRank[0] === sample.label) count.float1++;
      if (floatRank.includes(sample.label)) count.float5++;
      if (quantizedRank[0] === sample.label) count.quantized1++;
      if (quantizedRank.includes(sample.label)) count.quantized5++;
    }
  }
  if (count.images === 0) throw new UserError(`${location} has no usable samples.`);
  if (unknownLabels > 0) notes.push(`${unknownLabels} of ${count.images} labels name classes beyond the network's ${classCount} and count as wrong; check labels.csv or the class folders.`);
  const percent = (n: number): number => (100 * n) / count.images;
  const rate = (n: number): number | null => (labelled && classes ? percent(n) : null);
  return {
    images: count.images,
    float: { top1: rate(count.float1), top5: rate(count.float5) },
    quantized: { top1: rate(count.quantized1), top5: rate(count.quantized5) },
    agreement: percent(count.agree),
    outputSnr: noise > 0 ? 10 * Math.log10(signal / noise) : Infinity,
    notes,
  };
}

/** Whether the first output is one vector of class scores. */
function outputsAreClasses(graph: Graph): boolean {
  const { h, w, c } = graph.maps[graph.outputs[0].map].shape;
  return graph.outputs.length === 1 && h * w === 1 && c > 1;
}

/** Indices of the k largest values, best first; of equal values the first. */
export function topIndices(values: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let at = best.length;
    while (at > 0 && values[i] > values[best[at - 1]]) at--;
    if (at < k) {
      best.splice(at, 0, i);
      if (best.length > k) best.pop();
    }
  }
  return best;
}
