import type { Clamp } from '../graph/types';
import { dampedFit, type Samples } from './leastSquares';
import { predictor, type Predictor } from './predictor';
import { sampledSystem, type SampledSystem } from './sampledSystem';

/** Dampings to choose from, ascending. */
export const DAMPINGS: readonly number[] = [1 / 32, 1 / 8, 1 / 2, 2, 8, 32, 128, 512];
/** Where there is nothing to choose by. */
export const USUAL_DAMPING = 2;
/** One image in so many is kept back. */
const KEPT_BACK = 4;
/** Fewer images say too little. */
const LEAST_IMAGES = 16;
/** Outputs that are compared: dampings differ alike for all of a layer. */
const MOST_OUTPUTS = 32;

/**
 * The damping of a dense layer's fit by cross-validation: fitted on three quarters of the images, it is the one of
 * least squared error, after the layer's clamp, on the others. How much a layer can be fitted depends on how many
 * independent samples there are for its taps (one per image where the map is a single pixel) and on how much noise it
 * reads; both differ by orders of magnitude between the layers of one network. The error is taken to have one minimum
 * over {@link DAMPINGS}.
 *
 * @param samples of the layer, rows ordered by image
 * @param weights that the fit stays close to, [outputs][taps]
 * @param images that the rows are of, as many of each
 */
export function chooseDamping(samples: Samples, weights: Float64Array, clamp: Clamp, images: number): number {
  if (images < LEAST_IMAGES) return USUAL_DAMPING;
  const trial = new Trial(samples, weights, clamp, images);
  const errors = new Map<number, number>();
  const error = (i: number): number => {
    if (i < 0 || i >= DAMPINGS.length) return Infinity;
    let value = errors.get(i);
    if (value === undefined) errors.set(i, (value = trial.error(DAMPINGS[i])));
    return value;
  };
  const usual = DAMPINGS.indexOf(USUAL_DAMPING);
  let best = usual;
  while (error(best + 1) < error(best)) best++;
  if (best === usual) while (error(best - 1) < error(best)) best--;
  return DAMPINGS[best];
}

/** Fits on some images, and measures on the others. */
class Trial {
  private readonly fitted: Samples;
  private readonly kept: Samples;
  private readonly weights: Float64Array;
  private readonly system: SampledSystem;
  private readonly predictor: Predictor;

  constructor(
    samples: Samples,
    weights: Float64Array,
    private readonly clamp: Clamp,
    images: number,
  ) {
    const { taps, outputs, rows } = samples;
    const count = Math.min(outputs, MOST_OUTPUTS);
    const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * outputs) / count));
    const all = Array.from({ length: images }, (_, i) => i);
    const isKept = (image: number): boolean => image % KEPT_BACK === KEPT_BACK - 1;
    this.fitted = selectRows(
      samples,
      chosen,
      all.filter((i) => !isKept(i)),
      rows / images,
    );
    this.kept = selectRows(samples, chosen, all.filter(isKept), rows / images);
    this.weights = new Float64Array(count * taps);
    chosen.forEach((o, at) => this.weights.set(weights.subarray(o * taps, (o + 1) * taps), at * taps));
    this.system = sampledSystem(this.fitted.codes, taps, this.fitted.rows);
    this.predictor = predictor(this.kept);
  }

  /** Σ of squared errors on the images kept back. */
  error(damping: number): number {
    const { taps, rows, targets } = this.kept;
    const { min, max } = this.clamp;
    const clamped = (v: number): number => Math.max(min ?? -Infinity, Math.min(max ?? Infinity, v));
    const fit = dampedFit(this.system, this.fitted.targets, this.weights, this.clamp, damping);
    const offsets = fit.targetMean.map((mean, o) => {
      for (let k = 0; k < taps; k++) mean -= fit.weights[o * taps + k] * fit.codeMean[k];
      return mean;
    });
    let sum = 0;
    this.predictor.predict(fit.weights, offsets, (o, predicted) => {
      for (let t = 0; t < rows; t++) sum += (clamped(predicted[t]) - clamped(targets[o * rows + t])) ** 2;
    });
    return sum;
  }
}

/** Samples of some outputs on some images. */
function selectRows(
  { taps, rows, codes, targets }: Samples,
  outputs: readonly number[],
  images: readonly number[],
  perImage: number,
): Samples {
  const count = images.length * perImage;
  const result = {
    taps,
    outputs: outputs.length,
    rows: count,
    codes: new Int16Array(taps * count),
    targets: new Float32Array(outputs.length * count),
  };
  images.forEach((image, i) => {
    const from = image * perImage;
    for (let k = 0; k < taps; k++)
      result.codes.set(codes.subarray(k * rows + from, k * rows + from + perImage), k * count + i * perImage);
    outputs.forEach((o, at) =>
      result.targets.set(targets.subarray(o * rows + from, o * rows + from + perImage), at * count + i * perImage),
    );
  });
  return result;
}
