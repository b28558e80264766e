import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  kernelOrder,
  overlapDistance,
  type GeometricAccess,
  type KernelOrder,
} from '../../../src/engine/arena/overlap';

const windowedOrder = (strideH: number, padTop: number): KernelOrder =>
  kernelOrder('conv2d', { window: () => ({ strideH, padTop }), firstRow: () => 0 });
const unasked = { window: () => assert.fail(), firstRow: () => assert.fail() };
const elementwiseOrder = kernelOrder('add', unasked);
const noOrder = kernelOrder('softmax', unasked);

function dense(h: number, w: number, c: number, bits = 8): GeometricAccess {
  const pixelBytes = Math.ceil((c * bits) / 8);
  const region = { y0: 0, x0: 0, y1: h, x1: w };
  return { geometry: { window: region, bits, pixelBytes, rowBytes: pixelBytes * w }, region, channel: 0, channels: c };
}

describe('program/overlap', () => {
  it('runs element-wise steps of equal or smaller pixels in place', () => {
    assert.equal(overlapDistance(elementwiseOrder, dense(5, 7, 6), dense(5, 7, 6)), 0);
    assert.equal(overlapDistance(elementwiseOrder, dense(5, 7, 6, 8), dense(5, 7, 6, 4)), 0);
    assert.equal(overlapDistance(elementwiseOrder, dense(5, 7, 5, 4), dense(5, 7, 5, 2)), 0);
  });

  it('puts the input of a widening step at the end of its output', () => {
    // 210 codes from 105 to 210 bytes: of the last pixel 3 bytes of codes remain when its first byte is written, and
    // one byte serves two codes.
    assert.equal(overlapDistance(elementwiseOrder, dense(5, 7, 6, 4), dense(5, 7, 6, 8)), 105);
  });

  it('needs two rows for a 3×3 depthwise layer and one for a pointwise layer', () => {
    assert.equal(overlapDistance(windowedOrder(1, 1), dense(9, 7, 6), dense(9, 7, 6)), 2 * 42);
    assert.equal(overlapDistance(windowedOrder(1, 0), dense(9, 7, 6), dense(9, 7, 6)), 42);
    assert.equal(overlapDistance(windowedOrder(1, 0), dense(9, 7, 6), dense(9, 7, 36)), 9 * 7 * 36 - 8 * 42);
    assert.equal(overlapDistance(windowedOrder(2, 1), dense(8, 8, 4), dense(4, 4, 4)), 16);
  });

  it('promises nothing for broadcasts and unordered kernels', () => {
    assert.equal(overlapDistance(elementwiseOrder, dense(1, 1, 6), dense(5, 7, 6)), null);
    assert.equal(overlapDistance(noOrder, dense(5, 7, 6), dense(5, 7, 6)), null);
  });

  it('is the least distance at which no byte is written before its last reading', () => {
    const some = fc.record({
      h: fc.integer({ min: 1, max: 5 }),
      w: fc.integer({ min: 1, max: 5 }),
      c: fc.integer({ min: 1, max: 9 }),
      inBits: fc.constantFrom(2, 4, 8),
      outBits: fc.constantFrom(2, 4, 8),
      extra: fc.integer({ min: 0, max: 2 }),
      more: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(some, ({ h, w, c, inBits, outBits, extra, more }) => {
        // The input is a region of a wider buffer, the output's codes are followed by other channels.
        const input = within(dense(h, w, c, inBits), extra);
        const pixelBytes = Math.ceil(((c + more) * outBits) / 8);
        const output = dense(h, w, c, outBits);
        const wide = { ...output, geometry: { ...output.geometry, pixelBytes, rowBytes: pixelBytes * w } };
        const distance = overlapDistance(elementwiseOrder, input, wide)!;
        assert.ok(isSafe(input, wide, distance), 'safe');
        assert.ok(distance === 0 || !isSafe(input, wide, distance - 1), 'least');
      }),
      { numRuns: 500 },
    );
  });
});

/** The same region as part of a buffer with `extra` columns on either side. */
function within(access: GeometricAccess, extra: number): GeometricAccess {
  const { geometry, region } = access;
  const window = { ...region, x0: -extra, x1: region.x1 + extra };
  return { ...access, geometry: { ...geometry, window, rowBytes: geometry.pixelBytes * (region.x1 + 2 * extra) } };
}

/**
 * Goes through an element-wise step code by code: no byte of the input may be written while a code in it is still to be
 * read.
 */
function isSafe(input: GeometricAccess, output: GeometricAccess, distance: number): boolean {
  const at = (a: GeometricAccess, y: number, x: number, c: number) =>
    (y - a.geometry.window.y0) * a.geometry.rowBytes +
    (x - a.geometry.window.x0) * a.geometry.pixelBytes +
    Math.floor((c * a.geometry.bits) / 8);
  const written = new Set<number>();
  for (let y = 0; y < output.region.y1; y++) {
    for (let x = 0; x < output.region.x1; x++) {
      for (let c = 0; c < output.channels;) {
        const byte = at(output, y, x, c);
        while (c < output.channels && at(output, y, x, c) === byte) {
          if (written.has(at(input, y, x, c) + distance)) return false;
          c++;
        }
        written.add(byte);
      }
    }
  }
  return true;
}
