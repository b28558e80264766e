import type { Shape } from '../graph/types';
import { resizeBilinear, type PixelImage } from './resample';
import type { Preprocess } from './types';

/**
 * Brings a decoded RGB image to the model's input: size by `preprocess.resize`, channels in the model's order, uint8
 * HWC. This is what the firmware's input buffer holds, and where float and integer executions both begin.
 *
 * An image that already has exactly the input's size is taken as it is: enlarging a 32×32 picture to 37×37 to cut 32×32
 * out of it would only blur it.
 */
export function fitImage(image: PixelImage, shape: Shape, preprocess: Preprocess): Uint8Array {
  const arranged = shape.c === 1 ? toGray(image) : image;
  const sized =
    arranged.width === shape.w && arranged.height === shape.h ? arranged : bringToSize(arranged, shape, preprocess);
  if (shape.c === 1) return sized.data;
  return orderChannels(sized.data, preprocess.channels);
}

function bringToSize(image: PixelImage, shape: Shape, preprocess: Preprocess): PixelImage {
  const { width: w, height: h } = image;
  switch (preprocess.resize) {
    case 'stretch':
      return resizeBilinear(image, shape.w, shape.h);
    case 'crop': {
      // The side that binds is brought to size / cropFraction; the other follows, rounded down as torchvision's Resize
      // does.
      const heightBinds = shape.h * w >= shape.w * h;
      const rh = heightBinds
        ? Math.round(shape.h / preprocess.cropFraction)
        : Math.max(shape.h, Math.floor((Math.round(shape.w / preprocess.cropFraction) * h) / w));
      const rw = heightBinds
        ? Math.max(shape.w, Math.floor((Math.round(shape.h / preprocess.cropFraction) * w) / h))
        : Math.round(shape.w / preprocess.cropFraction);
      return resizeBilinear(image, rw, rh, {
        x: halfToEven((rw - shape.w) / 2),
        y: halfToEven((rh - shape.h) / 2),
        width: shape.w,
        height: shape.h,
      });
    }
    case 'fit': {
      const heightBinds = shape.h * w <= shape.w * h;
      const rw = heightBinds ? Math.max(1, Math.min(shape.w, Math.round((shape.h * w) / h))) : shape.w;
      const rh = heightBinds ? shape.h : Math.max(1, Math.min(shape.h, Math.round((shape.w * h) / w)));
      const inner = resizeBilinear(image, rw, rh);
      const data = new Uint8Array(shape.w * shape.h * image.channels).fill(preprocess.fill);
      const x = Math.floor((shape.w - rw) / 2);
      const y = Math.floor((shape.h - rh) / 2);
      const row = rw * image.channels;
      for (let r = 0; r < rh; r++)
        data.set(inner.data.subarray(r * row, (r + 1) * row), ((y + r) * shape.w + x) * image.channels);
      return { width: shape.w, height: shape.h, channels: image.channels, data };
    }
  }
}

/** Python's round(), which torchvision's CenterCrop uses for the offset. */
function halfToEven(v: number): number {
  const down = Math.floor(v);
  if (v - down !== 0.5) return Math.round(v);
  return down % 2 === 0 ? down : down + 1;
}

/** ITU-R BT.601 luma with Pillow's rounding (mode L). */
function toGray(image: PixelImage): PixelImage {
  const pixels = image.width * image.height;
  const data = new Uint8Array(pixels);
  for (let p = 0; p < pixels; p++) data[p] = luma(image.data, p * 3);
  return { width: image.width, height: image.height, channels: 1, data };
}

function luma(rgb: Uint8Array, at: number): number {
  return (rgb[at] * 19595 + rgb[at + 1] * 38470 + rgb[at + 2] * 7471 + 0x8000) >> 16;
}

function orderChannels(rgb: Uint8Array, order: Preprocess['channels']): Uint8Array {
  if (order === 'rgb') return rgb;
  const out = new Uint8Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3) {
    if (order === 'bgr') {
      out[i] = rgb[i + 2];
      out[i + 1] = rgb[i + 1];
      out[i + 2] = rgb[i];
    } else {
      out.fill(luma(rgb, i), i, i + 3);
    }
  }
  return out;
}
