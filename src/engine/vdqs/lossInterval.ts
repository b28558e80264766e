import type { ImageOutputs } from './divergence';

/** Groups of images that are left out in turn. */
const GROUPS = 8;
/** Two-sided 95 % quantile of Student's t with one degree of freedom less than groups. */
const T_95 = 2.365;

/**
 * 95 % interval of a loss that was estimated on some images, by the delete-a-group jackknife (Kott 2001): the estimate
 * is made again without each of {@link GROUPS} groups of images, and varies the more, the less it is known.
 *
 * @param expected the estimate; of any kind, as long as more images change it little
 * @param least    no loss is below it: a difference of two may be of either sign
 * @returns null with fewer than two images for a group
 */
export function lossInterval(
  expected: (float: ImageOutputs, quantized: ImageOutputs) => number,
  float: ImageOutputs,
  quantized: ImageOutputs,
  least = 0,
): { readonly low: number; readonly high: number } | null {
  if (float.length < 2 * GROUPS) return null;
  const estimate = expected(float, quantized);
  const partial = Array.from({ length: GROUPS }, (_, group) => {
    const stays = (_outputs: unknown, i: number): boolean => i % GROUPS !== group;
    return expected(float.filter(stays), quantized.filter(stays));
  });
  const mean = partial.reduce((a, b) => a + b, 0) / GROUPS;
  const variance = ((GROUPS - 1) / GROUPS) * partial.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = T_95 * Math.sqrt(variance);
  return { low: Math.max(least, estimate - half), high: estimate + half };
}
