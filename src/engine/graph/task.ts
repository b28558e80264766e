import type { FeatureMap, Graph } from './types';

/**
 * What a network's outputs are for, which decides how an error in them is measured:
 * - `classify`: one vector of scores, the largest of which is the answer;
 * - `binary`: one score, positive above one half (of a sigmoid) or above 0;
 * - `regress`: values that are used as they are, e.g. landmarks, an embedding or a segmentation mask;
 * - `detect`: boxes with scores, on one or several outputs.
 */
export type Task = (typeof TASKS)[number];

export const TASKS = ['classify', 'binary', 'regress', 'detect'] as const;

/** Lengths of a vector of ImageNet's classes, without and with one for the background. */
const IMAGENET_CLASSES: readonly number[] = [1000, 1001];

/**
 * The task by the network's end and the labels: a Softmax over a vector, or a vector with labels, tells a classifier;
 * one sigmoid, or one value with the labels 0 and 1, a binary one. Everything else is values.
 *
 * @param labels of the samples, null where one has none
 */
export function taskOf(graph: Graph, labels: readonly (number | null)[]): Task {
  if (graph.outputs.length !== 1) return 'regress';
  const map = graph.maps[graph.outputs[0].map];
  const { h, w, c } = map.shape;
  if (h * w !== 1) return 'regress';
  const known = labels.filter((label) => label !== null);
  if (c === 1) return endsIn(graph, map, ['sigmoid', 'hardSigmoid']) || isYesNo(known) ? 'binary' : 'regress';
  if (endsInSoftmax(graph) || IMAGENET_CLASSES.includes(c)) return 'classify';
  // A vector of independent probabilities has several right answers.
  return known.length > 0 && !endsIn(graph, map, ['sigmoid', 'hardSigmoid', 'tanh']) ? 'classify' : 'regress';
}

/** Whether the task was taken for values only because nothing says that the vector holds scores of classes. */
export function mayBeScores(graph: Graph, task: Task): boolean {
  const { h, w, c } = graph.maps[graph.outputs[0].map].shape;
  return task === 'regress' && graph.outputs.length === 1 && h * w === 1 && c > 1;
}

/** Whether the task has one right answer among several: a classifier's, or a binary one's. */
export function hasClasses(task: Task): boolean {
  return task === 'classify' || task === 'binary';
}

/** Whether the network's first output is a Softmax's, or its logarithm. */
function endsInSoftmax(graph: Graph): boolean {
  const { producer } = graph.maps[graph.outputs[0].map];
  const last = producer === null ? null : graph.layers[producer];
  return last?.kind === 'softmax' || last?.onnx.some((node) => node.opType === 'LogSoftmax') === true;
}

/** Whether the network's first output is a sigmoid's. */
export function endsInSigmoid(graph: Graph): boolean {
  return endsIn(graph, graph.maps[graph.outputs[0].map], ['sigmoid', 'hardSigmoid']);
}

function endsIn(graph: Graph, { producer }: FeatureMap, functions: readonly string[]): boolean {
  const last = producer === null ? null : graph.layers[producer];
  return last?.kind === 'activation' && functions.includes(last.fn.name);
}

function isYesNo(labels: readonly number[]): boolean {
  return labels.length > 0 && labels.every((label) => label === 0 || label === 1);
}
