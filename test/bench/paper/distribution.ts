import { calibrateCached, defaultCachePath } from '../../../src/engine/calibration/cache';
import { loadPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import { importModel } from '../../../src/engine/onnx';
import { outlierMarks } from '../../../src/engine/vdpc/classify';
import { zOfMass } from '../../../src/engine/vdpc/gaussian';
import { patchHistograms, patchOutliers } from '../../../src/engine/vdpc/outliers';
import { equalBounds } from '../../../src/engine/vdpc/patchBounds';

/** Patches of the figure: as in Figure 5. */
const GRID = 4;

/** Values of the map that patches are classified by. */
export interface Distribution {
  readonly map: string;
  readonly images: number;
  readonly mean: number;
  readonly sigma: number;
  /** Bins are equally spaced from −zRange to zRange standard deviations; the outermost hold all beyond. */
  readonly zRange: number;
  /** Share of the values in each bin. */
  readonly shares: readonly number[];
  /** Of each φ: the share of the values outside its band, and of the patches with any such value. */
  readonly outliers: readonly { readonly phi: number; readonly values: number; readonly patches: number }[];
}

/**
 * How the values of a model's reference map are distributed over calibration images; null where it has none.
 *
 * @param preprocess name of a preset
 */
export async function distributionOf(
  model: string,
  images: string,
  limit: number,
  preprocess: string,
  phis: readonly number[],
): Promise<Distribution | null> {
  const graph = await importModel(model, {});
  const samples = await listSamples(images, graph, limit);
  const silent = { report: () => undefined, isCancelled: () => false };
  const { patches } = await calibrateCached(
    graph,
    model,
    samples,
    await loadPreprocess(preprocess),
    defaultCachePath(),
    silent,
    [],
  );
  if (!patches) return null;
  const { bins, counts, mean, sigma, zRange } = patches;
  const sums = new Float64Array(bins);
  counts.forEach((count, i) => (sums[i % bins] += count));
  const total = sums.reduce((a, b) => a + b, 0);
  const histograms = patchHistograms(patches, equalBounds(GRID, GRID));
  const average = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
  return {
    ...{ map: graph.maps[patches.map].name, images: patches.images, mean, sigma, zRange },
    shares: Array.from(sums, (s) => s / total),
    outliers: phis.map((phi) => {
      const outliers = patchOutliers(histograms, zOfMass(phi));
      return { phi, values: average(outliers.shares), patches: average(outlierMarks(outliers, 0)) };
    }),
  };
}
