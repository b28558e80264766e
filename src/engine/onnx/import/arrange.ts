import type { Shape } from '../../graph/types';
import type { Layout } from '../layout';
import { contiguousLayout, isContiguous, orderTable, sameLayout } from '../layout';
import { sameShape } from './draft';
import type { NodeContext } from './nodeContext';
import { productOf } from './nodeContext';
import type { MapValue } from './values';

/**
 * The value with its dimensions `h`, `w` and `c` (each outermost first; together all dimensions) as the axes of its
 * map. Nothing is added when memory is so already, a `reshape` layer when only the map's shape differs, a `permute`
 * layer otherwise.
 */
export function arrange(
  context: NodeContext,
  value: MapValue,
  h: readonly number[],
  w: readonly number[],
  c: readonly number[],
): MapValue {
  const { dims } = value;
  const shape: Shape = { h: productOf(dims, h), w: productOf(dims, w), c: productOf(dims, c) };
  return arrangeAs(context, value, shape, contiguousLayout(dims, [...h, ...w, ...c]), [...h, ...w, ...c]);
}

/**
 * The value over a map of the given shape and layout. `order` lists the dimensions as they lie in memory under
 * `layout`, if they are contiguous.
 */
export function arrangeAs(
  context: NodeContext,
  value: MapValue,
  shape: Shape,
  layout: Layout,
  order: readonly number[] | null,
): MapValue {
  const inPlace = sameLayout(value.layout, layout) || (order !== null && isContiguous(value.layout, order));
  if (inPlace && sameShape(value.map.shape, shape)) return { ...value, layout };
  const known = context.state.materialized.get(value.map) ?? [];
  const existing = known.find(
    (m) => sameShape(m.to.shape, shape) && sameLayout(m.from, value.layout) && sameLayout(m.layout, layout),
  );
  if (existing) return { ...value, map: existing.to, layout, via: [] };
  const from = value.layout;
  const map = inPlace
    ? context.layer({ kind: 'reshape' }, [value], shape)
    : context.layer({ kind: 'permute', permutation: new Int32Array(0) }, [value], shape, () => {
        const target = orderTable(layout);
        const source = orderTable(from);
        const permutation = new Int32Array(target.length);
        for (let i = 0; i < target.length; i++) permutation[target[i]] = source[i];
        return { kind: 'permute', permutation };
      });
  if (value.name !== null && value.quantization === null) map.tap = { value: value.name, layout, preClamp: null };
  context.state.materialized.set(value.map, [...known, { from, layout, to: map }]);
  return { ...value, map, layout, via: [] };
}

/** A rank-3 or rank-4 value [1, C, (H,) W] with a map of H×W×C, as convolution and pooling read it. */
export function spatial(context: NodeContext, value: MapValue): MapValue {
  const { dims } = value;
  if (dims.length !== 3 && dims.length !== 4) {
    context.fail(
      `works on ${dims.length} dimensions (${dims.join('×')})`,
      'Only 1-D and 2-D windows over one image are supported.',
    );
  }
  if (dims[0] !== 1) context.fail(`works on a batch of ${dims[0]}`, 'Export the model for one image (batch 1).');
  return dims.length === 4 ? arrange(context, value, [0, 2], [3], [1]) : arrange(context, value, [0], [2], [1]);
}

/** Dimensions and layout of a map written as [1, C, H, W], or [1, C, W] for rank 3. */
export function spatialValue(context: NodeContext, map: MapValue['map'], rank: number): MapValue {
  const { h, w, c } = map.shape;
  return rank === 4
    ? context.over(map, [1, c, h, w], contiguousLayout([1, c, h, w], [0, 2, 3, 1]))
    : context.over(map, [1, c, w], contiguousLayout([1, c, w], [0, 2, 1]));
}

/** The value over the same elements in row-major order, as a 1×1×N map: what any Reshape can be applied to. */
export function flattened(context: NodeContext, value: MapValue): MapValue {
  const all = value.dims.map((_, dim) => dim);
  return arrange(context, value, [], [], all);
}

/**
 * Whether the value's map is its image, rows by columns by channels: NCHW or NHWC dimensions without a rearrangement
 * waiting.
 */
export function imageOrder(
  value: MapValue,
): readonly [h: readonly number[], w: readonly number[], c: readonly number[]] | null {
  const { dims, layout, map } = value;
  if (dims.length !== 4) return null;
  const orders = [
    [[0, 2], [3], [1]],
    [[0, 1], [2], [3]],
  ] as const;
  return (
    orders.find(
      ([h, w, c]) =>
        isContiguous(layout, [...h, ...w, ...c]) &&
        sameShape(map.shape, { h: productOf(dims, h), w: productOf(dims, w), c: productOf(dims, c) }),
    ) ?? null
  );
}
