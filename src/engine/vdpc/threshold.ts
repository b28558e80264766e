import { zOfMass, type Gaussian } from './gaussian';

/** Values inside [low, high] are not outliers. */
export interface Band {
  readonly low: number;
  readonly high: number;
}

/**
 * The band μ ± z_φ·σ that holds the share φ of the fitted Gaussian's mass. Unbounded for φ = 1.
 *
 * @throws RangeError unless 0 ≤ φ ≤ 1
 */
export function nonOutlierBand(fit: Gaussian, phi: number): Band {
  const z = zOfMass(phi);
  return { low: fit.mean - z * fit.sigma, high: fit.mean + z * fit.sigma };
}
