import type { MapStatistics } from '../calibration/types';

/** A normal distribution fitted to values. */
export interface Gaussian {
  readonly mean: number;
  /** Standard deviation, > 0. */
  readonly sigma: number;
}

/** Fit by moments over all channels of a map, each of which has the same number of values. */
export function fitGaussian(statistics: Pick<MapStatistics, 'mean' | 'variance'>): Gaussian {
  const channels = statistics.mean.length;
  const mean = statistics.mean.reduce((a, b) => a + b, 0) / channels;
  let variance = 0;
  for (let c = 0; c < channels; c++) variance += statistics.variance[c] + (statistics.mean[c] - mean) ** 2;
  // A map that does not change has no spread; any positive one serves.
  return { mean, sigma: Math.max(Math.sqrt(variance / channels), 1e-30) };
}

/**
 * z with P(Z ≤ z) = p for the standard normal distribution, to about 16 digits: algorithm AS 241 (PPND16), Wichura,
 * "The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988). −∞ and ∞ at 0 and 1.
 *
 * @throws RangeError unless 0 ≤ p ≤ 1
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`${p} is not a probability`);
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  const q = p - 0.5;
  return Math.abs(q) <= 0.425 ? centralQuantile(q) : Math.sign(q) * tailQuantile(q < 0 ? p : 1 - p);
}

/**
 * z with P(|Z| ≤ z) = φ: half the width, in standard deviations, of the band that holds the share φ of a Gaussian's
 * mass.
 */
export function zOfMass(phi: number): number {
  if (!(phi >= 0 && phi <= 1)) throw new RangeError(`φ = ${phi} is not a share; it must be between 0 and 1`);
  // The mass outside is formed first: 1 − φ is exact for φ ≥ ½, (1 + φ) / 2 is not, and the tail is what counts.
  return phi <= 0.85 ? centralQuantile(phi / 2) : phi === 1 ? Infinity : tailQuantile((1 - phi) / 2);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let y = 0;
  for (const c of coefficients) y = y * x + c;
  return y;
}

// The coefficients are as published, with more digits than a double holds.
/* eslint-disable no-loss-of-precision */

/** |q| ≤ 0.425; quantile of ½ + q. */
function centralQuantile(q: number): number {
  const r = 0.180625 - q * q;
  const a = [
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
    1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
  ];
  const b = [
    5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
    687.1870074920579083, 42.313330701600911252, 1,
  ];
  return (q * polynomial(a, r)) / polynomial(b, r);
}

/** Quantile of 1 − tail, for 0 < tail ≤ 0.075. */
function tailQuantile(tail: number): number {
  const r = Math.sqrt(-Math.log(tail));
  if (r <= 5) {
    const c = [
      7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
      3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
    ];
    const d = [
      1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
      0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1,
    ];
    return polynomial(c, r - 1.6) / polynomial(d, r - 1.6);
  }
  const e = [
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
    0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
  ];
  const f = [
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
    0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1,
  ];
  return polynomial(e, r - 5) / polynomial(f, r - 5);
}

/* eslint-enable no-loss-of-precision */

/** Density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}
