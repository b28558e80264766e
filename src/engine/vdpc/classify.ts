import type { PatchStatistics } from '../calibration/types';
import type { PatchClass } from '../graph/bits';
import { zOfMass } from './gaussian';
import { patchHistograms, patchOutliers, type PatchOutliers } from './outliers';
import type { PatchBounds } from './patchBounds';

/**
 * 1 where the patch is outlier class; [images][patches] like the outliers. With `epsilon` 0 one value outside the band
 * suffices: the paper's wording. A positive one asks for more than that share of the patch's values, which is what
 * separates patches on real networks (the literal rule marks nearly all).
 */
export function outlierMarks({ shares, counts }: PatchOutliers, epsilon: number): Uint8Array {
  // Counts are interpolated within a bin, so that "at least one" is half a value or more.
  return Uint8Array.from(shares, (share, i) => (share > epsilon && counts[i] >= 0.5 ? 1 : 0));
}

/** What calibration says about one patch position. */
export interface PositionRank {
  /** Row-major index of the patch. */
  readonly patch: number;
  /** Share of the images in which the patch was outlier class. */
  readonly frequency: number;
  /** Mean share of its values outside the band. */
  readonly meanShare: number;
}

/**
 * Patch positions, those that were outlier class most often first, ties by their mean share of outliers, then by
 * position.
 */
export function rankPositions(
  statistics: PatchStatistics,
  bounds: PatchBounds,
  phi: number,
  epsilon: number,
): PositionRank[] {
  return rankOutliers(patchOutliers(patchHistograms(statistics, bounds), zOfMass(phi)), epsilon);
}

/** {@link rankPositions} from outliers that were counted already. */
export function rankOutliers(outliers: PatchOutliers, epsilon: number): PositionRank[] {
  const marks = outlierMarks(outliers, epsilon);
  const ranks = Array.from({ length: outliers.patches }, (_, patch) => {
    let frequency = 0;
    let meanShare = 0;
    for (let image = 0; image < outliers.images; image++) {
      frequency += marks[image * outliers.patches + patch];
      meanShare += outliers.shares[image * outliers.patches + patch];
    }
    return { patch, frequency: frequency / outliers.images, meanShare: meanShare / outliers.images };
  });
  return ranks.sort((a, b) => b.frequency - a.frequency || b.meanShare - a.meanShare || a.patch - b.patch);
}

/** The `count` best-ranked positions are outlier class, the others regular; row-major. */
export function topPositions(ranking: readonly PositionRank[], count: number): PatchClass[] {
  const classes = new Array<PatchClass>(ranking.length).fill('regular');
  for (const { patch } of ranking.slice(0, Math.max(0, count))) classes[patch] = 'outlier';
  return classes;
}

/**
 * Static VDPC: classes by position, row-major. Positions that were outlier class in more than half of the calibration
 * images are, the best-ranked `maxOutlierPatches` of them where there are more.
 */
export function staticClasses(
  statistics: PatchStatistics,
  bounds: PatchBounds,
  phi: number,
  epsilon: number,
  maxOutlierPatches = Infinity,
): PatchClass[] {
  return frequentPositions(rankPositions(statistics, bounds, phi, epsilon), maxOutlierPatches);
}

/** {@link staticClasses} from a ranking. */
export function frequentPositions(ranking: readonly PositionRank[], maxOutlierPatches = Infinity): PatchClass[] {
  const frequent = ranking.filter((r) => r.frequency > 0.5).length;
  return topPositions(ranking, Math.min(frequent, maxOutlierPatches));
}
