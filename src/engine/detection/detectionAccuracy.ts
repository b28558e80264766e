import {
  atScore,
  averagePrecision,
  rankClass,
  type ClassRanking,
  type ImageBoxes,
  type OverlapRule,
} from './averagePrecision';
import type { DetectionHead } from './head';

/** What a detector's boxes are worth on images with known ones, percent. */
export interface DetectionScores {
  /** Mean average precision at an overlap of 0.5: area under the curve, and VOC 2007's eleven points. */
  readonly map50: number;
  readonly map50Eleven: number;
  /** Mean over the overlaps 0.5, 0.55 … 0.95. */
  readonly map: number;
  /** Of the boxes at the head's score. */
  readonly precision: number | null;
  readonly recall: number | null;
}

/** Float and quantized network on the same images, percent. */
export interface DetectionAccuracy {
  readonly format: 'voc' | 'yolo' | 'coco';
  /** Images with annotations. */
  readonly images: number;
  readonly objects: number;
  /** Score at which precision and recall are. */
  readonly score: number;
  readonly float: DetectionScores;
  readonly quantized: DetectionScores;
  /** Quantized minus float in map50, with the 2.5th and 97.5th percentile of a paired bootstrap over the images. */
  readonly difference: { readonly points: number; readonly low: number; readonly high: number };
  /** Classes that are on the images. */
  readonly classes: readonly {
    readonly label: string;
    readonly objects: number;
    readonly float: number;
    readonly quantized: number;
  }[];
}

const OVERLAPS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];
const RESAMPLES = 1000;

/** Both networks' boxes on each image with annotations. */
export interface ImagePair {
  readonly targets: ImageBoxes['targets'];
  readonly float: ImageBoxes['found'];
  readonly quantized: ImageBoxes['found'];
}

export function detectionAccuracy(
  pairs: readonly ImagePair[],
  head: Pick<DetectionHead, 'labels' | 'score'>,
  format: DetectionAccuracy['format'],
): DetectionAccuracy {
  const rule: OverlapRule = format === 'voc' ? 'voc' : 'coco';
  const present = head.labels
    .map((_, label) => label)
    .filter((label) => pairs.some((p) => p.targets.some((t) => t.label === label && !t.ignored)));
  const side = (which: 'float' | 'quantized'): { scores: DetectionScores; rankings: ClassRanking[] } => {
    const images = pairs.map((p) => ({ targets: p.targets, found: p[which] }));
    const rankings = present.map((label) => rankClass(images, label, 0.5, rule));
    const every = OVERLAPS.map((overlap) =>
      meanPrecision(overlap === 0.5 ? rankings : present.map((label) => rankClass(images, label, overlap, rule))),
    );
    const { precision, recall } = atScore(rankings, head.score);
    const percent = (v: number | null): number | null => (v === null ? null : 100 * v);
    return {
      rankings,
      scores: {
        map50: 100 * every[0].all,
        map50Eleven: 100 * every[0].eleven,
        map: (100 * every.reduce((sum, e) => sum + e.all, 0)) / every.length,
        precision: percent(precision),
        recall: percent(recall),
      },
    };
  };
  const float = side('float');
  const quantized = side('quantized');
  return {
    format,
    images: pairs.length,
    objects: float.rankings.reduce((sum, r) => sum + r.targets, 0),
    score: head.score,
    float: float.scores,
    quantized: quantized.scores,
    difference: {
      points: quantized.scores.map50 - float.scores.map50,
      ...bootstrap(float.rankings, quantized.rankings, pairs.length),
    },
    classes: present.map((label, i) => ({
      label: head.labels[label],
      objects: float.rankings[i].targets,
      float: 100 * averagePrecision(float.rankings[i])!.all,
      quantized: 100 * averagePrecision(quantized.rankings[i])!.all,
    })),
  };
}

/** Points of mean average precision at an overlap of 0.5 that the quantized network loses; negative where it gains. */
export function map50Lost(
  pairs: readonly ImagePair[],
  { labels }: Pick<DetectionHead, 'labels'>,
  format: DetectionAccuracy['format'],
): number {
  const rule: OverlapRule = format === 'voc' ? 'voc' : 'coco';
  const of = (which: 'float' | 'quantized'): number => {
    const images = pairs.map((p) => ({ targets: p.targets, found: p[which] }));
    return meanPrecision(labels.map((_, label) => rankClass(images, label, 0.5, rule))).all;
  };
  return 100 * (of('float') - of('quantized'));
}

function meanPrecision(
  rankings: readonly ClassRanking[],
  weights?: ArrayLike<number>,
): { all: number; eleven: number } {
  let all = 0;
  let eleven = 0;
  let count = 0;
  for (const ranking of rankings) {
    const precision = averagePrecision(ranking, weights);
    if (!precision) continue;
    all += precision.all;
    eleven += precision.eleven;
    count++;
  }
  return { all: all / Math.max(1, count), eleven: eleven / Math.max(1, count) };
}

/** Percentiles of the difference in mean average precision when images are drawn again, the same for both networks. */
function bootstrap(
  float: readonly ClassRanking[],
  quantized: readonly ClassRanking[],
  images: number,
): { low: number; high: number } {
  let state = 0x9e3779b9;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const differences = new Float64Array(RESAMPLES);
  const weights = new Uint16Array(images);
  for (let i = 0; i < RESAMPLES; i++) {
    weights.fill(0);
    for (let k = 0; k < images; k++) weights[Math.floor(random() * images)]++;
    differences[i] = 100 * (meanPrecision(quantized, weights).all - meanPrecision(float, weights).all);
  }
  differences.sort();
  return { low: differences[Math.floor(0.025 * RESAMPLES)], high: differences[Math.ceil(0.975 * RESAMPLES) - 1] };
}
