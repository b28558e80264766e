import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { fitImage } from '../../../src/engine/calibration/fitImage';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import type { Preprocess } from '../../../src/engine/calibration/types';
import { noiseImage } from './noiseImage';

describe('bringing images to the input size', () => {
  const base: Preprocess = presetPreprocess('imagenet');
  const square = { h: 32, w: 32, c: 3 };
  // CRC-32 of what Pillow 12.3.0 gives for the same steps on noiseImage(61, 43, 9).
  const cases: [string, Partial<Preprocess>, { h: number; w: number; c: number }, number][] = [
    ['crop: shorter side to 32/0.875 = 37, center', {}, square, 0xfebe6226],
    ['stretch', { resize: 'stretch' }, square, 0xcf171d40],
    ['stretch in BGR order', { resize: 'stretch', channels: 'bgr' }, square, 0x9ef5ba29],
    ['stretch to one gray channel', { resize: 'stretch' }, { ...square, c: 1 }, 0xb1cb08e6],
    ['fit with a gray surround', { resize: 'fit', fill: 128 }, square, 0xc9a688bd],
  ];
  for (const [name, change, shape, expected] of cases) {
    it(name, () => {
      const pixels = fitImage(noiseImage(61, 43, 9), shape, { ...base, ...change });
      assert.equal(pixels.length, shape.h * shape.w * shape.c);
      assert.equal(crc32(pixels), expected);
    });
  }

  it('crop to an input that is not square: the side that binds is brought to size', () => {
    const pixels = fitImage(noiseImage(30, 50, 10), { h: 24, w: 32, c: 3 }, { ...base, cropFraction: 0.8 });
    assert.equal(crc32(pixels), 0x2a0ce4c1);
  });

  it('takes an image of exactly the input size as it is', () => {
    const image = noiseImage(32, 32, 3);
    assert.deepEqual(fitImage(image, square, base), image.data);
  });

  it('copes with extreme shapes', () => {
    for (const resize of ['crop', 'stretch', 'fit'] as const) {
      for (const [w, h] of [
        [1, 1],
        [1, 3000],
        [3000, 1],
        [31, 32],
      ]) {
        const pixels = fitImage(noiseImage(w, h, 1), { h: 16, w: 24, c: 3 }, { ...base, resize });
        assert.equal(pixels.length, 16 * 24 * 3);
      }
    }
  });
});
