import { agreementPercent, compareBoxes } from '../detection/agreement';
import { boxAt, decodeHead, forEachScore, type Location } from '../detection/decode';
import type { Detection } from '../detection/head';
import type { ResolvedHead } from '../detection/resolve';
import { intersectionOverUnion, suppress } from '../detection/suppress';
import type { ImageOutputs } from './divergence';

/** Scores below this are background in both networks: no threshold is so low, and most cells have lower ones. */
const LEAST_SCORE = 0.02;

/** Points of mAP taken to go with a unit of {@link detectionDivergence}, before anything was measured. */
export const POINTS_PER_DIVERGENCE = 20;
/** Share of the boxes without a partner by which mAP falls: most of them were false, or are near the score. */
const LOST_PER_BOX = 0.2;

/**
 * How far a detector's decoded outputs are from reference outputs: over all locations where either sees something, the
 * Kullback-Leibler divergence of each class's score, taken for the chance that it is there, and the reference's score
 * times what the box lacks of overlapping with the reference's. It is what detectors are trained by; background, of
 * which there is a hundred times more, has scores near 0 in both and adds nothing. Per object that the reference sees.
 */
export function detectionDivergence(head: ResolvedHead, reference: ImageOutputs, outputs: ImageOutputs): number {
  let sum = 0;
  let objects = 0;
  reference.forEach((image, i) => {
    const [a, b] = [scoreTable(head, image), scoreTable(head, outputs[i])];
    for (const [key, { location, scores }] of a) {
      const other = b.get(key)?.scores;
      let best = 0;
      for (let k = 0; k < scores.length; k++) {
        sum += bernoulli(scores[k], other ? other[k] : 0);
        best = Math.max(best, scores[k]);
      }
      const box = { ...boxAt(head, location, image), score: best, label: 0 };
      const moved = { ...boxAt(head, location, outputs[i]), score: best, label: 0 };
      sum += best * (1 - intersectionOverUnion(box, moved));
      objects += best;
    }
    for (const [key, { scores }] of b) if (!a.has(key)) for (const q of scores) sum += bernoulli(0, q);
  });
  return sum / Math.max(objects, 1);
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
 * Points of mAP that quantized outputs are expected to lose against float ones, without known boxes: a share of the
 * boxes that have no partner in the other network.
 */
export function boxesLost(head: ResolvedHead, float: ImageOutputs, quantized: ImageOutputs): number {
  const list = float.map((image, i) => compareBoxes(finalBoxes(head, image), finalBoxes(head, quantized[i])));
  return LOST_PER_BOX * (100 - agreementPercent(list).paired);
}
