import { isClassifier } from '../graph/classifier';
import type { Graph } from '../graph/types';

/**
 * How far outputs are from reference outputs. For a classifier (one output, one pixel) the Kullback-Leibler divergence
 * of the class distributions, in nats; for other networks the squared error relative to the reference's power, summed
 * over the outputs.
 */
export function outputDivergence(
  graph: Graph,
  reference: readonly Float32Array[],
  outputs: readonly Float32Array[],
): number {
  if (isClassifier(graph)) {
    return divergence(classProbabilities(graph, reference[0]), classProbabilities(graph, outputs[0]));
  }
  let sum = 0;
  reference.forEach((values, k) => {
    let error = 0;
    let power = 0;
    for (let i = 0; i < values.length; i++) {
      error += (values[i] - outputs[k][i]) ** 2;
      power += values[i] ** 2;
    }
    if (error > 0) sum += error / Math.max(power, 1e-30);
  });
  return sum;
}

/**
 * Probabilities of the classes of a classifier: its scores, or what a softmax makes of them where the network has none
 * itself. Positive, sum 1.
 */
export function classProbabilities(graph: Graph, scores: Float32Array): Float64Array {
  const { producer } = graph.maps[graph.outputs[0].map];
  return producer !== null && graph.layers[producer].kind === 'softmax' ? normalize(scores) : softmax(scores);
}

function divergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) if (p[i] > 0) sum += p[i] * Math.log(p[i] / q[i]);
  return Math.max(0, sum);
}

function softmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return normalize(Float64Array.from(logits, (v) => Math.exp(v - largest)));
}

/** Sums to 1; no entry is 0, so that the divergence stays finite. */
function normalize(values: ArrayLike<number>): Float64Array {
  const positive = Float64Array.from(values, (v) => Math.max(v, 1e-9));
  const total = positive.reduce((a, b) => a + b, 0);
  return positive.map((v) => v / total);
}
