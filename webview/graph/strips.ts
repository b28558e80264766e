import type { BitsKind } from '../bitsChoices';
import type { Camera, Point, Size } from './camera';
import { stripBox, stripsOf } from './paint';
import { overlaps, type Scene } from './scene';

/* The strips of a node that say its bits, as things to point at. */

/** Keys that open the bits of the selected node. */
export const STRIP_KEYS: Readonly<Record<string, BitsKind>> = { i: 'inputBits', w: 'weightBits', o: 'bits' };

/** The strip of a node at a point of the drawing. */
export function stripAt(scene: Scene, node: number, point: Point): BitsKind | null {
  const box = scene.boxOf(node);
  const strips = stripsOf(scene.layers[node]);
  const at = strips.findIndex((_, i) => overlaps(stripBox(box, i), { ...point, width: 0, height: 0 }));
  return at < 0 ? null : strips[at].kind;
}

/** Puts an element where a node's strip is seen, for a menu to open at. */
export function placeAtStrip(
  anchor: HTMLElement,
  scene: Scene,
  node: number,
  kind: BitsKind,
  camera: Camera,
  size: Size,
): void {
  const index = stripsOf(scene.layers[node]).findIndex((strip) => strip.kind === kind);
  const at = stripBox(scene.boxOf(node), index);
  anchor.style.left = `${(at.x - camera.x) * camera.scale + size.width / 2}px`;
  anchor.style.top = `${(at.y - camera.y) * camera.scale + size.height / 2}px`;
  anchor.style.height = `${at.height * camera.scale}px`;
}
