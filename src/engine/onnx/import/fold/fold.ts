import type { Draft } from '../draft';
import { mergeActivations } from './activations';
import { foldAffine, joinAffines } from './affine';
import { foldClamps } from './clamps';
import { foldPadding } from './padding';
import { removeIdle } from './idle';

/** Rounds after which folding stops even if something still changes; real models need two or three. */
const MAX_ROUNDS = 16;

/**
 * Rewrites the draft into as few layers as compute exactly the same function: swish patterns first, then scales, clamps and padding
 * into their neighbours until nothing changes. Every pass visits the layers once, in order.
 */
export function foldDraft(draft: Draft): void {
  joinAffines(draft);
  mergeActivations(draft);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const passes = [removeIdle, foldAffine, foldClamps, foldPadding];
    const changed = passes.map((pass) => pass(draft));
    if (!changed.includes(true)) break;
  }
}
