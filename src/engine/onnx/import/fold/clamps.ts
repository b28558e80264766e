import type { Clamp } from '../../../graph/types';
import { mergeAtoms, sameLayout } from '../../layout';
import type { Draft, DraftLayer } from '../draft';
import { absorbConsumer, soleProducer } from './rewrite';

/**
 * Moves Relu and Clip into the layer that computes their input, if that layer can clamp and nothing else reads it.
 */
export function foldClamps(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    if (dead.has(layer) || layer.spec.kind !== 'activation' || layer.spec.fn.name !== 'clamp') continue;
    const before = soleProducer(layer);
    const own = before && clampOf(before);
    if (!before || !own) continue;
    const clamp = intersectClamps(own, layer.spec.fn);
    if (!clamp) continue;
    const raw = before.output.tap;
    const { tap } = layer.output;
    absorbConsumer(before, layer, dead);
    setClamp(before, clamp);
    // Calibration wants to see what the clamp cuts off; only where both values list their elements in one order.
    const sameOrder = tap && raw && sameLayout([mergeAtoms(tap.layout.flat())], [mergeAtoms(raw.layout.flat())]);
    if (sameOrder && before.spec.kind !== 'activation')
      before.output.tap = { ...tap, preClamp: raw.preClamp ?? raw.value };
  }
  draft.remove(dead);
  return dead.size > 0;
}

/** The clamp of a layer that has one, open or not. */
function clampOf({ spec }: DraftLayer): Clamp | null {
  switch (spec.kind) {
    case 'conv':
    case 'depthwise':
    case 'fullyConnected':
    case 'add':
    case 'mul':
      return spec.clamp;
    case 'activation':
      return spec.fn.name === 'clamp' ? spec.fn : null;
    default:
      return null;
  }
}

function setClamp(layer: DraftLayer, { min, max }: Clamp): void {
  const { spec } = layer;
  layer.spec =
    spec.kind === 'activation'
      ? { kind: 'activation', fn: { name: 'clamp', min, max } }
      : ({ ...spec, clamp: { min, max } } as typeof spec);
}

/** One clamp after the other as one; null when they leave no common range. */
export function intersectClamps(a: Clamp, b: Clamp): Clamp | null {
  const min = a.min === null ? b.min : b.min === null ? a.min : Math.max(a.min, b.min);
  const max = a.max === null ? b.max : b.max === null ? a.max : Math.min(a.max, b.max);
  return min !== null && max !== null && min > max ? null : { min, max };
}
