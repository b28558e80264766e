import { constants, inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { UserError, reasonOf } from '../common/errors';
import { decodeJpeg } from './jpeg';
import { readJpegHeader } from './jpegHeader';
import type { PixelImage } from './resample';

/**
 * Files and pictures beyond these are refused before they are decoded, so that a small file cannot claim the machine's
 * memory.
 */
export const MAX_IMAGE_FILE_BYTES = 128 * 1024 * 1024;
const MAX_MEGAPIXELS = 64;

const IDAT = 0x49444154;
const IEND = 0x49454e44;
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

export type ImageFormat = 'jpeg' | 'png';

/** Format by the first bytes of a file (8 are enough), whatever its name; null when it is neither JPEG nor PNG. */
export function imageFormat(head: Uint8Array): ImageFormat | null {
  if (head.length >= 3 && head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpeg';
  const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return head.length >= 8 && png.every((b, i) => head[i] === b) ? 'png' : null;
}

/**
 * Decodes a JPEG (baseline or progressive; turned as its EXIF orientation says) or PNG (any depth and color type, alpha
 * over black) to 8-bit RGB.
 *
 * @param name for messages
 * @throws UserError when the bytes are neither, are damaged or claim more than 64 megapixels
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<PixelImage> {
  const format = imageFormat(bytes);
  if (format === null) throw new UserError(`${name} is neither a JPEG nor a PNG image.`);
  if (bytes.length > MAX_IMAGE_FILE_BYTES)
    throw new UserError(
      `${name} has ${bytes.length} bytes, more than the limit of ${MAX_IMAGE_FILE_BYTES} for an image.`,
    );
  try {
    return format === 'jpeg' ? await decodeUprightJpeg(bytes) : decodePng(bytes);
  } catch (error) {
    throw new UserError(`${name} cannot be decoded: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

async function decodeUprightJpeg(bytes: Uint8Array): Promise<PixelImage> {
  const header = readJpegHeader(bytes);
  checkSize(header.width, header.height);
  const image = await decodeJpeg(bytes, header);
  checkSize(image.width, image.height);
  return orient(image, header.orientation);
}

function decodePng(bytes: Uint8Array): PixelImage {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) throw new Error('the file ends within its header');
  checkSize(header.getUint32(16), header.getUint32(20));
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, endOfPng(bytes, header));
  checkRows(file, header);
  const png = readPng(file);
  const pixels = png.width * png.height;
  const data = new Uint8Array(pixels * 3);
  for (let p = 0; p < pixels; p++) {
    const alpha = png.data[p * 4 + 3];
    for (let c = 0; c < 3; c++) {
      const v = png.data[p * 4 + c];
      data[p * 3 + c] = alpha === 255 ? v : Math.round((v * alpha) / 255);
    }
  }
  return { width: png.width, height: png.height, channels: 3, data };
}

/** Where a PNG ends: what programs append behind that is none of its own, and the library would refuse it. */
function endOfPng(bytes: Uint8Array, header: DataView): number {
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + header.getUint32(at);
    if (end > bytes.length) break;
    if (header.getUint32(at + 4) === IEND) return end;
    at = end;
  }
  throw new Error('the file is cut off');
}

/** What the library says of damages leads nowhere, e.g. that content was not recognized. */
function readPng(bytes: Buffer): PNG {
  try {
    return PNG.sync.read(bytes);
  } catch (error) {
    throw new Error(`its data is damaged (${reasonOf(error)})`, { cause: error });
  }
}

/**
 * Counts the bytes of the rows. The library makes up those that are missing, and inflates interlaced ones whatever they
 * come to.
 */
function checkRows(bytes: Uint8Array, header: DataView): void {
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  const samples = [1, 0, 3, 1, 2, 0, 4][header.getUint8(25)] ?? 4;
  const bits = samples * header.getUint8(24);
  const isInterlaced = header.getUint8(28) !== 0;
  const whole = (isInterlaced ? ADAM7 : [[0, 0, 1, 1]]).reduce((sum, [x, y, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return columns > 0 && rows > 0 ? sum + rows * (1 + Math.ceil((columns * bits) / 8)) : sum;
  }, 0);
  const data: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = header.getUint32(at);
    const start = at + 8;
    if (start + length > bytes.length) break;
    if (header.getUint32(at + 4) === IDAT) data.push(bytes.subarray(start, start + length));
    at = start + length + 4;
  }
  let inflated: number;
  try {
    // Flushed: whole rows without the end of the stream are whole.
    inflated = inflateSync(Buffer.concat(data), { maxOutputLength: whole, finishFlush: constants.Z_SYNC_FLUSH }).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return;
    if (!isInterlaced) return;
    throw new Error(`its data exceeds the ${width}×${height} pixels in its header`, { cause: error });
  }
  if (inflated < whole) throw new Error(`its data ends before the ${width}×${height} pixels in its header`);
}

function checkSize(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw new Error('it has no pixels');
  if (width * height > MAX_MEGAPIXELS * 1e6)
    throw new Error(`${width}×${height} pixels exceed ${MAX_MEGAPIXELS} megapixels`);
}

/** Turns and mirrors an image so that EXIF orientation `orientation` (1…8) becomes upright. */
export function orient(image: PixelImage, orientation: number): PixelImage {
  if (orientation === 1) return image;
  const { width: w, height: h, channels } = image;
  const swapped = orientation >= 5;
  const width = swapped ? h : w;
  const height = swapped ? w : h;
  const data = new Uint8Array(image.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Where the upright pixel (x, y) is stored: first undo the transposition of orientations 5 to 8, then the
      // mirrorings.
      let sx = swapped ? y : x;
      let sy = swapped ? x : y;
      if (orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8) sx = w - 1 - sx;
      if (orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7) sy = h - 1 - sy;
      const from = (sy * w + sx) * channels;
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) data[to + c] = image.data[from + c];
    }
  }
  return { width, height, channels, data };
}
