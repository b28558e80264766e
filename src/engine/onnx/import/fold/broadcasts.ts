import type { Draft, DraftLayer } from '../draft';

/**
 * Lets sums and products read one value per channel itself instead of its copies in all pixels, which Expand (PyTorch's
 * expand_as) writes: they broadcast it.
 */
export function foldBroadcasts(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  let changed = false;
  for (const layer of draft.layers) {
    const { spec } = layer;
    const [input] = layer.inputs;
    if (spec.kind !== 'resize' || spec.mode !== 'nearest' || input.shape.h * input.shape.w > 1) continue;
    for (const reader of [...layer.output.consumers]) {
      const other = reader.inputs.find((map) => map !== layer.output);
      // The other operand gives the sum or product its size.
      if (
        (reader.spec.kind !== 'add' && reader.spec.kind !== 'mul') ||
        reader.inputs.length !== 2 ||
        !other ||
        other.shape.h * other.shape.w === 1
      )
        continue;
      draft.rewire(
        reader,
        reader.inputs.map((map) => (map === layer.output ? input : map)),
      );
      reader.onnx = [...layer.onnx, ...reader.onnx];
      changed = true;
    }
    if (layer.output.consumers.size === 0 && !layer.output.isOutput) dead.add(layer);
  }
  draft.remove(dead);
  return changed || dead.size > 0;
}
