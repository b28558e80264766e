import type { Clamp } from '../graph/types';
import { sampledSystem, type Prediction, type SampledSystem } from './sampledSystem';
import { algebra } from './simd/algebra';
import { solver } from './solver';

/**
 * Sampled rows of one layer, or of one group of it: what it reads as integers and what the float network computes there
 * before its clamp.
 */
export interface Samples {
  /** Taps of one output: kernel positions × input channels. */
  readonly taps: number;
  readonly outputs: number;
  readonly rows: number;
  /** Codes minus zero point, [taps][rows]; 0 on padding. */
  readonly codes: Int16Array;
  /** Real values, [outputs][rows]. */
  readonly targets: Float32Array;
}

/** Result of {@link fitWeights}, in real units per code. */
export interface Fit {
  /** [outputs][taps] */
  readonly weights: Float64Array;
  /** E[codes], [taps]. */
  readonly codeMean: Float64Array;
  /** E[target], [outputs], the targets beyond the clamp replaced. */
  readonly targetMean: Float64Array;
  /** E[q·qᵀ] of the centered codes with a little damping, for rounding; [taps][taps]. */
  readonly hessian: Float64Array;
}

/**
 * Damping of the H that weights are rounded with: how errors of rounding add up is known well, how the fit would
 * generalize is not.
 */
const ROUNDING_DAMPING = 0.05;
/** Times that targets beyond the clamp are replaced by what the fit predicts. */
const CLIP_ROUNDS = 2;

/**
 * Least squares weights for integer inputs that differ from the float network's, close to the given ones:
 *
 *     H = E[q·qᵀ],  Hd = H + λ·mean(diag H)·I,  W' = W + E[(y − W·q)·qᵀ]·Hd⁻¹ = (E[y·qᵀ] + d·W)·Hd⁻¹,  all centered.
 *
 * Where the clamp cuts the target off, any prediction beyond the bound is as good: the target is replaced by the
 * prediction if that lies beyond, by the bound if not, and the system solved again (docs/algorithm.md, "Error
 * compensation").
 *
 * @param weights [outputs][taps], with the input's scales folded in
 * @param damping λ ≥ 0
 */
export function fitWeights(samples: Samples, weights: Float64Array, clamp: Clamp, damping: number): Fit {
  return dampedFit(sampledSystem(samples.codes, samples.taps, samples.rows), samples.targets, weights, clamp, damping);
}

/** {@link fitWeights} of a system that is there already, and stays. @param targets [outputs][rows] */
export function dampedFit(
  system: SampledSystem,
  targets: Float32Array,
  weights: Float64Array,
  clamp: Clamp,
  damping: number,
): Fit {
  const { taps, rows } = system;
  const outputs = weights.length / taps;
  const hessian = system.covariance();
  let trace = 0;
  for (let k = 0; k < taps; k++) trace += hessian[k * taps + k];
  const d = Math.max((damping * trace) / taps, 1e-9);
  for (let k = 0; k < taps; k++) hessian[k * taps + k] += d;
  const simd = algebra();
  const mark = simd?.mark() ?? 0;
  const factored = solver(hessian, taps);
  // Rows of codes are centered, so that any offset of the targets drops out of the sums: their means are subtracted as
  // far as they are known.
  let targetMean: Float64Array = Float64Array.from({ length: outputs }, (_, o) => targets[o * rows]);
  const solve = (prediction: Prediction | null): Float64Array => {
    const { products, means } = system.correlate(targets, targetMean, prediction);
    for (let i = 0; i < products.length; i++) products[i] += d * weights[i];
    factored.solve(products, outputs);
    targetMean = means;
    return products;
  };
  let fitted = solve(null);
  if (clamp.min !== null || clamp.max !== null) {
    for (let round = 0; round < CLIP_ROUNDS; round++) fitted = solve({ weights: fitted, clamp });
  }
  simd?.release(mark);
  for (let k = 0; k < taps; k++) hessian[k * taps + k] += Math.max((ROUNDING_DAMPING * trace) / taps, 1e-9) - d;
  return { weights: fitted, codeMean: system.mean, targetMean, hessian };
}
