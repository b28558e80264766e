import type { PatchStatistics } from '../calibration/types';
import type { PatchClass } from '../graph/bits';
import { frequentPositions, outlierMarks, rankOutliers } from './classify';
import { normalDensity, zOfMass } from './gaussian';
import { patchHistograms, patchOutliers } from './outliers';
import type { PatchBounds } from './patchBounds';
import { randomClasses } from './random';
import { nonOutlierBand } from './threshold';

/** What one φ does. Shares are over images and patches, 0…1. */
export interface PhiPoint {
  readonly phi: number;
  readonly z: number;
  readonly low: number;
  readonly high: number;
  /** Outlier patches by the paper's literal rule. */
  readonly anyOutlier: number;
  /** Outlier patches by the ε rule, as the runtime test would find them. */
  readonly share: number;
  /** Static classes, row-major: positions marked in more than half of the images. */
  readonly classes: readonly PatchClass[];
  /** As many outlier positions, drawn at random: the assignment to compare with. */
  readonly random: readonly PatchClass[];
}

/** Values of φ that a plot shows: dense towards 1, where it matters. */
export const SWEEP_PHIS: readonly number[] = [
  0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999, 0.9995,
  0.9999, 0.99999,
];

/** Share of outlier patches against φ, from statistics alone. @param seed of the random assignments */
export function phiSweep(
  statistics: PatchStatistics,
  bounds: PatchBounds,
  epsilon: number,
  phis: readonly number[] = SWEEP_PHIS,
  seed = 1,
): PhiPoint[] {
  const histograms = patchHistograms(statistics, bounds);
  return phis.map((phi) => {
    const z = zOfMass(phi);
    const outliers = patchOutliers(histograms, z);
    const mean = (marks: Uint8Array): number => marks.reduce((a, b) => a + b, 0) / marks.length;
    const classes = frequentPositions(rankOutliers(outliers, epsilon));
    return {
      phi,
      z,
      ...nonOutlierBand(statistics, phi),
      anyOutlier: mean(outlierMarks(outliers, 0)),
      share: mean(outlierMarks(outliers, epsilon)),
      classes,
      random: randomClasses(classes.length, classes.filter((c) => c === 'outlier').length, seed),
    };
  });
}

/** One bar of the distribution of the reference map's values. */
export interface DistributionBar {
  /** Center of the bar; the first and the last hold everything beyond, too. */
  readonly value: number;
  readonly z: number;
  /** Share of the values. */
  readonly share: number;
  /** Share that the fitted Gaussian has there. */
  readonly gaussian: number;
}

/** Distribution of the reference map's values over all images and cells, with its Gaussian fit. */
export function valueDistribution(statistics: PatchStatistics): DistributionBar[] {
  const { bins, zRange, mean, sigma, counts } = statistics;
  const sums = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    sums[i % bins] += counts[i];
    total += counts[i];
  }
  const width = (2 * zRange) / bins;
  return Array.from(sums, (sum, k) => {
    const z = -zRange + (k + 0.5) * width;
    return { value: mean + z * sigma, z, share: total === 0 ? 0 : sum / total, gaussian: normalDensity(z) * width };
  });
}
