import type { Size } from '../common/size';

/**
 * Bilinear resampling with antialiasing, the way Pillow's `Image.resize(…, BILINEAR)` does it (Pillow,
 * src/libImaging/Resample.c): a triangle filter whose support grows with the reduction, separable, weights in fixed
 * point with 22 fractional bits and an 8-bit intermediate image after the horizontal pass. The results equal Pillow's
 * byte for byte, so that accuracies can be compared with published ones.
 */

/** An 8-bit image, row-major, `channels` interleaved values per pixel. */
export interface PixelImage extends Size {
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Fractional bits of the weights: 32 − 8 bits of the pixel − 2 bits of headroom. */
const PRECISION_BITS = 22;

/**
 * The weights of output positions [begin, end): position i reads `size[i]` inputs from `first[i]` with weights[i ·
 * stride …].
 */
interface Taps {
  readonly first: Int32Array;
  readonly size: Int32Array;
  readonly stride: number;
  readonly weights: Int32Array;
}

function triangleTaps(inSize: number, outSize: number, begin: number, end: number): Taps {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const count = end - begin;
  const first = new Int32Array(count);
  const size = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    const center = (begin + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(inSize, Math.trunc(center + support + 0.5));
    const inverse = 1 / filterScale;
    let sum = 0;
    for (let k = 0; k < high - low; k++) {
      const weight = Math.max(0, 1 - Math.abs((k + low - center + 0.5) * inverse));
      exact[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < high - low; k++) {
      weights[i * stride + k] = Math.trunc(0.5 + (sum === 0 ? 0 : exact[k] / sum) * (1 << PRECISION_BITS));
    }
    first[i] = low;
    size[i] = high - low;
  }
  return { first, size, stride, weights };
}

/** A rectangle of the resized image: columns [x, x + width), rows [y, y + height). */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes an image to `width` × `height` and returns `crop` of it (all of it by default). Equal to resizing everything
 * and cropping, but only what is needed is computed.
 */
export function resizeBilinear(
  image: PixelImage,
  width: number,
  height: number,
  crop: Crop = { x: 0, y: 0, width, height },
): PixelImage {
  if (crop.x < 0 || crop.y < 0 || crop.x + crop.width > width || crop.y + crop.height > height) {
    throw new RangeError(
      `crop ${crop.x},${crop.y} ${crop.width}×${crop.height} leaves the image of ${width}×${height}`,
    );
  }
  const columns = triangleTaps(image.width, width, crop.x, crop.x + crop.width);
  const rows = triangleTaps(image.height, height, crop.y, crop.y + crop.height);
  const top = rows.first[0];
  const bottom = rows.first[crop.height - 1] + rows.size[crop.height - 1];
  const horizontal =
    image.width === width && crop.x === 0 && crop.width === width
      ? image.data.subarray(top * image.width * image.channels, bottom * image.width * image.channels)
      : horizontalPass(image, columns, crop.width, top, bottom);
  const data =
    image.height === height && crop.y === 0 && crop.height === height
      ? horizontal.slice()
      : verticalPass(horizontal, crop.width * image.channels, rows, crop.height, top);
  return { width: crop.width, height: crop.height, channels: image.channels, data };
}

function horizontalPass(image: PixelImage, taps: Taps, width: number, top: number, bottom: number): Uint8Array {
  const { channels, data } = image;
  const out = new Uint8Array((bottom - top) * width * channels);
  const half = 1 << (PRECISION_BITS - 1);
  let o = 0;
  for (let y = top; y < bottom; y++) {
    const row = y * image.width * channels;
    for (let x = 0; x < width; x++) {
      const n = taps.size[x];
      const w0 = x * taps.stride;
      const p0 = row + taps.first[x] * channels;
      for (let c = 0; c < channels; c++) {
        let sum = half;
        for (let k = 0, p = p0 + c; k < n; k++, p += channels) sum += data[p] * taps.weights[w0 + k];
        out[o++] = clamp8(sum >> PRECISION_BITS);
      }
    }
  }
  return out;
}

function verticalPass(source: Uint8Array, rowLength: number, taps: Taps, height: number, top: number): Uint8Array {
  const out = new Uint8Array(height * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (PRECISION_BITS - 1));
    for (let k = 0; k < taps.size[y]; k++) {
      const weight = taps.weights[y * taps.stride + k];
      const row = (taps.first[y] + k - top) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += source[row + i] * weight;
    }
    for (let i = 0, o = y * rowLength; i < rowLength; i++) out[o + i] = clamp8(sums[i] >> PRECISION_BITS);
  }
  return out;
}

function clamp8(v: number): number {
  return v < 0 ? 0 : v > 255 ? 255 : v;
}
