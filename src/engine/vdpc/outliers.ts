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
 * Outliers of every patch under the band of ±z standard deviations, from the cells that the patch itself covers (without halo). A cell or bin that is cut
 * counts in proportion.
 */
export function patchOutliers(statistics: PatchStatistics, bounds: PatchBounds, z: number): PatchOutliers {
  const { images, cellRows, cellCols } = statistics;
  const patches = patchCount(bounds);
  const rowWeights = coverage(bounds.rows, cellRows);
  const colWeights = coverage(bounds.cols, cellCols);
  const patchCols = colWeights.length;
  const cells = cellRows * cellCols;
  const tail = tailWeights(statistics, z);
  const outside = new Float64Array(cells);
  const total = new Float64Array(cells);
  const shares = new Float64Array(images * patches);
  const counts = new Float64Array(images * patches);
  for (let image = 0; image < images; image++) {
    cellSums(statistics, image, tail, outside, total);
    rowWeights.forEach((rows, r) => {
      colWeights.forEach((cols, c) => {
        let out = 0;
        let all = 0;
        for (const [row, rowWeight] of rows) {
          for (const [col, colWeight] of cols) {
            const weight = rowWeight * colWeight;
            out += weight * outside[row * cellCols + col];
            all += weight * total[row * cellCols + col];
          }
        }
        const at = image * patches + r * patchCols + c;
        counts[at] = out;
        shares[at] = all === 0 ? 0 : out / all;
      });
    });
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

/** Share of each bin that lies outside ±z. The open-ended bins are taken as if they ended at the range, so beyond the range nothing is outside. */
function tailWeights({ bins, zRange }: PatchStatistics, z: number): Float64Array {
  const width = (2 * zRange) / bins;
  return Float64Array.from({ length: bins }, (_, k) => {
    const low = -zRange + k * width;
    const inside = Math.max(0, Math.min(low + width, z) - Math.max(low, -z));
    return 1 - inside / width;
  });
}

function cellSums({ counts, cellRows, cellCols, bins }: PatchStatistics, image: number, tail: Float64Array, outside: Float64Array, total: Float64Array): void {
  const cells = cellRows * cellCols;
  for (let cell = 0, at = image * cells * bins; cell < cells; cell++) {
    let out = 0;
    let all = 0;
    for (let k = 0; k < bins; k++, at++) {
      const n = counts[at];
      all += n;
      out += n * tail[k];
    }
    outside[cell] = out;
    total[cell] = all;
  }
}
