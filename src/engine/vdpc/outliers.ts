import type { PatchStatistics } from '../calibration/types';
import { patchCount, type PatchBounds } from './patchBounds';

/** Outliers per image and patch. Arrays are [images][patches], patches row-major. */
export interface PatchOutliers {
  readonly images: number;
  readonly patches: number;
  /** Share of the patch's values outside the band. */
  readonly shares: Float64Array;
  /** How many of the observed values that is. */
  readonly counts: Float64Array;
}

/**
 * Distribution of the reference map's values in every patch: [images][patches][bins], patches row-major. Any φ is
 * answered from it.
 */
export interface PatchHistograms {
  readonly images: number;
  readonly patches: number;
  readonly bins: number;
  readonly zRange: number;
  readonly values: Float64Array;
}

/** Sums the cells that each patch itself covers (without halo); a cell that is cut counts in proportion. */
export function patchHistograms(
  { images, cellRows, cellCols, bins, zRange, counts }: PatchStatistics,
  bounds: PatchBounds,
): PatchHistograms {
  const patches = patchCount(bounds);
  const values = new Float64Array(images * patches * bins);
  const colWeights = coverage(bounds.cols, cellCols);
  coverage(bounds.rows, cellRows).forEach((rows, r) => {
    colWeights.forEach((cols, c) => {
      for (const [row, rowWeight] of rows) {
        for (const [col, colWeight] of cols) {
          const weight = rowWeight * colWeight;
          for (let image = 0; image < images; image++) {
            const from = ((image * cellRows + row) * cellCols + col) * bins;
            const to = (image * patches + r * colWeights.length + c) * bins;
            for (let k = 0; k < bins; k++) values[to + k] += weight * counts[from + k];
          }
        }
      }
    });
  });
  return { images, patches, bins, zRange, values };
}

/** Outliers of every patch under the band of ±z standard deviations; a bin that the band cuts counts in proportion. */
export function patchOutliers(histograms: PatchHistograms, z: number): PatchOutliers {
  const { images, patches, bins, values } = histograms;
  const tail = tailWeights(histograms, z);
  const shares = new Float64Array(images * patches);
  const counts = new Float64Array(images * patches);
  for (let i = 0; i < shares.length; i++) {
    let all = 0;
    for (let k = 0; k < bins; k++) {
      all += values[i * bins + k];
      counts[i] += values[i * bins + k] * tail[k];
    }
    shares[i] = all === 0 ? 0 : counts[i] / all;
  }
  return { images, patches, shares, counts };
}

/** For each span between bounds: the cells it touches and the share of each that it covers. */
function coverage(bounds: readonly number[], cells: number): [number, number][][] {
  return bounds.slice(1).map((end, i) => {
    const low = bounds[i] * cells;
    const high = end * cells;
    const touched: [number, number][] = [];
    for (let cell = Math.floor(low + 1e-9); cell < Math.min(cells, high - 1e-9); cell++) {
      touched.push([cell, Math.min(high, cell + 1) - Math.max(low, cell)]);
    }
    return touched;
  });
}

/**
 * Share of each bin that lies outside ±z. The open-ended bins are taken as if they ended at the range, so beyond the
 * range nothing is outside.
 */
function tailWeights({ bins, zRange }: PatchHistograms, z: number): Float64Array {
  const width = (2 * zRange) / bins;
  return Float64Array.from({ length: bins }, (_, k) => {
    const low = -zRange + k * width;
    const inside = Math.max(0, Math.min(low + width, z) - Math.max(low, -z));
    return 1 - inside / width;
  });
}
