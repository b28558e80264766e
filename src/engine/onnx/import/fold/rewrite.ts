import type { Draft, DraftLayer, DraftMap } from '../draft';

/** The only reader of a map; null if there are others. */
export function soleConsumer(map: DraftMap): DraftLayer | null {
  if (map.isOutput || map.consumers.size !== 1) return null;
  const [reader] = map.consumers;
  return reader.inputs.filter((input) => input === map).length === 1 ? reader : null;
}

/** The producer of a layer's only input, if this layer is all that reads it. */
export function soleProducer(layer: DraftLayer): DraftLayer | null {
  const [input] = layer.inputs;
  return layer.inputs.length === 1 && soleConsumer(input) === layer ? input.producer : null;
}

/** Lets `keeper` write what `absorbed`, its only reader, wrote: the map between them disappears. */
export function absorbConsumer(keeper: DraftLayer, absorbed: DraftLayer, dead: Set<DraftLayer>): void {
  keeper.output.consumers.delete(absorbed);
  keeper.output = absorbed.output;
  keeper.output.producer = keeper;
  for (const ref of absorbed.onnx) keeper.onnx.push(ref);
  absorbed.output = { ...absorbed.output, producer: absorbed, consumers: new Set(), isOutput: false };
  dead.add(absorbed);
}

/** Lets `reader` read past a layer with one input that it has taken in. */
export function bypass(draft: Draft, reader: DraftLayer, absorbed: DraftLayer): void {
  draft.rewire(
    reader,
    reader.inputs.map((input) => (input === absorbed.output ? absorbed.inputs[0] : input)),
  );
  reader.onnx = [...absorbed.onnx, ...reader.onnx];
}

/** Removes layers that do not lead to an output. */
export function removeUnread(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  for (let i = draft.layers.length - 1; i >= 0; i--) {
    const layer = draft.layers[i];
    if (layer.output.isOutput || [...layer.output.consumers].some((reader) => !dead.has(reader))) continue;
    dead.add(layer);
  }
  draft.remove(dead);
  return dead.size > 0;
}
