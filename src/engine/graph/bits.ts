/** Bitwidths of activation codes. Codes of 16 bits are signed, with zero point 0. */
export type Bits = 16 | 8 | 4 | 2;

/** Those of the candidate bits that maps are lowered to; 16 are for maps that limit accuracy, once these are chosen. */
export function searchedBits(bits: readonly Bits[]): Bits[] {
  return bits.filter((b) => b <= 8);
}

/** Bitwidths of weight codes. */
export type WeightBits = 8 | 4;

/** Class of a patch by VDPC: `outlier` keeps 8 bits in the whole branch, `regular` gets the mixed precision. */
export type PatchClass = 'outlier' | 'regular';

/**
 * Where a network's input is: `counted` in the arena; `external` as a whole in memory of the application's (a frame
 * buffer, flash) that does not count; `tiles`: the application hands over what a patch needs when the network asks for
 * it, and only that counts.
 */
export type InputPlace = 'counted' | 'external' | 'tiles';

/** Whether inputs as a whole lie outside of the arena. */
export function isOutside(place: InputPlace | undefined): boolean {
  return place === 'external' || place === 'tiles';
}
