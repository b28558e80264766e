import type { Corners, Detection } from './head';

/** A true box in the network's labels. */
export interface Target extends Corners {
  readonly label: number;
  readonly ignored: boolean;
}

/** One image: what is on it and what a network finds. */
export interface ImageBoxes {
  readonly targets: readonly Target[];
  /** On the image, by falling score. */
  readonly found: readonly Detection[];
}

/**
 * How boxes are compared. `voc`: corners of found boxes are pixels, the last one included, and an overlap counts above
 * the threshold, as in the VOC development kit. `coco`: corners are borders, and an overlap counts from the threshold.
 */
export type OverlapRule = 'voc' | 'coco';

/** Found boxes of one class by falling score, each a hit, a false one or neither. */
export interface ClassRanking {
  readonly label: number;
  /** Of the boxes that are not ignored. */
  readonly targets: number;
  /** By image. */
  readonly targetsOf: Float64Array;
  readonly scores: Float64Array;
  readonly images: Int32Array;
  /** 1 hit, 0 false; boxes on ignored targets are left out. */
  readonly hits: Uint8Array;
}

/** Average precision of one class. */
export interface ClassPrecision {
  /** Area under the precision-recall curve made monotone (VOC from 2010 on). */
  readonly all: number;
  /** Mean of the precision at the recalls 0, 0.1 … 1 (VOC 2007). */
  readonly eleven: number;
}

/**
 * Matches what was found with the targets, class by class: by falling score each box takes the target that it overlaps
 * most; a target that was taken makes the next one false.
 *
 * @param overlap least intersection over union
 */
export function rankClass(
  images: readonly ImageBoxes[],
  label: number,
  overlap: number,
  rule: OverlapRule,
): ClassRanking {
  const entries: { score: number; image: number; hit: 0 | 1 }[] = [];
  const targetsOf = new Float64Array(images.length);
  images.forEach(({ targets, found }, image) => {
    const own = targets.filter((t) => t.label === label);
    targetsOf[image] = own.filter((t) => !t.ignored).length;
    const taken = new Set<Target>();
    for (const box of found) {
      if (box.label !== label) continue;
      let best: Target | null = null;
      let most = 0;
      for (const target of own) {
        const share = overlapOf(box, target, rule);
        if (share > most) {
          most = share;
          best = target;
        }
      }
      const enough = rule === 'voc' ? most > overlap : most >= overlap;
      if (best !== null && enough) {
        if (best.ignored) continue;
        entries.push({ score: box.score, image, hit: taken.has(best) ? 0 : 1 });
        taken.add(best);
      } else entries.push({ score: box.score, image, hit: 0 });
    }
  });
  entries.sort((a, b) => b.score - a.score || a.image - b.image);
  return {
    label,
    targets: targetsOf.reduce((a, b) => a + b, 0),
    targetsOf,
    scores: Float64Array.from(entries, (e) => e.score),
    images: Int32Array.from(entries, (e) => e.image),
    hits: Uint8Array.from(entries, (e) => e.hit),
  };
}

function overlapOf(box: Detection, target: Target, rule: OverlapRule): number {
  const last = rule === 'voc' ? 1 : 0;
  const [x2, y2] = [box.x2 + last, box.y2 + last];
  const w = Math.min(x2, target.x2) - Math.max(box.x1, target.x1);
  const h = Math.min(y2, target.y2) - Math.max(box.y1, target.y1);
  if (!(w > 0 && h > 0)) return 0;
  const shared = w * h;
  const both = (x2 - box.x1) * (y2 - box.y1) + (target.x2 - target.x1) * (target.y2 - target.y1) - shared;
  return shared / both;
}

/**
 * Average precision of a ranking, 0…1.
 * @param weights how often each image counts, for resampling; once each if missing
 * @returns null when no target is there
 */
export function averagePrecision(ranking: ClassRanking, weights?: ArrayLike<number>): ClassPrecision | null {
  const { images, hits, targetsOf } = ranking;
  let targets = 0;
  for (let i = 0; i < targetsOf.length; i++) targets += targetsOf[i] * (weights ? weights[i] : 1);
  if (targets === 0) return null;
  const n = hits.length;
  const recall = new Float64Array(n);
  const precision = new Float64Array(n);
  let hit = 0;
  let all = 0;
  for (let i = 0; i < n; i++) {
    const weight = weights ? weights[images[i]] : 1;
    all += weight;
    if (hits[i]) hit += weight;
    recall[i] = hit / targets;
    precision[i] = all > 0 ? hit / all : 0;
  }
  for (let i = n - 2; i >= 0; i--) precision[i] = Math.max(precision[i], precision[i + 1]);
  let area = 0;
  let last = 0;
  for (let i = 0; i < n; i++) {
    area += (recall[i] - last) * precision[i];
    last = recall[i];
  }
  let eleven = 0;
  for (let k = 0, i = 0; k <= 10; k++) {
    // The steps as the VOC kit and numpy have them: 3 · 0.1 is a little more than 0.3, and a recall of 0.3 misses it.
    while (i < n && recall[i] < k * 0.1) i++;
    if (i < n) eleven += precision[i] / 11;
  }
  return { all: area, eleven };
}

/** Precision and recall of what has a score of at least `score`; null where nothing was found, or is there. */
export function atScore(
  rankings: readonly ClassRanking[],
  score: number,
): { precision: number | null; recall: number | null } {
  let found = 0;
  let hits = 0;
  let targets = 0;
  for (const ranking of rankings) {
    targets += ranking.targets;
    for (let i = 0; i < ranking.hits.length && ranking.scores[i] >= score; i++) {
      found++;
      hits += ranking.hits[i];
    }
  }
  return { precision: found > 0 ? hits / found : null, recall: targets > 0 ? hits / targets : null };
}
