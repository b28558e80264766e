import type { Draft } from '../draft';
import { mergeActivations } from './activations';
import { mergeFormulas } from './formulas';
import { foldBroadcasts } from './broadcasts';
import { foldAffine, joinAffines } from './affine';
import { foldClamps } from './clamps';
import { foldPadding } from './padding';
import { removeIdle } from './idle';

/** Rounds after which folding stops even if something still changes; real models need two or three. */
const MAX_ROUNDS = 16;

/**
 * Rewrites the draft into as few layers as compute exactly the same function: swish patterns and other functions of one
 * value first, then scales, clamps and padding into their neighbours until nothing changes. Every pass visits the
 * layers once, in order.
 */
export function foldDraft(draft: Draft): void {
  joinAffines(draft);
  mergeActivations(draft);
  mergeFormulas(draft);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const passes = [removeIdle, foldAffine, foldClamps, foldPadding, foldBroadcasts];
    const changed = passes.map((pass) => pass(draft));
    if (!changed.includes(true)) break;
  }
}
