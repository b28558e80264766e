import { agreementPercent, compareBoxes } from '../detection/agreement';
import { boxAt, decodeHead, forEachScore, type Location } from '../detection/decode';
import type { Detection } from '../detection/head';
import type { ResolvedHead } from '../detection/resolve';
import { oncePerPair } from '../detection/oncePerImage';
import { intersectionOverUnion, suppress } from '../detection/suppress';
import type { ImageOutputs } from './divergence';

/** Chances below this are background in both networks: no threshold is so low, and most cells have lower ones. */
const LEAST_SCORE = 0.02;

/**
 * Points of mAP@0.5 that go with a unit of {@link detectionDivergence}. On 299 images, three detectors of Pascal VOC at
 * 1 to 2.2 times fewer BitOPs lost 4 of them by least squares over 12 plans, and the one that loses the most lost 8.
 */
export const POINTS_PER_DIVERGENCE = 6;
/** Share of the boxes without a partner by which mAP falls: most of them were false, or are near the score. */
const LOST_PER_BOX = 0.2;
/**
 * With this many images, the share of the boxes without a partner says as much as the divergence. Few images have few
 * boxes above the score: of 25 images, three more of them are half a point.
 */
const EVEN_IMAGES = 128;

/**
 * How far a detector's decoded outputs are from reference outputs: over all locations where either sees something, the
 * Kullback-Leibler divergence of each class's chance to be there, and the reference's best chance times what the box
 * lacks of overlapping with the reference's. It is what detectors are trained by; background, of which there is a
 * hundred times more, has chances near 0 in both and adds nothing. Per object that the reference sees.
 */
export function detectionDivergence(head: ResolvedHead, reference: ImageOutputs, outputs: ImageOutputs): number {
  const chances = ofChances(head);
  return perObject(reference.map((image, i) => imageDivergence(chances, image, outputs[i])));
}

/**
 * The head with objectness times class for its scores: the chance that the class is there. Heads that take powers of
 * the two, such as their geometric mean, rank boxes by them; a class of one in a thousand then has a score of a tenth,
 * and what rounding does to such classes would outweigh the objects.
 */
function ofChances(head: ResolvedHead): ResolvedHead {
  if (head.levels.every(({ level }) => level.score.powers === undefined)) return head;
  return {
    ...head,
    levels: head.levels.map((resolved) => {
      const { level } = resolved;
      return { ...resolved, level: { ...level, score: { ...level.score, powers: [1, 1] } } };
    }),
  };
}

/** What an image adds to {@link detectionDivergence}. */
interface ImageDivergence {
  readonly sum: number;
  /** Sum of the best scores of the reference's locations. */
  readonly objects: number;
}

function perObject(images: readonly ImageDivergence[]): number {
  const total = (key: keyof ImageDivergence): number => images.reduce((sum, image) => sum + image[key], 0);
  return total('sum') / Math.max(total('objects'), 1);
}

function imageDivergence(
  head: ResolvedHead,
  image: readonly Float32Array[],
  outputs: readonly Float32Array[],
): ImageDivergence {
  let sum = 0;
  let objects = 0;
  const [a, b] = [scoreTable(head, image), scoreTable(head, outputs)];
  for (const [key, { location, scores }] of a) {
    const other = b.get(key)?.scores;
    let best = 0;
    for (let k = 0; k < scores.length; k++) {
      sum += bernoulli(scores[k], other ? other[k] : 0);
      best = Math.max(best, scores[k]);
    }
    const box = { ...boxAt(head, location, image), score: best, label: 0 };
    const moved = { ...boxAt(head, location, outputs), score: best, label: 0 };
    sum += best * overlapLost(box, moved);
    objects += best;
  }
  for (const [key, { scores }] of b) if (!a.has(key)) for (const q of scores) sum += bernoulli(0, q);
  return { sum, objects };
}

/** What a box lacks of overlapping with the reference's, 0…1; 0 for a reference without area, which none overlaps. */
export function overlapLost(reference: Detection, box: Detection): number {
  const whole = intersectionOverUnion(reference, reference);
  if (!(whole > 0)) return 0;
  const share = intersectionOverUnion(reference, box) / whole;
  return share > 0 ? Math.max(0, 1 - share) : 1;
}

type ScoreTable = Map<number, { readonly location: Location; readonly scores: Float64Array }>;

/** Scores of the locations where one is high enough. */
function scoreTable(head: ResolvedHead, outputs: readonly Float32Array[]): ScoreTable {
  const table: ScoreTable = new Map();
  forEachScore(head, outputs, LEAST_SCORE, (location, scores) => {
    if (!scores.some((s) => s >= LEAST_SCORE)) return;
    const level = head.levels.indexOf(location.level);
    table.set((level * 2 ** 20 + location.cell) * 64 + location.anchor, { location, scores: scores.slice() });
  });
  return table;
}

/** Divergence of two chances, nats; of what is below {@link LEAST_SCORE} only that it is below is known. */
function bernoulli(p: number, q: number): number {
  if (p < LEAST_SCORE && q < LEAST_SCORE) return 0;
  const a = Math.min(Math.max(p, LEAST_SCORE / 2), 1 - 1e-3);
  const b = Math.min(Math.max(q, LEAST_SCORE / 2), 1 - 1e-3);
  return a * Math.log(a / b) + (1 - a) * Math.log((1 - a) / (1 - b));
}

/** Boxes of one image after suppression, at the head's score. */
function finalBoxes(head: ResolvedHead, outputs: readonly Float32Array[]): Detection[] {
  return suppress(decodeHead(head, outputs), head.head);
}

/**
 * Points of mAP that quantized outputs are expected to lose against float ones, without known boxes. From two
 * estimates, weighed by how many images there are:
 * - the divergence, in {@link POINTS_PER_DIVERGENCE}. All locations that see something count, so that a few images tell
 *   it well.
 * - a fifth of the boxes without a partner in the other network, in percent. It needs many images, and tells losses
 *   of less than a point too large: boxes near the score come and go, and the mean over all scores hardly changes.
 *
 * @returns the estimate for one head. It remembers images by their outputs, which may not change.
 */
export function expectedMapLost(head: ResolvedHead): (float: ImageOutputs, quantized: ImageOutputs) => number {
  const chances = ofChances(head);
  const change = oncePerPair((float, quantized) => ({
    divergence: imageDivergence(chances, float, quantized),
    agreement: compareBoxes(finalBoxes(head, float), finalBoxes(head, quantized)),
  }));
  return (float, quantized) => {
    const images = float.map((image, i) => change(image, quantized[i]));
    const smooth = POINTS_PER_DIVERGENCE * perObject(images.map((i) => i.divergence));
    const counted = LOST_PER_BOX * (100 - agreementPercent(images.map((i) => i.agreement)).paired);
    return (images.length * counted + EVEN_IMAGES * smooth) / (images.length + EVEN_IMAGES);
  };
}
