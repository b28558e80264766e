import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { decodeImage, imageFormat, orient } from '../../../src/engine/calibration/images';
import { exifOrientation } from '../../../src/engine/calibration/jpegHeader';
import { UserError } from '../../../src/engine/common/errors';

function png(width: number, height: number, rgba: number[], options: object = {}): Buffer {
  const image = new PNG({ width, height });
  image.data = Buffer.from(rgba);
  return PNG.sync.write(image, options);
}

/** A PNG whose header says that it has another number of rows. */
function ofHeight(file: Buffer, height: number): Buffer {
  const changed = Buffer.from(file);
  changed.writeUInt32BE(height, 20);
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29);
  return changed;
}

/** Puts an EXIF block with nothing but an orientation behind the start marker of a JPEG. */
function withOrientation(file: Uint8Array, orientation: number): Buffer {
  const tiff = Buffer.from([
    0x49,
    0x49,
    42,
    0,
    8,
    0,
    0,
    0,
    1,
    0,
    0x12,
    0x01,
    3,
    0,
    1,
    0,
    0,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  return Buffer.concat([
    Buffer.from(file.subarray(0, 2)),
    Buffer.from([0xff, 0xe1, 0, body.length + 2]),
    body,
    Buffer.from(file.subarray(2)),
  ]);
}

describe('decoding images', () => {
  it('reads PNG colors exactly and puts alpha over black', async () => {
    const bytes = png(2, 2, [10, 20, 30, 255, 200, 100, 50, 128, 1, 2, 3, 0, 255, 255, 255, 255]);
    const image = await decodeImage(bytes, 'a.png');
    assert.deepEqual([image.width, image.height, image.channels], [2, 2, 3]);
    assert.deepEqual([...image.data], [10, 20, 30, 100, 50, 25, 0, 0, 0, 255, 255, 255]);
  });

  it('reads gray, 16-bit and interlaced-free palettes as 8-bit RGB', async () => {
    const gray = await decodeImage(png(2, 1, [7, 7, 7, 255, 9, 9, 9, 255], { colorType: 0 }), 'g.png');
    assert.deepEqual([...gray.data], [7, 7, 7, 9, 9, 9]);
    const deep = new PNG({ width: 1, height: 1 });
    deep.data = Buffer.from(new Uint16Array([65535, 32896, 0, 65535]).buffer);
    const sixteen = await decodeImage(PNG.sync.write(deep, { bitDepth: 16, inputHasAlpha: true }), 'd.png');
    assert.deepEqual([...sixteen.data], [255, 128, 0]);
  });

  it('reads JPEG and turns it as its EXIF orientation says', async () => {
    // Left half black, right half white, 16×8: orientation 6 (turn clockwise) makes it 8×16 with black on top.
    const data = Buffer.alloc(16 * 8 * 4, 255);
    for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) data.fill(0, (y * 16 + x) * 4, (y * 16 + x) * 4 + 3);
    const file = jpeg.encode({ width: 16, height: 8, data }, 95).data;
    const upright = await decodeImage(file, 'a.jpg');
    assert.deepEqual([upright.width, upright.height], [16, 8]);
    assert.ok(upright.data[3 * 3] < 8 && upright.data[12 * 3] > 247);
    const turned = await decodeImage(withOrientation(file, 6), 'b.jpg');
    assert.deepEqual([turned.width, turned.height], [8, 16]);
    assert.ok(turned.data[3 * 8 * 3] < 8 && turned.data[12 * 8 * 3] > 247);
  });

  it('knows all eight orientations', () => {
    // Stored 3×2 image a b c / d e f; what a viewer shows, row by row, by EXIF 2.3 section 4.6.4.
    const image = { width: 3, height: 2, channels: 1, data: Uint8Array.from('abcdef', (ch) => ch.charCodeAt(0)) };
    const shown = (o: number): string => String.fromCharCode(...orient(image, o).data);
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8].map(shown), [
      'abcdef',
      'cbafed',
      'fedcba',
      'defabc',
      'adbecf',
      'daebfc',
      'fcebda',
      'cfbead',
    ]);
    assert.equal(
      exifOrientation(Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0', 'latin1')),
      8,
    );
    assert.equal(exifOrientation(Buffer.from('II*\0\xff\xff\xff\xff', 'latin1')), 1);
  });

  it('tells formats by content', () => {
    assert.equal(imageFormat(Buffer.from('GIF89a..')), null);
    assert.equal(imageFormat(png(1, 1, [0, 0, 0, 255])), 'png');
    assert.equal(imageFormat(Buffer.from([0xff, 0xd8, 0xff, 0xe0])), 'jpeg');
  });

  it('reads a PNG with more bytes behind it, and tells one that is cut off', async () => {
    const file = png(2, 1, [7, 8, 9, 255, 1, 2, 3, 255]);
    const { data } = await decodeImage(Buffer.concat([file, Buffer.from('appended')]), 'a.png');
    assert.deepEqual([...data], [7, 8, 9, 1, 2, 3]);
    for (const cut of [34, file.length - 12, file.length - 1])
      await assert.rejects(
        decodeImage(file.subarray(0, cut), 'a.png'),
        /a\.png cannot be decoded: the file is cut off\.$/,
      );
  });

  it('tells a PNG whose rows end early, and reads one that has rows to spare', async () => {
    for (const colorType of [0, 2, 6]) {
      const file = png(2, 2, [7, 7, 7, 255, 9, 9, 9, 255, 1, 1, 1, 255, 2, 2, 2, 255], { colorType });
      await assert.rejects(
        decodeImage(ofHeight(file, 3), 'a.png'),
        /a\.png cannot be decoded: its data ends before the 2×3 pixels in its header\.$/,
      );
      const { data } = await decodeImage(ofHeight(file, 1), 'a.png');
      assert.deepEqual([...data], [7, 7, 7, 9, 9, 9]);
    }
  });

  it('refuses damaged files and bombs with one line that names the file', async () => {
    const good = png(
      4,
      4,
      Array.from({ length: 64 }, (_, i) => i),
    );
    const bomb = Buffer.from(good);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const photo = jpeg.encode({ width: 32, height: 32, data: Buffer.alloc(4096, 77) }, 90).data;
    const hugePhoto = Buffer.from(photo);
    const frame = hugePhoto.indexOf(Buffer.from([0xff, 0xc0]));
    hugePhoto.writeUInt16BE(65_500, frame + 5);
    hugePhoto.writeUInt16BE(65_500, frame + 7);
    for (const bytes of [
      good.subarray(0, 40),
      good.subarray(0, 20),
      bomb,
      photo.subarray(0, 300),
      hugePhoto,
      Buffer.from('<html>'),
      Buffer.alloc(0),
    ]) {
      await assert.rejects(
        decodeImage(bytes, 'bad.img'),
        (e) => e instanceof UserError && e.message.startsWith('bad.img') && !e.message.includes('\n'),
      );
    }
  });
});
