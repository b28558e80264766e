import type { Box } from './scene';

/** What part of the drawing is seen: the point in the middle of the view and pixels per drawing unit. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const minScale = 0.002;
const maxScale = 3;

export function visiblePart(camera: Camera, size: Size): Box {
  const width = size.width / camera.scale;
  const height = size.height / camera.scale;
  return { x: camera.x - width / 2, y: camera.y - height / 2, width, height };
}

/** Whether all of a box is in sight. */
export function sees(camera: Camera, size: Size, { x, y, width, height }: Box): boolean {
  const part = visiblePart(camera, size);
  return x >= part.x && x + width <= part.x + part.width && y >= part.y && y + height <= part.y + part.height;
}

export function toDrawing(camera: Camera, size: Size, x: number, y: number): Point {
  return { x: camera.x + (x - size.width / 2) / camera.scale, y: camera.y + (y - size.height / 2) / camera.scale };
}

/** Zooms so that the drawing's point under (x, y) stays there. */
export function zoomAt(camera: Camera, size: Size, x: number, y: number, factor: number): Camera {
  const fixed = toDrawing(camera, size, x, y);
  const scale = Math.max(minScale, Math.min(maxScale, camera.scale * factor));
  return { scale, x: fixed.x - (x - size.width / 2) / scale, y: fixed.y - (y - size.height / 2) / scale };
}

export function fitBox(box: Box, size: Size, largest = 1.2): Camera {
  const margin = 36;
  const scale = Math.max(
    minScale,
    Math.min(largest, (size.width - margin) / Math.max(1, box.width), (size.height - margin) / Math.max(1, box.height)),
  );
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, scale };
}

/** The whole drawing where that is readable, else its beginning, where the first node is, at a readable size. */
export function firstCamera(
  bounds: Box,
  start: { readonly x: number; readonly y: number },
  size: Size,
  down: boolean,
): Camera {
  const whole = fitBox(bounds, size);
  if (whole.scale >= 0.6) return whole;
  const scale = Math.max(
    0.6,
    Math.min(1, (down ? size.width : size.height) / ((down ? bounds.width : bounds.height) + 60)),
  );
  return down
    ? { x: start.x, y: bounds.y + size.height / 2 / scale - 34, scale }
    : { x: bounds.x + size.width / 2 / scale - 34, y: start.y, scale };
}

/** Keeps part of the drawing in view, so that nobody gets lost in the void. */
export function clampCamera(camera: Camera, bounds: Box): Camera {
  return {
    scale: camera.scale,
    x: Math.max(bounds.x, Math.min(bounds.x + bounds.width, camera.x)),
    y: Math.max(bounds.y, Math.min(bounds.y + bounds.height, camera.y)),
  };
}
