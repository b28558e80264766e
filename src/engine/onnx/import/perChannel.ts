import type { DepthwiseLayer, Window } from '../../graph/types';
import type { Atom } from '../layout';
import { offsets } from '../layout';
import { arrange } from './arrange';
import type { SpecOf } from './draft';
import type { NodeContext } from './nodeContext';
import type { MapValue } from './values';

export const POINT_WINDOW: Window = {
  kernelH: 1,
  kernelW: 1,
  strideH: 1,
  strideW: 1,
  dilationH: 1,
  dilationW: 1,
  padding: { top: 0, left: 0, bottom: 0, right: 0 },
};

export const NO_CLAMP = { min: null, max: null } as const;

/** A per-channel scale and offset as a layer: y[c] = scales[c]·x[c] + offsets[c]. */
function affineSpec(scales: Float32Array, offset: Float32Array): SpecOf<'depthwise'> {
  return { kind: 'depthwise', window: POINT_WINDOW, weights: scales, bias: offset, clamp: NO_CLAMP };
}

export const EMPTY = new Float32Array(0);

/**
 * Which element of a constant belongs to each channel of the value's map.
 *
 * @param dims the constant's dimensions aligned with the value's (each 1 or equal)
 * @returns the value, rearranged if its channels did not carry the constant's dimensions, and the element index per
 *   channel
 */
export function perChannel(
  context: NodeContext,
  value: MapValue,
  dims: readonly number[],
): { value: MapValue; index: Int32Array } {
  const index = channelIndex(value, dims);
  if (index) return { value, index };
  const varying = dims.map((_, dim) => dim).filter((dim) => dims[dim] > 1);
  const others = dims.map((_, dim) => dim).filter((dim) => dims[dim] === 1);
  const arranged = arrange(context, value, [], others, varying);
  const arrangedIndex = channelIndex(arranged, dims);
  if (!arrangedIndex) throw new Error('arranged channels must carry the constant');
  return { value: arranged, index: arrangedIndex };
}

/** As {@link perChannel}, without rearranging; null where the channels do not carry the constant's dimensions. */
export function channelIndex(value: MapValue, dims: readonly number[]): Int32Array | null {
  const channels = value.map.shape.c;
  const inMap: Atom[] = [];
  const inConstant: Atom[] = [];
  let constantStride = 1;
  for (let dim = dims.length - 1; dim >= 0; dim--) {
    let step = constantStride;
    const atoms = value.layout[dim];
    for (let i = atoms.length - 1; i >= 0; i--) {
      const parts = splitAtChannel(atoms[i], channels);
      if (!parts) return null;
      if (parts.inner) {
        inMap.push(parts.inner);
        inConstant.push({ size: parts.inner.size, stride: dims[dim] > 1 ? step : 0 });
        step *= parts.inner.size;
      }
      if (parts.outer) {
        if (dims[dim] > 1) return null;
        step *= parts.outer.size;
      }
    }
    constantStride *= dims[dim];
  }
  const channel = offsets(inMap);
  const element = offsets(inConstant);
  const index = new Int32Array(channels);
  for (let i = 0; i < channels; i++) index[channel[i]] = element[i];
  return index;
}

/**
 * Divides an atom into its steps within a pixel's channels and its steps between pixels; null when it crosses unevenly.
 */
function splitAtChannel(atom: Atom, channels: number): { inner: Atom | null; outer: Atom | null } | null {
  if (atom.stride >= channels) return { inner: null, outer: atom };
  if (atom.stride * atom.size <= channels) return { inner: atom, outer: null };
  const inside = channels / atom.stride;
  if (!Number.isInteger(inside) || atom.size % inside !== 0) return null;
  return { inner: { size: inside, stride: atom.stride }, outer: { size: atom.size / inside, stride: channels } };
}

/**
 * Emits y = scale·x + offset with constants broadcast over the value.
 *
 * @param load element i of the constant's scale and offset
 */
export function affine(
  context: NodeContext,
  input: MapValue,
  dims: readonly number[],
  load: () => { scale: (i: number) => number; offset: (i: number) => number },
): MapValue {
  const { value, index } = perChannel(context, input, dims);
  const map = context.layer(affineSpec(EMPTY, EMPTY), [value], value.map.shape, () => {
    const { scale, offset } = load();
    return affineSpec(Float32Array.from(index, scale), Float32Array.from(index, offset));
  });
  return context.over(map, value.dims, value.layout);
}

/** All elements by one factor. */
export function times(context: NodeContext, value: MapValue, factor: number): MapValue {
  const dims = value.dims.map(() => 1);
  return affine(context, value, dims, () => ({ scale: () => factor, offset: () => 0 }));
}

/** A 1×1 convolution that copies a single channel to `channels` channels. */
export function replicateChannels(context: NodeContext, input: MapValue, channels: number): MapValue['map'] {
  const { h, w } = input.map.shape;
  return context.layer(
    {
      kind: 'conv',
      window: POINT_WINDOW,
      group: 1,
      weights: new Float32Array(channels).fill(1),
      bias: new Float32Array(channels),
      clamp: NO_CLAMP,
    },
    [input],
    { h, w, c: channels },
  );
}

function isPointWindow(window: Window): boolean {
  const { padding } = window;
  return (
    window.kernelH === 1 &&
    window.kernelW === 1 &&
    window.strideH === 1 &&
    window.strideW === 1 &&
    padding.top === 0 &&
    padding.left === 0 &&
    padding.bottom === 0 &&
    padding.right === 0
  );
}

/** Whether a depthwise layer is only a per-channel scale and offset. */
export function isAffine(layer: Pick<DepthwiseLayer, 'kind' | 'window'>): boolean {
  return isPointWindow(layer.window);
}
