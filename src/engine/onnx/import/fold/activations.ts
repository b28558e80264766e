import type { ActivationFunction } from '../../../graph/types';
import type { Draft, DraftLayer, DraftMap } from '../draft';
import { affineOf, isOpen } from './affine';
import { absorbConsumer, removeUnread, soleConsumer, soleProducer } from './rewrite';

/** 1/6 as exporters write it, in float32 or with a few digits. */
const SIXTH_TOLERANCE = 1e-5;

/** Recognizes SiLU and HardSwish written with simpler operators. */
export function mergeActivations(draft: Draft): void {
  toHardSigmoid(draft);
  for (const layer of draft.layers) {
    if (layer.spec.kind !== 'mul' || layer.inputs.length !== 2 || !isOpen(layer.spec.clamp)) continue;
    const [a, b] = layer.inputs;
    if (!toSwish(draft, layer, a, b)) toSwish(draft, layer, b, a);
  }
  removeUnread(draft);
}

/** x·gate(x), where nothing else reads the gate. */
function toSwish(draft: Draft, product: DraftLayer, x: DraftMap, gate: DraftMap): boolean {
  const source = gate.producer;
  if (source?.spec.kind !== 'activation' || source.inputs[0] !== x || soleConsumer(gate) !== product) return false;
  const { fn } = source.spec;
  let swish: ActivationFunction;
  if (fn.name === 'sigmoid') swish = { name: 'silu' };
  else if (
    fn.name === 'hardSigmoid' &&
    Math.abs(fn.alpha - 1 / 6) < SIXTH_TOLERANCE &&
    Math.abs(fn.beta - 0.5) < SIXTH_TOLERANCE
  )
    swish = { name: 'hardSwish' };
  else return false;
  product.spec = { kind: 'activation', fn: swish };
  product.onnx = [...source.onnx, ...product.onnx];
  draft.rewire(product, [x]);
  return true;
}

/**
 * clamp(s·x + o, 0, m)·k with k·m = 1 is hardSigmoid(x; k·s, k·o). The factor k may also follow a product with x, as in
 * x·relu6(x + 3)/6: then it is moved to the gate.
 */
function toHardSigmoid(draft: Draft): void {
  const dead = new Set<DraftLayer>();
  for (const clamp of draft.layers) {
    if (
      dead.has(clamp) ||
      clamp.spec.kind !== 'activation' ||
      clamp.spec.fn.name !== 'clamp' ||
      clamp.spec.fn.min !== 0
    )
      continue;
    const { max } = clamp.spec.fn;
    const shift = soleProducer(clamp);
    const line = uniform(shift);
    const reader = soleConsumer(clamp.output);
    if (!shift || !line || !reader || max === null || !(max > 0)) continue;
    // A layer with weights that only this gate reads takes scale and clamp in by itself.
    const source = soleProducer(shift);
    if (source && isWeightedSpec(source)) continue;
    const factor = uniform(reader);
    const product =
      reader.spec.kind === 'mul' && reader.inputs.length === 2 && isOpen(reader.spec.clamp) ? reader : null;
    const later = product ? soleConsumer(product.output) : null;
    const laterFactor = uniform(later);
    const k = max === 1 ? 1 : factor?.offset === 0 ? factor.scale : laterFactor?.offset === 0 ? laterFactor.scale : 0;
    if (Math.abs(k * max - 1) > SIXTH_TOLERANCE) continue;
    clamp.spec = { kind: 'activation', fn: { name: 'hardSigmoid', alpha: k * line.scale, beta: k * line.offset } };
    clamp.onnx = [...shift.onnx, ...clamp.onnx];
    draft.rewire(clamp, [shift.inputs[0]]);
    dead.add(shift);
    if (max === 1) continue;
    if (factor) absorbConsumer(clamp, reader, dead);
    else {
      clamp.output.tap = null;
      absorbConsumer(product!, later!, dead);
    }
  }
  draft.remove(dead);
}

function isWeightedSpec({ spec }: DraftLayer): boolean {
  return spec.kind === 'conv' || spec.kind === 'depthwise' || spec.kind === 'fullyConnected';
}

/** Scale and offset of a layer that applies the same to every channel. */
function uniform(layer: DraftLayer | null): { scale: number; offset: number } | null {
  const affine = affineOf(layer);
  if (!affine || !isOpen(affine.clamp)) return null;
  const [scale, offset] = [affine.weights[0], affine.bias[0]];
  return affine.weights.every((s) => s === scale) && affine.bias.every((o) => o === offset) ? { scale, offset } : null;
}
