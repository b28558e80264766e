import type { ResolvedHead } from '../detection/resolve';
import { hasClasses, type Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { errorPercent, expectedPointsLost, POINTS_PER_NAT } from './accuracyBudget';
import { detectionDivergence, expectedMapLost, POINTS_PER_DIVERGENCE } from './detectionLoss';
import { outputDivergence, type ImageOutputs } from './divergence';

/** What an error in a network's outputs costs: what the search minimises, and what a budget is counted in. */
export interface OutputLoss {
  /** How far outputs are from reference outputs on the same images; 0 for equal ones. */
  divergence(reference: ImageOutputs, outputs: ImageOutputs): number;
  /** What is expected to be lost, without labels, in {@link unit}. */
  expected(float: ImageOutputs, quantized: ImageOutputs): number;
  readonly unit: string;
  /** Loss per divergence, as far as it is known before anything was measured. */
  readonly perDivergence: number;
}

/**
 * The loss of a task.
 * @param head of a detector; null: its outputs are compared as values
 */
export function lossOf(graph: Graph, task: Task, head: ResolvedHead | null): OutputLoss {
  if (head !== null)
    return {
      divergence: (reference, outputs) => detectionDivergence(head, reference, outputs),
      expected: expectedMapLost(head),
      unit: 'points of mAP',
      perDivergence: POINTS_PER_DIVERGENCE,
    };
  return {
    divergence: (reference, outputs) => outputDivergence(graph, task, reference, outputs),
    expected: hasClasses(task)
      ? (float, quantized) => expectedPointsLost(graph, task, float, quantized)
      : (float, quantized) => errorPercent(float, quantized),
    unit: hasClasses(task) ? 'points of top-1' : "% of the outputs' power",
    perDivergence: hasClasses(task) ? POINTS_PER_NAT : 100,
  };
}
