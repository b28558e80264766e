import type { PatchClass } from '../graph/bits';

/**
 * `outliers` of `patches` positions drawn at random: what a rule of VDPC has to beat at the same share. The same seed
 * gives the same classes.
 *
 * Fisher-Yates shuffle with the mulberry32 generator.
 */
export function randomClasses(patches: number, outliers: number, seed: number): PatchClass[] {
  const order = Array.from({ length: patches }, (_, i) => i);
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const classes = new Array<PatchClass>(patches).fill('regular');
  for (let i = 0; i < Math.min(outliers, patches); i++) {
    const j = i + Math.floor(random() * (patches - i));
    [order[i], order[j]] = [order[j], order[i]];
    classes[order[i]] = 'outlier';
  }
  return classes;
}
