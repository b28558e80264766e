import type { PixelImage } from '../../../src/engine/calibration/resample';

/** Pixels from a linear congruential generator (Numerical Recipes), so that Pillow could be given the same image. */
export function noiseImage(width: number, height: number, seed: number): PixelImage {
  const data = new Uint8Array(width * height * 3);
  let x = seed;
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    data[i] = x >>> 24;
  }
  return { width, height, channels: 3, data };
}
