/** A rectangle of a feature map in its own coordinates: rows [y0, y1), columns [x0, x1), all channels. */
export interface Region {
  readonly y0: number;
  readonly x0: number;
  readonly y1: number;
  readonly x1: number;
}

/** The whole map. */
export function fullRegion(shape: { readonly h: number; readonly w: number }): Region {
  return { y0: 0, x0: 0, y1: shape.h, x1: shape.w };
}

export function regionHeight(r: Region): number {
  return Math.max(0, r.y1 - r.y0);
}

export function regionWidth(r: Region): number {
  return Math.max(0, r.x1 - r.x0);
}

/** Number of pixels (not multiplied by channels). */
export function regionPixels(r: Region): number {
  return regionHeight(r) * regionWidth(r);
}

export function sameRegion(a: Region, b: Region): boolean {
  return a.y0 === b.y0 && a.x0 === b.x0 && a.y1 === b.y1 && a.x1 === b.x1;
}

/** Whether `outer` contains every pixel of `inner`. */
export function containsRegion(outer: Region, inner: Region): boolean {
  return outer.y0 <= inner.y0 && outer.x0 <= inner.x0 && outer.y1 >= inner.y1 && outer.x1 >= inner.x1;
}

/** Pixels in both; may be empty (then y1 ≤ y0 or x1 ≤ x0). */
export function intersectRegions(a: Region, b: Region): Region {
  return { y0: Math.max(a.y0, b.y0), x0: Math.max(a.x0, b.x0), y1: Math.min(a.y1, b.y1), x1: Math.min(a.x1, b.x1) };
}
