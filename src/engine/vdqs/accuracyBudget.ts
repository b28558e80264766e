import type { Graph } from '../graph/types';
import { classProbabilities } from './divergence';

/** One way to quantize that was tried out. */
export interface Attempt {
  /** Points of top-1 that it is expected to lose, see {@link expectedPointsLost}. */
  readonly pointsLost: number;
}

/** Attempts of a search for a budget; each calibrates all weights, so there are few. */
const ATTEMPTS = 5;

/**
 * The largest reduction of BitOPs whose loss stays within a budget: bisects on a log scale between 1 and `most`, quantizing for real each time.
 *
 * @param budget  points of top-1
 * @param most    reduction that is certainly not exceeded
 * @param attempt quantizes to a reduction
 * @returns the attempt to take, and whether it keeps to the budget: the one at 8 bits may not
 */
export async function searchWithinBudget<T extends Attempt>(budget: number, most: number, attempt: (reduction: number) => Promise<T>): Promise<{ best: T; kept: boolean }> {
  let low = 1;
  let high = most;
  let best: T | null = null;
  for (let i = 0; i < ATTEMPTS; i++) {
    const middle = Math.sqrt(low * high);
    const trial = await attempt(middle);
    if (trial.pointsLost <= budget) {
      best = trial;
      low = middle;
    } else high = middle;
  }
  if (best !== null) return { best, kept: true };
  const widest = await attempt(1);
  return { best: widest, kept: widest.pointsLost <= budget };
}

/** Whether {@link expectedPointsLost} can say anything about a network: its only output is one vector of class scores. */
export function isClassifier(graph: Graph): boolean {
  const { h, w, c } = graph.maps[graph.outputs[0].map].shape;
  return graph.outputs.length === 1 && h * w === 1 && c > 1;
}

/**
 * Points of top-1 that quantized outputs are expected to lose against float ones, without labels: taking the float network's probabilities for how likely each class is
 * right, its own choice is right with probability max p, and another choice k with probability p_k. The mean difference, in percent; never negative.
 *
 * @param float     outputs of the float network, per image
 * @param quantized outputs of the quantized one on the same images
 */
export function expectedPointsLost(graph: Graph, float: readonly (readonly Float32Array[])[], quantized: readonly (readonly Float32Array[])[]): number {
  let lost = 0;
  float.forEach((outputs, i) => {
    const p = classProbabilities(graph, outputs[0]);
    lost += Math.max(...p) - p[firstOfLargest(quantized[i][0])];
  });
  return (100 * lost) / float.length;
}

function firstOfLargest(values: Float32Array): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}
