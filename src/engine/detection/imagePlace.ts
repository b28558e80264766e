import type { Size } from '../common/size';
import type { Preprocess } from '../calibration/types';
import type { Detection } from './head';

/** Where an image lies in the network's input: x of the input = x of the image · scaleX + left. */
export interface ImagePlace extends Size {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
}

/**
 * How `fitImage` places an image of a size in the network's input, so that boxes can be taken back to it.
 *
 * @param image  width and height of the image
 * @param input  width and height of the network's input
 */
export function placeImage(
  image: Size,
  input: Size,
  { resize, cropFraction }: Pick<Preprocess, 'resize' | 'cropFraction'>,
): ImagePlace {
  const { width, height } = image;
  const placed = (w: number, h: number, left: number, top: number): ImagePlace => ({
    scaleX: w / width,
    scaleY: h / height,
    left,
    top,
    width,
    height,
  });
  if (width === input.width && height === input.height) return placed(width, height, 0, 0);
  if (resize === 'stretch') return placed(input.width, input.height, 0, 0);
  if (resize === 'fit') {
    const heightBinds = input.height * width <= input.width * height;
    const w = heightBinds
      ? Math.max(1, Math.min(input.width, Math.round((input.height * width) / height)))
      : input.width;
    const h = heightBinds
      ? input.height
      : Math.max(1, Math.min(input.height, Math.round((input.width * height) / width)));
    return placed(w, h, Math.floor((input.width - w) / 2), Math.floor((input.height - h) / 2));
  }
  const heightBinds = input.height * width >= input.width * height;
  const h = heightBinds
    ? Math.round(input.height / cropFraction)
    : Math.max(input.height, Math.floor((Math.round(input.width / cropFraction) * height) / width));
  const w = heightBinds
    ? Math.max(input.width, Math.floor((Math.round(input.height / cropFraction) * width) / height))
    : Math.round(input.width / cropFraction);
  return placed(w, h, -Math.round((w - input.width) / 2), -Math.round((h - input.height) / 2));
}

/** A box of the network's input in pixels of the image, clipped to it: corners in 0 … width − 1, 0 … height − 1. */
export function onImage(box: Detection, place: ImagePlace): Detection {
  const x = (v: number): number => Math.max(0, Math.min(place.width - 1, (v - place.left) / place.scaleX));
  const y = (v: number): number => Math.max(0, Math.min(place.height - 1, (v - place.top) / place.scaleY));
  return { ...box, x1: x(box.x1), y1: y(box.y1), x2: x(box.x2), y2: y(box.y2) };
}
