import createDecoder, { type JpegTurboModule } from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import jpeg from 'jpeg-js';
import wasm from '../../../node_modules/@cornerstonejs/codec-libjpeg-turbo-8bit/dist/libjpegturbowasm_decode.wasm';
import { reasonOf } from '../common/errors';
import type { JpegHeader } from './jpegHeader';
import type { PixelImage } from './resample';

/** Limits of jpeg-js, which its caller has checked more closely. */
const MAX_MEGAPIXELS = 64;
const MAX_DECODER_MEGABYTES = 1024;
/** WebAssembly memory only grows: a decoder that held a picture of this many pixels is given up. */
const LARGE_PIXELS = 16e6;

let decoder: Promise<JpegTurboModule> | null = null;

/**
 * Decodes a JPEG to RGB as it is stored, not turned. Baseline, progressive and arithmetic-coded gray and color images
 * are decoded by libjpeg-turbo, so that pixels equal those of Pillow, OpenCV and torchvision to the last bit. What it
 * does not take, jpeg-js decodes to within a code or so: CMYK, unusual subsampling and files that are slightly damaged.
 *
 * @param header of the file; its size has been checked
 * @throws Error when the file is damaged
 */
export async function decodeJpeg(bytes: Uint8Array, header: JpegHeader): Promise<PixelImage> {
  const pixels = header.components === 4 ? null : await decodeTurbo(bytes, header);
  return pixels ?? decodePlain(bytes);
}

/** Pixels by libjpeg-turbo; null where it reports an error, about which its interface says nothing more. */
async function decodeTurbo(bytes: Uint8Array, { width, height }: JpegHeader): Promise<PixelImage | null> {
  decoder ??= createDecoder({
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), imports);
      done(instance);
      return instance.exports;
    },
    print: () => undefined,
    printErr: () => undefined,
  });
  const turbo = await decoder;
  let session;
  try {
    session = new turbo.JPEGDecoder();
    session.getEncodedBuffer(bytes.length).set(bytes);
    session.decode();
    const { componentCount } = session.getFrameInfo();
    const decoded = session.getDecodedBuffer();
    if (decoded.length !== width * height * componentCount) return null;
    const data = new Uint8Array(width * height * 3);
    if (componentCount === 3) data.set(decoded);
    else for (let p = 0; p < decoded.length; p++) data.fill(decoded[p], p * 3, p * 3 + 3);
    return { width, height, channels: 3, data };
  } catch (error) {
    // Errors of the C++ code arrive as addresses; whatever else was thrown has broken the instance.
    if (typeof error !== 'number') decoder = null;
    return null;
  } finally {
    if (width * height > LARGE_PIXELS) decoder = null;
    if (decoder !== null) session?.delete();
  }
}

function decodePlain(bytes: Uint8Array): PixelImage {
  try {
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: true,
      maxResolutionInMP: MAX_MEGAPIXELS,
      maxMemoryUsageInMB: MAX_DECODER_MEGABYTES,
    });
    return { width, height, channels: 3, data };
  } catch (error) {
    // What it says means its parser's state, e.g. a marker that it did not find in a file that ends early.
    throw new Error(`its data is cut off, damaged or of a rare kind (${reasonOf(error)})`, { cause: error });
  }
}
