/**
 * What two plans of one model do differently, layer by layer. Layers are matched by name: both come from the same
 * model.
 */
import type { EditorView, LayerPlanView, LayerView } from '../../src/protocol/views';

export interface LayerPair {
  readonly layer: LayerView;
  readonly own: LayerPlanView;
  readonly other: LayerPlanView;
  /** Whether bits differ, or the part of the network that it runs in. */
  readonly differs: boolean;
}

/** Layers that both plans have, in order of execution. */
export function layerPairs(own: EditorView, other: EditorView): LayerPair[] {
  const others = new Map(other.model.layers.map((layer) => [layer.name, layer.plan]));
  return own.model.layers.flatMap((layer): LayerPair[] => {
    const theirs = others.get(layer.name);
    if (layer.plan === null || theirs == null) return [];
    const mine = layer.plan;
    const differs =
      mine.bits !== theirs.bits ||
      mine.weightBits !== theirs.weightBits ||
      mine.inputBits !== theirs.inputBits ||
      mine.inPatchStage !== theirs.inPatchStage;
    return [{ layer, own: mine, other: theirs, differs }];
  });
}
