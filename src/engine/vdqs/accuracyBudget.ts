import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { answerOf, classProbabilities, errorShare, outputDivergence, type ImageOutputs } from './divergence';

/** One way to quantize that was tried out. */
export interface Attempt {
  /**
   * Points of top-1 that it is expected to lose, see {@link expectedPointsLost}; where there are no classes {@link
   * errorPercent}.
   */
  readonly pointsLost: number;
}

/** Rounds of a search for a budget; each fits all weights {@link AT_ONCE} times, so there are few. */
const ROUNDS = 3;
/** Attempts of a round at most: they run in parallel, and are the same on machines with one core. */
const AT_ONCE = 2;
/** Attempts of a search at most. */
export const ATTEMPTS = ROUNDS * AT_ONCE;
/** An attempt aims at this share of the budget, so that it seldom misses it by a little. */
const AIM = 0.85;
/** The bolder attempt of the first round is foreseen to lose this much of the budget: it closes in from above. */
const BOLD = 2.5;
/** Where nothing has kept to the budget yet, one attempt is foreseen to lose this share of it: estimates are noisy. */
const CAUTIOUS = 0.35;
/** Reductions closer than this share of all that there is (and than 4 %) are not worth another attempt. */
const NEAR = { share: 0.03, most: 1.04 };
/** With less than this between what is kept and what is not, another round gains little. */
const CLOSE = { share: 0.08, most: 1.12 };

/**
 * The largest reduction of BitOPs whose loss stays within a budget, quantizing for real each time. Where to try is
 * foreseen by the search's own prediction, in proportion to what earlier attempts lost: losses grow with it, whatever
 * the factor. Each round tries that and something bolder, or more cautious as long as nothing has kept to it.
 *
 * @param budget most that may be lost
 * @param most largest reduction that is wanted
 * @param predicted Σ of sensitivities at a reduction; grows with it, 0 at 1
 * @param perUnit loss per unit of prediction, as far as it is known before the first attempt
 * @param attempt quantizes to a reduction; those of a round are begun together, and get what earlier rounds gave
 * @returns the attempt to take, and whether it is within the budget: the one at 8 bits may not
 */
export async function searchWithinBudget<T extends Attempt>(
  budget: number,
  most: number,
  predicted: (reduction: number) => number,
  perUnit: number,
  attempt: (reduction: number, earlier: readonly T[]) => Promise<T>,
): Promise<{ best: T; kept: boolean }> {
  let low = 1;
  let high = most;
  // What is near in BitOPs, which fall to a quarter, is all there is on a core whose time falls by a fourth.
  const near = ratioOf(NEAR, most);
  let factor = perUnit;
  let best: T | null = null;
  const earlier: T[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const foreseenTo = (share: number): number => largestWithin(predicted, (share * budget) / factor, low, high);
    const wanted = foreseenTo(AIM);
    const beside = round === 0 ? foreseenTo(BOLD) : best === null ? foreseenTo(CAUTIOUS) : Math.sqrt(wanted * high);
    const isNew = (reduction: number): boolean =>
      round === 0 || (reduction / low >= near && (high === most || high / reduction >= near));
    const isApart = Math.max(beside / wanted, wanted / beside) >= near;
    const chosen = [wanted, ...(isApart ? [beside] : [])].filter(isNew).sort((a, b) => a - b);
    if (chosen.length === 0) break;
    const trials = await Promise.all(chosen.map((reduction) => attempt(reduction, earlier)));
    earlier.push(...trials);
    let nearest = Infinity;
    let farthest: T | null = null;
    trials.forEach((trial, i) => {
      const reduction = chosen[i];
      if (trial.pointsLost <= budget) farthest = trial;
      if (trial.pointsLost <= budget && reduction >= low && reduction < high * near) {
        best = trial;
        low = reduction;
      } else high = Math.min(high, reduction);
      // What was lost nearest to the budget says the most about how much is lost there.
      const foreseen = predicted(reduction);
      const distance = Math.abs(Math.log(Math.max(trial.pointsLost, budget / 100) / budget));
      if (foreseen <= 0 || distance >= nearest) return;
      nearest = distance;
      // Nothing was lost where something was foreseen: it says little about the factor, but that there is room.
      factor = trial.pointsLost > 0 ? trial.pointsLost / foreseen : factor / 2;
    });
    // A bolder attempt may keep to the budget where a more cautious one did not: nothing below it is better.
    if (farthest !== null && farthest !== best) return { best: farthest, kept: true };
    if (low >= most || high / low < ratioOf(CLOSE, most)) break;
  }
  if (best !== null) return { best, kept: true };
  const widest = await attempt(1, earlier);
  return { best: widest, kept: widest.pointsLost <= budget };
}

function ratioOf({ share, most }: typeof NEAR, largest: number): number {
  return Math.min(most, largest ** share);
}

/** Largest reduction between two at which no more is predicted. */
function largestWithin(predicted: (reduction: number) => number, allowed: number, low: number, high: number): number {
  if (predicted(high) <= allowed) return high;
  let [from, to] = [low, high];
  for (let i = 0; i < 12; i++) {
    const middle = Math.sqrt(from * to);
    if (predicted(middle) <= allowed) from = middle;
    else to = middle;
  }
  return from;
}

/**
 * Points of top-1 taken to go with a nat of divergence (mean Kullback-Leibler divergence of the classes, see {@link
 * outputDivergence}).
 */
export const POINTS_PER_NAT = 20;
/**
 * Share of the changed answers by which top-1 falls: most were wrong before or are right after, and a few were right.
 * Where little was lost, at six plans of a ResNet-8 and a MobileNetV1 of 96 pixels, it was 0.05 ± 0.05.
 */
const LOST_PER_CHANGE = 0.1;
/** Points of top-1 that go with all answers changed. */
export const POINTS_PER_CHANGE = 100 * LOST_PER_CHANGE;
/**
 * With this many images a tenth of the changed answers is known to about a quarter of a point, by which the other
 * estimate is wrong.
 */
const CHANGE_IMAGES = 128;

/** Means over images, see {@link pointsOf}. */
export interface OutputChange {
  /** Mean {@link chanceLost}. */
  readonly chanceLost: number;
  /** Mean divergence, nats. */
  readonly divergence: number;
  /** Share of the images whose answer is another. */
  readonly changed: number;
  readonly images: number;
}

/**
 * Points of top-1 that quantized outputs are expected to lose against float ones, without labels, see {@link pointsOf}.
 *
 * @param float     outputs of the float network, per image
 * @param quantized outputs of the quantized one on the same images
 */
export function expectedPointsLost(graph: Graph, task: Task, float: ImageOutputs, quantized: ImageOutputs): number {
  const images = float.length;
  const mean = (of: (outputs: readonly Float32Array[], i: number) => number): number =>
    float.reduce((sum, outputs, i) => sum + of(outputs, i), 0) / images;
  return pointsOf({
    images,
    chanceLost: mean((outputs, i) => chanceLost(graph, task, outputs, quantized[i])),
    divergence: outputDivergence(graph, task, float, quantized),
    changed: mean((outputs, i) => (answerOf(graph, task, outputs) === answerOf(graph, task, quantized[i]) ? 0 : 1)),
  });
}

/**
 * From two estimates:
 * - the mean of {@link chanceLost}, in percent, and of the divergence times {@link POINTS_PER_NAT}. It follows large
 *   losses well. Small ones are larger than it says where the float network is surer of its answers than it is right.
 * - a tenth of the changed answers, in percent, which follows small losses and falls short of large ones. One answer
 *   of eight is much: it counts the less, the fewer images there are.
 *
 * The first where it is larger, otherwise both together.
 */
export function pointsOf({ images, chanceLost: chance, divergence, changed }: OutputChange): number {
  const smooth = (100 * chance + POINTS_PER_NAT * divergence) / 2;
  const counted = POINTS_PER_CHANGE * changed;
  return Math.max(smooth, (images * counted + CHANGE_IMAGES * smooth) / (images + CHANGE_IMAGES));
}

/**
 * How much less likely the quantized network's class is right than the float one's on an image, taking the float
 * network's probabilities for how likely each class is; never negative.
 */
export function chanceLost(
  graph: Graph,
  task: Task,
  float: readonly Float32Array[],
  quantized: readonly Float32Array[],
): number {
  const p = classProbabilities(graph, task, float);
  return p.reduce((a, b) => Math.max(a, b)) - p[answerOf(graph, task, quantized)];
}

/** Percent of the outputs' power that is error, over all images: what a budget counts where there are no classes. */
export function errorPercent(float: ImageOutputs, quantized: ImageOutputs): number {
  return 100 * errorShare(float, quantized);
}
