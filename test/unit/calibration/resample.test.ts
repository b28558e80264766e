import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { resizeBilinear } from '../../../src/engine/calibration/resample';
import { noiseImage } from './noiseImage';

describe('bilinear resampling', () => {
  // Pillow 12.3.0: Image.fromarray(noise).resize((W, H), Image.BILINEAR): CRC-32 of its bytes and the first nine of
  // them.
  const pillow: [number, number, number, number, number, number, number[]][] = [
    [40, 30, 16, 12, 1, 0xf5432039, [154, 62, 125, 148, 131, 134, 119, 147, 140]],
    [17, 23, 32, 32, 2, 0xb69f02d2, [60, 117, 48, 98, 137, 43, 167, 172, 33]],
    [100, 7, 13, 50, 3, 0x8bd6702e, [146, 106, 153, 76, 120, 161, 93, 139, 125]],
    [64, 64, 64, 20, 4, 0x5c58b53c, [108, 180, 139, 122, 122, 119, 76, 160, 109]],
    [5, 5, 1, 1, 5, 0x1f420b17, [128, 128, 97]],
    [33, 50, 33, 25, 6, 0xcfecce34, [83, 169, 205, 119, 102, 153, 132, 143, 121]],
  ];
  for (const [w, h, width, height, seed, crc, first] of pillow) {
    it(`equals Pillow from ${w}×${h} to ${width}×${height}`, () => {
      const out = resizeBilinear(noiseImage(w, h, seed), width, height);
      assert.deepEqual([...out.data.subarray(0, 9)], first);
      assert.equal(crc32(out.data), crc);
    });
  }

  it('computes a crop as it is cut out of the whole', () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, size, fc.nat(), fc.nat(), fc.nat(), fc.nat(), (w, h, width, height, a, b, c, d) => {
        const image = noiseImage(w, h, 7);
        const x = a % width;
        const y = b % height;
        const crop = { x, y, width: 1 + (c % (width - x)), height: 1 + (d % (height - y)) };
        const whole = resizeBilinear(image, width, height);
        const cut = resizeBilinear(image, width, height, crop);
        for (let r = 0; r < crop.height; r++) {
          const from = ((y + r) * width + x) * 3;
          assert.deepEqual(
            cut.data.subarray(r * crop.width * 3, (r + 1) * crop.width * 3),
            whole.data.subarray(from, from + crop.width * 3),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a constant image constant and refuses a crop outside', () => {
    const image = { width: 13, height: 9, channels: 1, data: new Uint8Array(117).fill(255) };
    assert.ok(resizeBilinear(image, 5, 31).data.every((v) => v === 255));
    assert.throws(() => resizeBilinear(image, 5, 5, { x: 1, y: 0, width: 5, height: 5 }), RangeError);
  });
});
