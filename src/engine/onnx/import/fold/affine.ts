import type { Draft, DraftLayer, SpecOf } from '../draft';
import { isAffine } from '../perChannel';
import { intersectClamps } from './clamps';
import { absorbConsumer, bypass, soleConsumer, soleProducer } from './rewrite';

type Affine = SpecOf<'depthwise'>;

/** The spec of a layer that is a per-channel scale and offset and nothing else. */
export function affineOf(layer: DraftLayer | null): Affine | null {
  return layer?.spec.kind === 'depthwise' && isAffine(layer.spec) ? layer.spec : null;
}

export function isOpen(clamp: { readonly min: number | null; readonly max: number | null }): boolean {
  return clamp.min === null && clamp.max === null;
}

/**
 * Folds per-channel scales and offsets (BatchNormalization, Mul, Add, … with constants) into the convolution before or
 * after them.
 */
export function foldAffine(draft: Draft): boolean {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    if (dead.has(layer)) continue;
    const affine = affineOf(layer);
    if (!affine) continue;
    const before = soleProducer(layer);
    if (before && intoProducer(before, affine)) {
      absorbConsumer(before, layer, dead);
      continue;
    }
    const after = isOpen(affine.clamp) ? soleConsumer(layer.output) : null;
    if (after && intoConsumer(after, affine, layer)) {
      bypass(draft, after, layer);
      dead.add(layer);
    }
  }
  draft.remove(dead);
  return dead.size > 0;
}

/** Joins neighbouring per-channel scales and offsets alone, so that patterns written with several constants show. */
export function joinAffines(draft: Draft): void {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    const affine = affineOf(layer);
    const before = affine && soleProducer(layer);
    if (before && affineOf(before) && intoProducer(before, affine)) absorbConsumer(before, layer, dead);
  }
  draft.remove(dead);
}

/**
 * y = s·(W·x + b) + t. Weighted layers take the scale in; behind their clamp only one positive scale for all channels,
 * which scales the clamp too.
 */
function intoProducer(layer: DraftLayer, affine: Affine): boolean {
  const { spec } = layer;
  if (spec.kind !== 'conv' && spec.kind !== 'depthwise' && spec.kind !== 'fullyConnected') return false;
  const channels = spec.bias.length;
  let { clamp } = affine;
  if (!isOpen(spec.clamp)) {
    const [s, t] = [affine.weights[0], affine.bias[0]];
    if (!(s > 0) || affine.weights.some((other) => other !== s) || affine.bias.some((other) => other !== t))
      return false;
    const { min, max } = spec.clamp;
    const joined = intersectClamps(
      { min: min === null ? null : s * min + t, max: max === null ? null : s * max + t },
      clamp,
    );
    if (!joined) return false;
    clamp = joined;
  }
  const weights = new Float32Array(spec.weights.length);
  if (spec.kind === 'depthwise')
    for (let i = 0; i < weights.length; i++) weights[i] = spec.weights[i] * affine.weights[i % channels];
  else {
    const row = weights.length / channels;
    for (let o = 0; o < channels; o++)
      for (let i = o * row; i < (o + 1) * row; i++) weights[i] = spec.weights[i] * affine.weights[o];
  }
  const bias = spec.bias.map((b, o) => b * affine.weights[o] + affine.bias[o]);
  layer.spec = { ...spec, weights, bias, clamp };
  return true;
}

/**
 * y = W·(s·x + t) + b. The scale always fits; the offset only where no padding takes part, for padded zeros stay zeros.
 */
function intoConsumer(layer: DraftLayer, affine: Affine, from: DraftLayer): boolean {
  const { spec } = layer;
  const channels = affine.weights.length;
  if (layer.inputs[0] !== from.output) return false;
  const hasOffset = affine.bias.some((t) => t !== 0);
  if (spec.kind === 'conv' || spec.kind === 'depthwise') {
    const { top, left, bottom, right } = spec.window.padding;
    if (hasOffset && top + left + bottom + right > 0) return false;
  } else if (spec.kind !== 'fullyConnected') return false;
  const weights = new Float32Array(spec.weights.length);
  const bias = Float64Array.from(spec.bias);
  const outputs = bias.length;
  const perOutput = weights.length / outputs;
  if (spec.kind === 'depthwise') {
    for (let i = 0; i < weights.length; i++) {
      const c = i % channels;
      weights[i] = spec.weights[i] * affine.weights[c];
      bias[c] += spec.weights[i] * affine.bias[c];
    }
  } else {
    const group = spec.kind === 'conv' ? spec.group : 1;
    const inner = spec.kind === 'conv' ? channels / group : channels;
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / (outputs / group)) * inner;
      for (let k = 0; k < perOutput; k++) {
        const c = first + (k % inner);
        const at = o * perOutput + k;
        weights[at] = spec.weights[at] * affine.weights[c];
        bias[o] += spec.weights[at] * affine.bias[c];
      }
    }
  }
  layer.spec = { ...spec, weights, bias: Float32Array.from(bias) };
  return true;
}
