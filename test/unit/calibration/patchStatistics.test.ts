import assert from 'node:assert/strict';
import { cellsAlong, PatchCollector, patchReference } from '../../../src/engine/calibration/patchStatistics';
import type { PatchStatistics } from '../../../src/engine/calibration/types';
import { GraphBuilder } from '../../support/graphBuilder';
import { randomNumbers } from '../../support/onnxOracle';

/**
 * Values that resemble a first convolution's: Gaussian of a spread that differs between images and from left to right.
 */
function sampleMaps(images: number, h: number, w: number, c: number): Float32Array[] {
  const random = randomNumbers(5);
  const gauss = (): number => Math.sqrt(-2 * Math.log((random() + 1) / 2 + 1e-12)) * Math.cos(Math.PI * random());
  return Array.from({ length: images }, (_, n) =>
    Float32Array.from({ length: h * w * c }, (_v, i) => 0.5 + gauss() * (1 + n / 4 + (Math.floor(i / c) % w) / w)),
  );
}

/** Counts of a cell's values at or above z, up to the next bin edge. */
function above(s: PatchStatistics, image: number, cell: number, bin: number): number {
  const at = (image * s.cellRows * s.cellCols + cell) * s.bins;
  return s.counts.subarray(at + bin, at + s.bins).reduce((a, b) => a + b, 0);
}

describe('patch statistics', () => {
  it('hold the Gaussian fit and each cell’s distribution over all images', () => {
    const [h, w, c] = [32, 48, 5];
    const maps = sampleMaps(4, h, w, c);
    const collector = new PatchCollector({ map: 1, source: 'preActivation' }, { h, w, c });
    for (const values of maps) collector.add(values, 'HWC');
    const s = collector.finish();
    const all = maps.flatMap((m) => [...m]);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    const sigma = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length);
    assert.ok(Math.abs(s.mean - mean) < 1e-9 && Math.abs(s.sigma - sigma) < 1e-9);
    assert.deepEqual([s.images, s.cellRows, s.cellCols], [4, 16, 24]);
    let error = 0;
    let tested = 0;
    maps.forEach((values, image) => {
      for (let cell = 0; cell < s.cellRows * s.cellCols; cell++) {
        const [row, col] = [Math.floor(cell / s.cellCols), cell % s.cellCols];
        const own: number[] = [];
        for (let y = row * 2; y < row * 2 + 2; y++)
          for (let x = col * 2; x < col * 2 + 2; x++) for (let k = 0; k < c; k++) own.push(values[(y * w + x) * c + k]);
        assert.equal(above(s, image, cell, 0), own.length, 'every value is counted once');
        for (const bin of [40, 64, 96]) {
          const value = mean + sigma * (-s.zRange + (bin * 2 * s.zRange) / s.bins);
          error += Math.abs(above(s, image, cell, bin) - own.filter((v) => v >= value).length);
          tested += own.length;
        }
      }
    });
    // The redistribution to the final bins may move single values over an edge.
    assert.ok(error / tested < 0.004, `${error} of ${tested}`);
  });

  it('do not depend on the layout', () => {
    const [h, w, c] = [16, 16, 3];
    const [values] = sampleMaps(1, h, w, c);
    const planes = values.map((_, i) => values[(i % (h * w)) * c + Math.floor(i / (h * w))]);
    const [a, b] = [
      new PatchCollector({ map: 0, source: 'input' }, { h, w, c }),
      new PatchCollector({ map: 0, source: 'input' }, { h, w, c }),
    ];
    a.add(values, 'HWC');
    b.add(planes, 'CHW');
    assert.deepEqual(a.finish().counts, b.finish().counts);
  });

  it('stay finite for a constant map and count in proportion when cells are large', () => {
    const constant = new PatchCollector({ map: 0, source: 'input' }, { h: 4, w: 4, c: 1 });
    constant.add(new Float32Array(16).fill(7), 'HWC');
    const s = constant.finish();
    assert.ok(s.sigma > 0 && s.mean === 7);
    const large = new PatchCollector({ map: 0, source: 'input' }, { h: 280, w: 280, c: 200 });
    large.add(
      Float32Array.from({ length: 280 * 280 * 200 }, (_, i) => (i % 3) - 1),
      'HWC',
    );
    const counts = large.finish().counts;
    for (let cell = 0; cell < 28 * 28; cell++) {
      const sum = counts.subarray(cell * 128, (cell + 1) * 128).reduce((x, y) => x + y, 0);
      assert.ok(sum > 4000 && sum <= 8192 * 1.1, String(sum));
    }
  });

  it('choose cells that divide the map where they can', () => {
    assert.deepEqual(
      [112, 96, 48, 32, 24, 16, 10, 1, 113, 240].map(cellsAlong),
      [28, 24, 24, 16, 24, 16, 10, 1, 24, 24],
    );
  });

  it('look at the first convolution with space, else at the input', () => {
    const window = {
      kernelH: 3,
      kernelW: 3,
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      padding: { top: 1, left: 1, bottom: 1, right: 1 },
    };
    const point = { ...window, kernelH: 1, kernelW: 1, padding: { top: 0, left: 0, bottom: 0, right: 0 } };
    const b = new GraphBuilder();
    const x = b.input({ h: 8, w: 8, c: 3 });
    const scaled = b.depthwise(x, point);
    const y = b.conv(scaled, 4, window, 1, { min: 0, max: 6 });
    assert.deepEqual(patchReference(b.build([y])), { map: y, source: 'preActivation' });
    const v = new GraphBuilder();
    assert.equal(patchReference(v.build([v.fullyConnected(v.input({ h: 1, w: 1, c: 3 }), 2)])), null);
    const f = new GraphBuilder();
    const input = f.input({ h: 4, w: 4, c: 3 });
    assert.deepEqual(patchReference(f.build([f.fullyConnected(input, 2)])), { map: input, source: 'input' });
  });
});
