import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PatchCollector } from '../../../src/engine/calibration/patchStatistics';
import type { PatchStatistics } from '../../../src/engine/calibration/types';
import { outlierMarks, rankPositions, staticClasses, topPositions } from '../../../src/engine/vdpc/classify';
import { zOfMass } from '../../../src/engine/vdpc/gaussian';
import { patchHistograms, patchOutliers } from '../../../src/engine/vdpc/outliers';
import { boundsOfSpans, equalBounds } from '../../../src/engine/vdpc/patchBounds';
import { randomClasses } from '../../../src/engine/vdpc/random';
import { runtimeTest } from '../../../src/engine/vdpc/runtime';
import { phiSweep, valueDistribution } from '../../../src/engine/vdpc/sweep';
import { randomNumbers } from '../../support/onnxOracle';

const [H, W, C] = [48, 48, 4];

/** Maps that are quiet but for a loud square; its top left corner per image. */
function observe(
  corners: readonly (readonly [number, number])[],
  size = 16,
): { statistics: PatchStatistics; maps: Float32Array[] } {
  const random = randomNumbers(2);
  const collector = new PatchCollector({ map: 0, source: 'preActivation' }, { h: H, w: W, c: C });
  const maps = corners.map(([y0, x0]) => {
    const values = new Float32Array(H * W * C);
    for (let i = 0; i < values.length; i++) {
      const [y, x] = [Math.floor(i / C / W), Math.floor(i / C) % W];
      const loud = y >= y0 && y < y0 + size && x >= x0 && x < x0 + size;
      values[i] = (random() + random() + random()) * (loud ? 6 : 1);
    }
    collector.add(values, 'HWC');
    return values;
  });
  return { statistics: collector.finish(), maps };
}

describe('classes of patches', () => {
  const everywhere: [number, number][] = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [32, 32],
    [16, 16],
  ];

  it('find the share of outliers of each patch as direct counting does, for any grid', () => {
    const { statistics, maps } = observe(everywhere);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0.5, max: 0.999, noNaN: true }),
        (rows, cols, phi) => {
          const z = zOfMass(phi);
          const { shares } = patchOutliers(patchHistograms(statistics, equalBounds(rows, cols)), z);
          // 24 cells along each axis: grids that divide them are answered exactly but for the single values that bins
          // move, others cut cells.
          const tolerance = 24 % rows === 0 && 24 % cols === 0 ? 0.04 : 0.08;
          maps.forEach((values, image) => {
            for (let r = 0; r < rows; r++) {
              for (let c = 0; c < cols; c++) {
                let outside = 0;
                let all = 0;
                // The patch's own pixels; a pixel that the border cuts counts in proportion, as a cell does.
                for (let y = 0; y < H; y++) {
                  const wy = Math.max(0, Math.min(y + 1, ((r + 1) * H) / rows) - Math.max(y, (r * H) / rows));
                  if (wy === 0) continue;
                  for (let x = 0; x < W; x++) {
                    const weight =
                      wy * Math.max(0, Math.min(x + 1, ((c + 1) * W) / cols) - Math.max(x, (c * W) / cols));
                    if (weight === 0) continue;
                    for (let k = 0; k < C; k++) {
                      all += weight;
                      if (Math.abs(values[(y * W + x) * C + k] - statistics.mean) > z * statistics.sigma)
                        outside += weight;
                    }
                  }
                }
                const share = shares[image * rows * cols + r * cols + c];
                assert.ok(
                  Math.abs(share - outside / all) < tolerance,
                  `${rows}×${cols} (${r},${c}): ${share} instead of ${outside / all}`,
                );
              }
            }
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('rank positions by how often they are outlier patches, ties by their share', () => {
    const { statistics } = observe(everywhere);
    const ranking = rankPositions(statistics, equalBounds(3, 3), 0.99, 0.01);
    assert.deepEqual(
      ranking.map((r) => r.patch).sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(ranking[0].patch, 0);
    assert.deepEqual(
      ranking
        .slice(1, 3)
        .map((r) => r.patch)
        .sort(),
      [4, 8],
    );
    assert.ok(Math.abs(ranking[0].frequency - 4 / 6) < 1e-9 && Math.abs(ranking[1].frequency - 1 / 6) < 1e-9);
    for (let i = 1; i < ranking.length; i++) {
      const [a, b] = [ranking[i - 1], ranking[i]];
      assert.ok(a.frequency > b.frequency || (a.frequency === b.frequency && a.meanShare >= b.meanShare));
    }
    assert.deepEqual(staticClasses(statistics, equalBounds(3, 3), 0.99, 0.01), [
      'outlier',
      ...new Array<string>(8).fill('regular'),
    ]);
    assert.deepEqual(staticClasses(statistics, equalBounds(3, 3), 0.99, 0.01, 0), new Array(9).fill('regular'));
    assert.equal(topPositions(ranking, 3).filter((c) => c === 'outlier').length, 3);
    assert.equal(topPositions(ranking, 100).length, 9);
  });

  it('mark more with a lower φ or ε, and most by the literal rule', () => {
    const { statistics } = observe(everywhere);
    const bounds = equalBounds(3, 4);
    let previous = Infinity;
    for (const phi of [0.5, 0.9, 0.99, 0.999]) {
      const outliers = patchOutliers(patchHistograms(statistics, bounds), zOfMass(phi));
      const marked = [0, 0.01, 0.1].map((epsilon) => outlierMarks(outliers, epsilon).reduce((a, b) => a + b, 0));
      assert.ok(marked[0] >= marked[1] && marked[1] >= marked[2] && marked[1] <= previous);
      previous = marked[1];
    }
    assert.equal(
      outlierMarks(patchOutliers(patchHistograms(statistics, bounds), Infinity), 0).some((m) => m === 1),
      false,
    );
    assert.equal(
      outlierMarks(patchOutliers(patchHistograms(statistics, bounds), 0), 0.5).every((m) => m === 1),
      true,
    );
  });

  it('take the planner’s spans as they are', () => {
    const bounds = boundsOfSpans(
      [
        { begin: 0, end: 3 },
        { begin: 3, end: 7 },
      ],
      [{ begin: 0, end: 5 }],
    );
    assert.deepEqual(bounds, { rows: [0, 3 / 7, 1], cols: [0, 1] });
    const { statistics } = observe([[0, 0]]);
    const { shares } = patchOutliers(patchHistograms(statistics, { rows: [0, 1 / 3, 1], cols: [0, 1 / 3, 1] }), 2);
    assert.ok(shares[0] > 0.1 && shares[1] === 0 && shares[2] === 0 && shares[3] === 0, [...shares].join());
  });

  it('give the firmware real thresholds', () => {
    const { statistics } = observe([[0, 0]]);
    const test = runtimeTest(statistics, 0.95, 0.01);
    assert.ok(Math.abs(test.high - (statistics.mean + 1.959963984540054 * statistics.sigma)) < 1e-6);
    assert.ok(Math.abs(test.low - (statistics.mean - 1.959963984540054 * statistics.sigma)) < 1e-6);
    assert.equal(test.epsilon, 0.01);
  });

  it('draw random positions of a given number, evenly', () => {
    const hits = new Float64Array(10);
    for (let seed = 0; seed < 2000; seed++) {
      const classes = randomClasses(10, 3, seed);
      assert.equal(classes.filter((c) => c === 'outlier').length, 3);
      classes.forEach((c, i) => (hits[i] += c === 'outlier' ? 1 : 0));
    }
    assert.ok(
      hits.every((n) => n > 500 && n < 700),
      [...hits].join(),
    );
    assert.deepEqual(randomClasses(9, 4, 5), randomClasses(9, 4, 5));
    assert.deepEqual(randomClasses(2, 9, 1), ['outlier', 'outlier']);
  });

  it('sweep φ for the plot, beside random assignments of the same share', () => {
    const { statistics } = observe(everywhere);
    const sweep = phiSweep(statistics, equalBounds(3, 3), 0.01);
    for (let i = 1; i < sweep.length; i++) {
      assert.ok(
        sweep[i].share <= sweep[i - 1].share &&
          sweep[i].anyOutlier <= sweep[i - 1].anyOutlier &&
          sweep[i].anyOutlier >= sweep[i].share,
      );
    }
    assert.ok(sweep[0].share > 0.9 && sweep[sweep.length - 1].share < 0.2);
    for (const p of sweep)
      assert.equal(p.random.filter((c) => c === 'outlier').length, p.classes.filter((c) => c === 'outlier').length);
  });

  it('show the distribution with its fit', () => {
    const { statistics } = observe(
      [
        [0, 0],
        [0, 0],
      ],
      48,
    );
    const bars = valueDistribution(statistics);
    const sum = (f: (b: (typeof bars)[0]) => number): number => bars.reduce((a, b) => a + f(b), 0);
    assert.ok(Math.abs(sum((b) => b.share) - 1) < 1e-9 && Math.abs(sum((b) => b.gaussian) - 1) < 1e-5);
    assert.ok(Math.abs(sum((b) => b.share * b.value) - statistics.mean) < 0.02 * statistics.sigma);
    // Sums of three uniform numbers are nearly Gaussian.
    assert.ok(sum((b) => Math.abs(b.share - b.gaussian)) < 0.1);
  });
});
