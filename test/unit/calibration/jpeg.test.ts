import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { decodeImage } from '../../../src/engine/calibration/images';
import { readJpegHeader } from '../../../src/engine/calibration/jpegHeader';

/**
 * A CMYK picture as Pillow writes it (inverted, Adobe marker): cyan x·10, magenta y·15, yellow 255 − x·10, and a disc
 * of black.
 */
const CMYK = Buffer.from(
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFB' +
    'gSFBUU/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQEC' +
    'AwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dX' +
    'Z3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4E' +
    'QwBNAFkASwAAPwD71+Lf/Lb8a+x/+Gif+nr/AMer4H+En/LH8K/UvUL6DS7C5vbp/KtreJppXwTtRQSTgcngHpXxV8W/+W340f8ADRP/AE9f+P' +
    'V9q/CT/lj+FeAX37TWqf2y7WWlWh0kSjZHOG89ox1ywbaGPP8ACQM/xYyfir4t/wDLb8aP+Gif+nr/AMer7W+En/LH8K908NeIbPxXodpq1gzm' +
    '1uVLL5i7WUgkMpHqCCOMjjgkc1+1Xxb/AOW341+X/wDw0T/09f8Aj1fip8JP+WP4VPq+mRa1pN7p87OkN3A9u7RkBgrKVJGQRnB9K+Kvi3/y2/' +
    'Gj/hon/p6/8er7V+En/LH8K+Zr79n3xZBrL2ltbw3Vl5oVL8zIiFD/ABFS24YzyAD0ON3BPxV8W/8Alt+NH/DRP/T1/wCPV9rfCT/lj+FfRXgz' +
    'wxF4N8MWGjQzvcpbKQZXABdmYsxwOgyxwOcDHJ61/9k=',
  'base64',
);

const WIDTH = 61;
const HEIGHT = 43;

/** Soft shapes in color, with edges and a little noise, as a PPM. */
function picture(): Buffer {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  let state = 1;
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const noise = (state >>> 24) / 16;
      const disc = (x - 30) ** 2 + (y - 20) ** 2 < 200 ? 90 : 0;
      for (const v of [x * 3 + disc, y * 5, 200 - x - y + disc]) pixels[at++] = Math.min(255, Math.max(0, v + noise));
    }
  }
  return Buffer.concat([Buffer.from(`P6 ${WIDTH} ${HEIGHT} 255\n`), pixels]);
}

/** Output of a program of libjpeg-turbo; null where it is not installed. */
function tool(name: string, args: readonly string[], input: Uint8Array): Buffer | null {
  const { status, stdout, error } = spawnSync(name, args, { input, maxBuffer: 1 << 24 });
  if (error) return null;
  assert.equal(status, 0, `${name} ${args.join(' ')}`);
  return stdout;
}

describe('JPEG', () => {
  for (const options of [
    '',
    '-quality 30 -optimize',
    '-sample 1x1',
    '-sample 2x1',
    '-sample 1x2',
    '-sample 4x1',
    '-progressive',
    '-progressive -sample 1x1',
    '-arithmetic',
    '-restart 1',
    '-rgb',
    '-grayscale',
    '-grayscale -progressive',
  ]) {
    it(`is decoded as libjpeg-turbo does, cjpeg ${options}`, async function () {
      const file = tool('cjpeg', options.split(' ').filter(Boolean), picture());
      if (file === null) return this.skip(); // libjpeg-turbo-progs is not installed
      const expected = tool('djpeg', ['-rgb', '-ppm'], file)!.subarray(-WIDTH * HEIGHT * 3);
      const { width, height, channels, data } = await decodeImage(file, 'a.jpg');
      assert.deepEqual([width, height, channels], [WIDTH, HEIGHT, 3]);
      assert.deepEqual(Buffer.from(data), expected);
    });
  }

  it('of unusual subsampling is decoded all the same', async function () {
    const file = tool('cjpeg', ['-sample', '4x2'], picture());
    if (file === null) return this.skip();
    const expected = tool('djpeg', ['-ppm'], file)!.subarray(-WIDTH * HEIGHT * 3);
    const { data } = await decodeImage(file, 'a.jpg');
    const mean = data.reduce((sum, v, i) => sum + Math.abs(v - expected[i]), 0) / data.length;
    assert.ok(data.length === expected.length && mean < 1.5, `${mean}`);
  });

  it('in CMYK becomes RGB', async () => {
    const { width, height, data } = await decodeImage(CMYK, 'a.jpg');
    assert.deepEqual([width, height], [24, 16]);
    // By Pillow: Image.open(…).convert('RGB').
    const at = (x: number, y: number): number[] => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
    for (const [x, y, rgb] of [
      [0, 0, [254, 254, 0]],
      [2, 0, [234, 254, 20]],
      [12, 8, [86, 87, 78]],
      [23, 15, [25, 30, 230]],
    ] as const)
      assert.ok(
        at(x, y).every((v, c) => Math.abs(v - rgb[c]) <= 1),
        `${x},${y}: ${at(x, y).join()}`,
      );
  });

  it('stays usable after damaged files', async function () {
    const file = tool('cjpeg', [], picture());
    if (file === null) return this.skip();
    const first = await decodeImage(file, 'a.jpg');
    for (let cut = 700; cut < file.length - 40; cut += 101)
      await assert.rejects(decodeImage(file.subarray(0, cut), 'cut.jpg'), /^UserError: cut\.jpg cannot be decoded/);
    assert.deepEqual((await decodeImage(file, 'a.jpg')).data, first.data);
  });

  it('has a header that tells its size before anything is decoded', () => {
    assert.deepEqual(readJpegHeader(CMYK), { width: 24, height: 16, components: 4, orientation: 1 });
    for (let cut = 2; cut < 95; cut++) assert.throws(() => readJpegHeader(CMYK.subarray(0, cut)), /ends within/);
  });
});
