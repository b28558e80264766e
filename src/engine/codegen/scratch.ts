import type { Program, Step } from '../program/types';

/** Bytes of a double word, which kernels write their columns in. */
const ALIGN = 8;

/** A part of the arena. */
export interface Scratch {
  /** Multiple of 8. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Where a step finds so many bytes of the arena in which nothing is kept while it runs; null if there are none. It
 * costs no memory: what it takes belongs to the arena as it is. Taken from the smallest gap that suffices.
 */
export function scratchIn({ arenaBytes, buffers }: Program, { id }: Step, bytes: number): Scratch | null {
  const kept = buffers
    .filter((b) => b.external !== true && b.aliasOf === null && b.bytes > 0 && b.firstStep <= id && b.lastStep >= id)
    .map(({ offset, bytes: length }) => ({ from: offset, to: offset + length }))
    .sort((a, b) => a.from - b.from);
  let best: { readonly from: number; readonly bytes: number } | null = null;
  let end = 0;
  for (const { from, to } of [...kept, { from: arenaBytes, to: arenaBytes }]) {
    const begin = Math.ceil(end / ALIGN) * ALIGN;
    if (from - begin >= bytes && (best === null || from - begin < best.bytes))
      best = { from: begin, bytes: from - begin };
    end = Math.max(end, to);
  }
  return best && { offset: best.from, bytes };
}
