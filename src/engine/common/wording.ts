/** How messages put counts, sizes and ratios, in one place, so that none says "1 layers" or "1.00× fewer". */

/** `1 image`, `12 images`; @param plural where it is not the singular with an s */
export function counted(n: number, singular: string, plural = `${singular}s`): string {
  return `${n} ${n === 1 ? singular : plural}`;
}

/** `61.3 KiB`, `2.02 MiB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(2)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`;
}

/** `2.07×`, and `2×` for `2`: the digits that say something. */
export function timesText(ratio: number): string {
  return `${Number(ratio.toFixed(2))}×`;
}

/**
 * A ratio of two amounts in words: `2.07× fewer than 8 bits`, `as many as 8 bits`.
 *
 * @param reduction the other amount over this one
 * @param other what it is compared with
 */
export function fewerText(reduction: number, other: string): string {
  const [fewer, more] = [reduction.toFixed(2), (1 / reduction).toFixed(2)];
  if (fewer === '1.00' || more === '1.00') return `as many as ${other}`;
  return reduction > 1 ? `${fewer}× fewer than ${other}` : `${more}× more than ${other}`;
}
