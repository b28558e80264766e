import type { LayerView } from '../../src/protocol/views';
import type { BitsKind } from '../bitsChoices';
import type { Camera, Point, Size } from './camera';
import { overlaps, type Box, type Scene } from './scene';

/* The three strips at the right of a node: bits of the input, the weights and the output, as things to point at. */

/** Keys that open the bits of the selected node. */
export const STRIP_KEYS: Readonly<Record<string, BitsKind>> = { i: 'inputBits', w: 'weightBits', o: 'bits' };

/** Pixels per unit from which on a node shows two lines of text; below, one word and large bits. */
export const DETAILED = 0.6;

export interface Strip {
  readonly kind: BitsKind;
  /** Of each layer of the node. */
  readonly bits: readonly (16 | 8 | 4 | 2 | null)[];
}

/** None where there is no plan. */
export function stripsOf(layers: readonly LayerView[]): readonly Strip[] {
  const plans = layers.map(({ plan }) => plan).filter((plan) => plan !== null);
  return plans.length === 0
    ? []
    : (['inputBits', 'weightBits', 'bits'] as const).map((kind) => ({ kind, bits: plans.map((plan) => plan[kind]) }));
}

/** The bits of a strip in words: `8`, `4–8` where its layers differ, a dash where there are none. */
export function stripText({ bits }: Strip): string {
  const known = bits.filter((value) => value !== null);
  if (known.length === 0) return '–';
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least === most ? String(least) : `${least}–${most}`;
}

export function stripWidth(scale: number): number {
  return scale < DETAILED ? 34 : 22;
}

/** Where a strip of a node lies. */
export function stripBox(box: Box, index: number, scale: number): Box {
  const width = stripWidth(scale);
  const inset = scale < DETAILED ? 4 : 6;
  return {
    x: box.x + box.width - (3 - index) * (width + 2) - 4,
    y: box.y + inset,
    width,
    height: box.height - 2 * inset,
  };
}

/** The strip of a node at a point of the drawing. */
export function stripAt(scene: Scene, node: number, point: Point, scale: number): BitsKind | null {
  const box = scene.boxOf(node);
  const strips = stripsOf(scene.nodes[node].layers);
  const at = strips.findIndex((_, i) => overlaps(stripBox(box, i, scale), { ...point, width: 0, height: 0 }));
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
  const index = stripsOf(scene.nodes[node].layers).findIndex((strip) => strip.kind === kind);
  const at = stripBox(scene.boxOf(node), index, camera.scale);
  anchor.style.left = `${(at.x - camera.x) * camera.scale + size.width / 2}px`;
  anchor.style.top = `${(at.y - camera.y) * camera.scale + size.height / 2}px`;
  anchor.style.height = `${at.height * camera.scale}px`;
}
