import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LayerSamples } from '../../../src/engine/compensate/layerSamples';
import { gatherTaps, groupRanges, tapsIn, type LayerTaps } from '../../../src/engine/compensate/layerTaps';
import type { ConvLayer, DepthwiseLayer, Graph } from '../../../src/engine/graph/types';
import type { MapFormat } from '../../../src/engine/quantize/types';
import { squareWindow } from '../../support/graphBuilder';

const problem = fc.record({
  groups: fc.constantFrom(1, 2, 3, 9),
  groupIn: fc.constantFrom(1, 2, 3, 8, 17),
  depthwise: fc.boolean(),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 2 }),
  size: fc.integer({ min: 3, max: 6 }),
  pad: fc.integer({ min: 0, max: 1 }),
  images: fc.integer({ min: 1, max: 3 }),
  signed: fc.boolean(),
  narrow: fc.boolean(),
  seed: fc.integer({ min: 1 }),
});

describe('what a layer reads at its sampled pixels', () => {
  it(
    'is what its window covers there, in the order of its weights, as the nearest codes of the format it reads, ' +
      '0 outside the map',
    () => {
      fc.assert(
        fc.property(
          problem,
          ({ groups, groupIn, depthwise, kernel, stride, size, pad, images, signed, narrow, seed }) => {
            let s = seed;
            const random = (n: number): number => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) % n;
            const perGroup = depthwise ? 1 : groupIn;
            const c = groups * perGroup;
            const outSize = Math.floor((size + 2 * pad - kernel) / stride) + 1;
            if (outSize < 1) return;
            const outC = depthwise ? c : groups * 2;
            const window = squareWindow(kernel, {
              strideH: stride,
              strideW: stride,
              padding: { top: pad, left: pad, bottom: pad, right: pad },
            });
            const weights = new Float32Array(outC * kernel * kernel * perGroup);
            const layer = {
              id: 0,
              kind: depthwise ? 'depthwise' : 'conv',
              group: groups,
              inputs: [0],
              output: 1,
              window,
              weights,
              bias: new Float32Array(outC),
              clamp: { min: null, max: null },
            } as unknown as ConvLayer | DepthwiseLayer;
            const graph = {
              maps: [{ shape: { h: size, w: size, c } }, { shape: { h: outSize, w: outSize, c: outC } }],
              layers: [layer],
            } as unknown as Graph;
            const least = signed ? -128 : 0;
            const stored: MapFormat = {
              bits: 8,
              signed,
              scales: new Float64Array([0.5]),
              zeroPoints: new Int32Array([least + random(256)]),
            };
            const format: MapFormat = narrow
              ? {
                  bits: 4,
                  signed: false,
                  scales: Float64Array.from({ length: c }, () => 4 + random(5)),
                  zeroPoints: Int32Array.from({ length: c }, () => random(16)),
                }
              : stored;
            const maps = Array.from({ length: images }, () =>
              Int16Array.from({ length: size * size * c }, () => least + random(256)),
            );
            const samples = LayerSamples.of(graph, layer, images);
            const gather = (firstGroup: number, count: number, simd?: null): LayerTaps =>
              gatherTaps(graph, samples, { firstGroup, groups: count }, (image) => maps[image], simd);
            const read = gather(0, groups);
            assert.deepEqual(gather(0, groups, null), read);
            const codes = tapsIn(read, stored, format);
            const parts = Array.from({ length: groups }, (_, g) => tapsIn(gather(g, 1), stored, format));
            assert.deepEqual(Int16Array.from(parts.flatMap((part) => [...part])), codes);
            assert.deepEqual(tapsIn(read, stored, format, null), codes);
            const pick = (a: ArrayLike<number>, i: number): number => a[a.length === 1 ? 0 : i];
            let row = 0;
            samples.pixels.forEach((pixels, image) =>
              pixels.forEach((pixel) => {
                for (let g = 0; g < groups; g++) {
                  let tap = g * kernel * kernel * perGroup;
                  for (let ky = 0; ky < kernel; ky++) {
                    for (let kx = 0; kx < kernel; kx++) {
                      for (let j = 0; j < perGroup; j++, tap++) {
                        const y = Math.floor(pixel / outSize) * stride - pad + ky;
                        const x = (pixel % outSize) * stride - pad + kx;
                        const channel = g * perGroup + j;
                        const inside = y >= 0 && y < size && x >= 0 && x < size;
                        const value = inside
                          ? 0.5 * (maps[image][(y * size + x) * c + channel] - stored.zeroPoints[0])
                          : 0;
                        const zero = pick(format.zeroPoints, channel);
                        const [low, high] = format.bits === 4 ? [0, 15] : [least, least + 255];
                        const code =
                          Math.max(low, Math.min(high, Math.round(value / pick(format.scales, channel)) + zero)) - zero;
                        assert.equal(codes[tap * read.rows + row], inside ? code : 0);
                      }
                    }
                  }
                }
                row++;
              }),
            );
            assert.equal(row, read.rows);
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it('is gathered in parts of a few megabytes that are all groups of a layer together', () => {
    const map = { shape: { h: 40, w: 40, c: 960 } };
    const weights = new Float32Array(960 * 9);
    const layer = { id: 0, kind: 'depthwise', inputs: [0], output: 1, weights } as unknown as DepthwiseLayer;
    const graph = { maps: [map, map], layers: [layer] } as unknown as Graph;
    const samples = LayerSamples.of(graph, layer, 16);
    const ranges = groupRanges(graph, samples);
    assert.equal(
      ranges.reduce((next, { firstGroup, groups }) => {
        assert.equal(firstGroup, next);
        assert.ok(groups * 9 * samples.rows <= 1 << 22);
        return next + groups;
      }, 0),
      960,
    );
  });
});
