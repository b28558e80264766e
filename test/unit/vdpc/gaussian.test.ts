import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fitGaussian, normalDensity, normalQuantile, zOfMass } from '../../../src/engine/vdpc/gaussian';
import { nonOutlierBand } from '../../../src/engine/vdpc/threshold';

const relative = (a: number, b: number, tolerance: number): void =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.abs(b), `${a} instead of ${b}`);

describe('Gaussian quantiles', () => {
  it('equal high-precision values (mpmath, 40 digits)', () => {
    const quantiles: [number, number][] = [
      [1e-20, -9.262340089798407],
      [1e-8, -5.612001244174789],
      [0.001, -3.0902323061678136],
      [0.25, -0.6744897501960817],
      [0.42, -0.20189347914185085],
      [0.7, 0.5244005127080408],
      [0.975, 1.9599639845400543],
      [0.99999, 4.264890793922825],
    ];
    for (const [p, z] of quantiles) relative(normalQuantile(p), z, 1e-11);
    const masses: [number, number][] = [
      [0.1, 0.12566134685507402],
      [0.5, 0.6744897501960817],
      [0.84, 1.4050715603096327],
      [0.86, 1.4757910281791706],
      [0.96, 2.053748910631823],
      [0.999, 3.290526731491895],
      [0.9999999, 5.326723886384496],
    ];
    for (const [phi, z] of masses) relative(zOfMass(phi), z, 1e-9);
  });

  it('invert the integral of the density', () => {
    // Simpson's rule between −z and z is the mass that z was asked for.
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.99999, noNaN: true }), (phi) => {
        const z = zOfMass(phi);
        const n = 2000;
        let sum = normalDensity(-z) + normalDensity(z);
        for (let i = 1; i < n; i++) sum += normalDensity(-z + (2 * z * i) / n) * (i % 2 === 1 ? 4 : 2);
        assert.ok(Math.abs((sum * 2 * z) / n / 3 - phi) < 1e-9);
        assert.ok(Math.abs(normalQuantile((1 + phi) / 2) - z) < 1e-6);
        assert.ok(Math.abs(normalQuantile((1 - phi) / 2) + z) < 1e-6);
      }),
    );
  });

  it('have their ends and refuse what is no share', () => {
    assert.deepEqual(
      [zOfMass(0), zOfMass(1), normalQuantile(0), normalQuantile(1), normalQuantile(0.5)],
      [0, Infinity, -Infinity, Infinity, 0],
    );
    for (const bad of [-0.1, 1.1, NaN]) {
      assert.throws(() => zOfMass(bad), RangeError);
      assert.throws(() => normalQuantile(bad), RangeError);
    }
  });

  it('bound the band around the mean', () => {
    const band = nonOutlierBand({ mean: 2, sigma: 3 }, 0.95);
    relative(band.high, 2 + 3 * 1.959963984540054, 1e-9);
    relative(band.low, 2 - 3 * 1.959963984540054, 1e-9);
    assert.deepEqual(nonOutlierBand({ mean: 2, sigma: 3 }, 1), { low: -Infinity, high: Infinity });
  });

  it('fit over channels by total variance', () => {
    // Channels {0, 2} and {10, 14}: mean 6.5, variance of all four values.
    const fit = fitGaussian({ mean: Float64Array.of(1, 12), variance: Float64Array.of(1, 4) });
    relative(fit.mean, 6.5, 1e-12);
    relative(fit.sigma, Math.sqrt((6.5 ** 2 + 4.5 ** 2 + 3.5 ** 2 + 7.5 ** 2) / 4), 1e-12);
    assert.ok(fitGaussian({ mean: Float64Array.of(1), variance: Float64Array.of(0) }).sigma > 0);
  });
});
