import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { answerOf, classProbabilities } from '../vdqs/divergence';
import type { PreprocessScore } from './foundPreprocess';

/** A float classifier's answers to images, and how good they are. */
export class Answers {
  private readonly answers: number[] = [];
  private readonly labels: (number | null)[] = [];
  private readonly probabilities: Float64Array[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly task: Task,
  ) {}

  /** @param outputs of the network for one image, in the graph's order */
  add(outputs: readonly Float32Array[], label: number | null): void {
    this.answers.push(answerOf(this.graph, this.task, outputs));
    this.labels.push(label);
    this.probabilities.push(Float64Array.from(classProbabilities(this.graph, this.task, outputs)));
  }

  get score(): Omit<PreprocessScore, 'name'> {
    const { answers, labels, probabilities } = this;
    const right = (offset: number): number => answers.filter((answer, i) => answer === labels[i]! + offset).length;
    const labelled = labels.every((label) => label !== null);
    const classes = this.graph.maps[this.graph.outputs[0].map].shape.c;
    // Networks of TensorFlow Slim have the background before ImageNet's classes.
    const labelOffset = labelled && classes === 1001 && right(1) > right(0) ? 1 : 0;
    return {
      top1: labelled ? right(labelOffset) / answers.length : null,
      certainty: certaintyOf(probabilities),
      images: answers.length,
      labelOffset,
    };
  }
}

/**
 * How much the answers say about the images, as a share of the maximum: the entropy of their mean less their
 * mean entropy. A network with the wrong input is unsure, or sure of the same class whatever it sees.
 *
 * @param probabilities of the classes, per image
 */
export function certaintyOf(probabilities: readonly Float64Array[]): number {
  const n = probabilities.length;
  if (n < 2) return 0;
  const classes = probabilities[0].length;
  const mean = new Float64Array(classes);
  for (const p of probabilities) for (let k = 0; k < classes; k++) mean[k] += p[k] / n;
  const most = Math.log(Math.min(n, classes));
  const own = probabilities.reduce((sum, p) => sum + entropy(p), 0) / n;
  return most > 0 ? Math.max(0, Math.min(1, (entropy(mean) - own) / most)) : 0;
}

function entropy(p: Float64Array): number {
  return p.reduce((sum, v) => (v > 0 ? sum - v * Math.log(v) : sum), 0);
}
