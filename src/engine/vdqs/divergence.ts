import { endsInSigmoid, hasClasses, type Task } from '../graph/task';
import type { Graph } from '../graph/types';

/** Outputs of several images, real values in HWC order: by image, then by output of the graph. */
export type ImageOutputs = readonly (readonly Float32Array[])[];

/**
 * How far outputs are from reference outputs on the same images. Where there are classes, the mean Kullback-Leibler
 * divergence of their distributions, in nats; elsewhere {@link errorShare}.
 */
export function outputDivergence(graph: Graph, task: Task, reference: ImageOutputs, outputs: ImageOutputs): number {
  if (!hasClasses(task)) return errorShare(reference, outputs);
  const sum = reference.reduce(
    (total, image, i) =>
      total + divergence(classProbabilities(graph, task, image), classProbabilities(graph, task, outputs[i])),
    0,
  );
  return sum / reference.length;
}

/**
 * Share of the reference's power that is squared error, over all images together, so that an image on which an output
 * is nearly zero weighs as little as its values; the mean over the outputs.
 */
export function errorShare(reference: ImageOutputs, outputs: ImageOutputs): number {
  const count = reference[0]?.length ?? 0;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    let error = 0;
    let power = 0;
    reference.forEach((image, n) => {
      const [values, others] = [image[k], outputs[n][k]];
      for (let i = 0; i < values.length; i++) {
        error += (values[i] - others[i]) ** 2;
        power += values[i] ** 2;
      }
    });
    if (error > 0) sum += error / Math.max(power, 1e-30);
  }
  return sum / Math.max(1, count);
}

/**
 * Probabilities of the classes: a classifier's scores, or what a softmax makes of them where the network has none
 * itself; of a binary network no and yes, its score or what a sigmoid makes of it. Positive, sum 1.
 */
export function classProbabilities(graph: Graph, task: Task, outputs: readonly Float32Array[]): Float64Array {
  const [scores] = outputs;
  if (task === 'binary') {
    const yes = endsInSigmoid(graph) ? scores[0] : 1 / (1 + Math.exp(-scores[0]));
    return normalize([1 - yes, yes]);
  }
  const { producer } = graph.maps[graph.outputs[0].map];
  const areProbabilities = producer !== null && graph.layers[producer].kind === 'softmax';
  const known = areProbabilities ? normalized : softmaxes;
  let probabilities = known.get(scores);
  if (!probabilities) known.set(scores, (probabilities = areProbabilities ? normalize(scores) : softmax(scores)));
  return probabilities;
}

/** By scores: intervals of a loss ask for the same images a dozen times. Outputs never change once they are there. */
const normalized = new WeakMap<Float32Array, Float64Array>();
const softmaxes = new WeakMap<Float32Array, Float64Array>();

/** The class that a network answers; of equal ones the first. A binary one answers 1 at one half and above. */
export function answerOf(graph: Graph, task: Task, outputs: readonly Float32Array[]): number {
  const [scores] = outputs;
  if (task === 'binary') return scores[0] >= (endsInSigmoid(graph) ? 0.5 : 0) ? 1 : 0;
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k] > scores[best]) best = k;
  return best;
}

function divergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) if (p[i] > 0) sum += p[i] * Math.log(p[i] / q[i]);
  return Math.max(0, sum);
}

function softmax(logits: Float32Array): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  const values = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) values[i] = Math.exp(logits[i] - largest);
  return normalize(values);
}

/** Sums to 1; no entry is 0, so that the divergence stays finite. Loops: outputs may have millions of values. */
function normalize(values: ArrayLike<number>): Float64Array {
  const positive = new Float64Array(values.length);
  let total = 0;
  for (let i = 0; i < values.length; i++) total += positive[i] = Math.max(values[i], 1e-9);
  for (let i = 0; i < positive.length; i++) positive[i] /= total;
  return positive;
}
