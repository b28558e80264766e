import type { Size } from '../common/size';

/** What the header of a JPEG says of its picture, before anything of it is decoded. */
export interface JpegHeader extends Size {
  /** Color components: 1 gray, 3 color, 4 CMYK. */
  readonly components: number;
  /** EXIF orientation, 1 … 8; 1, upright, when there is none. */
  readonly orientation: number;
}

const APP1 = 0xe1;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const EXIF_NAME = 'Exif\0\0';

/**
 * Reads the marker segments of a JPEG up to its frame header (ITU-T T.81, annex B).
 *
 * @throws Error when there is none
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation = 1;
  for (let at = 2; ;) {
    // Decoders skip what lies between segments, and any number of fill bytes.
    while (at < bytes.length && bytes[at] !== 0xff) at++;
    while (at < bytes.length && bytes[at] === 0xff) at++;
    const marker = bytes[at++];
    if (isLone(marker)) continue;
    if (at + 2 > bytes.length || marker === START_OF_SCAN || marker === END_OF_IMAGE)
      throw new Error('the file ends within its header');
    const length = view.getUint16(at);
    const body = bytes.subarray(at + 2, at + Math.max(2, length));
    if (isFrame(marker)) {
      if (body.length < 6) throw new Error('the file ends within its header');
      return { width: view.getUint16(at + 5), height: view.getUint16(at + 3), components: body[5], orientation };
    }
    if (marker === APP1 && Buffer.from(body.subarray(0, EXIF_NAME.length)).toString('latin1') === EXIF_NAME)
      orientation = exifOrientation(body.subarray(EXIF_NAME.length));
    at += Math.max(2, length);
  }
}

/** SOF0 … SOF15, among which are the markers of Huffman tables, arithmetic conditioning and an extension. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a segment: stuffed zeros, TEM, restarts, and a second start of image. */
function isLone(marker: number): boolean {
  return marker <= 1 || (marker >= 0xd0 && marker <= 0xd8);
}

/**
 * Orientation (tag 0x0112 of IFD0) of an EXIF block, which begins with its TIFF header; 1, upright, when there is none
 * (EXIF 2.3, section 4.6.4).
 */
export function exifOrientation(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (view.byteLength < 8) return 1;
  const little = view.getUint16(0) === 0x4949;
  if (!little && view.getUint16(0) !== 0x4d4d) return 1;
  const ifd = view.getUint32(4, little);
  if (ifd + 2 > view.byteLength) return 1;
  const entries = view.getUint16(ifd, little);
  for (let i = 0; i < entries; i++) {
    const entry = ifd + 2 + i * 12;
    if (entry + 12 > view.byteLength) return 1;
    if (view.getUint16(entry, little) === 0x0112) {
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return 1;
}
