import type { Draft, DraftLayer } from '../draft';
import { sameShape } from '../draft';
import { affineOf, isOpen } from './affine';
import { removeUnread } from './rewrite';

/** Removes layers that copy their input, and layers that nothing reads. */
export function removeIdle(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    if (!copies(layer)) continue;
    const [input] = layer.inputs;
    const { output } = layer;
    if (output.isOutput) continue;
    for (const reader of [...output.consumers]) {
      draft.rewire(
        reader,
        reader.inputs.map((map) => (map === output ? input : map)),
      );
    }
    dead.add(layer);
  }
  draft.remove(dead);
  const unread = removeUnread(draft);
  return dead.size > 0 || unread;
}

function copies(layer: DraftLayer): boolean {
  const { spec } = layer;
  const affine = affineOf(layer);
  if (affine) return isOpen(affine.clamp) && affine.weights.every((s) => s === 1) && affine.bias.every((t) => t === 0);
  switch (spec.kind) {
    case 'activation':
      return spec.fn.name === 'clamp' && spec.fn.min === null && spec.fn.max === null;
    case 'maxPool':
    case 'averagePool':
      return spec.window.kernelH * spec.window.kernelW === 1 && sameShape(layer.inputs[0].shape, layer.output.shape);
    case 'reshape':
      return sameShape(layer.inputs[0].shape, layer.output.shape);
    case 'permute':
      return sameShape(layer.inputs[0].shape, layer.output.shape) && spec.permutation.every((from, to) => from === to);
    default:
      return false;
  }
}
