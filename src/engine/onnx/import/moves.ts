import type { Shape } from '../../graph/types';
import type { Layout } from '../layout';
import { contiguousLayout, mergeAtoms, orderTable } from '../layout';
import { arrange, imageOrder } from './arrange';
import { sameShape } from './draft';
import type { NodeContext } from './nodeContext';
import { productOf } from './nodeContext';
import { isWholeChannel } from './ops/linear';
import { POINT_WINDOW } from './perChannel';
import type { MapValue } from './values';

/** Layers that only move elements: parts of a dimension, in order, reversed or repeated, and joins along one. */

export type MapAxis = 'h' | 'w' | 'c';

/** Elements between neighbours along an axis of a map. */
function unitOf({ w, c }: Shape, axis: MapAxis): number {
  return axis === 'c' ? 1 : axis === 'w' ? c : w * c;
}

/** Whether a dimension of the value is exactly this axis of its map. */
function liesAlong(value: MapValue, dim: number, axis: MapAxis): boolean {
  const extent = value.map.shape[axis];
  const along = mergeAtoms(value.layout[dim]);
  return extent === 1
    ? along.length === 0 && value.dims[dim] === 1
    : along.length === 1 && along[0].stride === unitOf(value.map.shape, axis) && along[0].size === extent;
}

/** The layout when the axis that is dimension `dim` has `count` elements instead. */
function withExtent(value: MapValue, dim: number, axis: MapAxis, count: number): Layout {
  const unit = unitOf(value.map.shape, axis);
  const extent = value.map.shape[axis];
  // Strides beyond the axis change with it.
  return value.layout.map((atoms, other) =>
    other === dim
      ? count === 1
        ? []
        : [{ size: count, stride: unit }]
      : atoms.map((atom) =>
          atom.stride >= unit * extent ? { size: atom.size, stride: (atom.stride / extent) * count } : atom,
        ),
  );
}

function withDim(dims: readonly number[], dim: number, count: number): number[] {
  return dims.map((d, other) => (other === dim ? count : d));
}

/** Where several axes have one element any of them fits; the image's own axis keeps later layers in place. */
function axesInOrder(rank: number, dim: number): readonly MapAxis[] {
  return rank === 4 && dim === 2 ? ['h', 'c', 'w'] : rank === 4 && dim === 3 ? ['w', 'c', 'h'] : ['c', 'h', 'w'];
}

/** Joins values along a dimension: along an axis of their maps as they lie where that is possible. */
export function join(context: NodeContext, parts: readonly MapValue[], dim: number): MapValue {
  const inPlace = (values: readonly MapValue[]): MapValue | null =>
    axesInOrder(parts[0].dims.length, dim).reduce<MapValue | null>(
      (found, axis) => found ?? joinInPlace(context, values, dim, axis),
      null,
    );
  return inPlace(parts) ?? joinImages(context, parts, inPlace) ?? joinRows(context, parts, dim);
}

/**
 * Joins images, of which some are still to be rearranged (what a transposed convolution writes): each on its own,
 * rather than all of them joined.
 */
function joinImages(
  context: NodeContext,
  parts: readonly MapValue[],
  inPlace: (values: readonly MapValue[]) => MapValue | null,
): MapValue | null {
  const image = parts.map(imageOrder).find((order) => order !== null);
  return image ? inPlace(parts.map((part) => arrange(context, part, ...image))) : null;
}

/** Joins along one axis of the maps as they lie, when that axis is exactly the dimension and everything else agrees. */
function joinInPlace(context: NodeContext, parts: readonly MapValue[], dim: number, axis: MapAxis): MapValue | null {
  const first = parts[0].map.shape;
  const total = parts.reduce((sum, part) => sum + part.map.shape[axis], 0);
  const alike = (part: MapValue): boolean => sameShape({ ...part.map.shape, [axis]: 1 }, { ...first, [axis]: 1 });
  if (!parts.every((part) => alike(part) && liesAlong(part, dim, axis))) return null;
  const layouts = parts.map((part) => withExtent(part, dim, axis, total));
  const agreed = layouts[0].every((atoms, other) =>
    layouts.every(
      (layout) =>
        layout[other].length === atoms.length &&
        layout[other].every((a, i) => a.size === atoms[i].size && a.stride === atoms[i].stride),
    ),
  );
  if (!agreed) return null;
  const map = context.layer({ kind: 'concat', axis }, parts, { ...first, [axis]: total });
  return context.over(map, withDim(parts[0].dims, dim, total), layouts[0]);
}

/** Joins in row-major order: outer dimensions as rows, the joined one as columns, inner ones as channels. */
function joinRows(context: NodeContext, parts: readonly MapValue[], dim: number): MapValue {
  const all = parts[0].dims.map((_, other) => other);
  const [outer, inner] = [all.slice(0, dim), all.slice(dim + 1)];
  const vectors = productOf(parts[0].dims, inner) === 1;
  const arranged = parts.map((part) =>
    vectors ? arrange(context, part, [], outer, [dim, ...inner]) : arrange(context, part, outer, [dim], inner),
  );
  const total = parts.reduce((sum, part) => sum + part.dims[dim], 0);
  const { h, w, c } = arranged[0].map.shape;
  const map = context.layer(
    { kind: 'concat', axis: vectors ? 'c' : 'w' },
    arranged,
    vectors ? { h, w, c: total } : { h, w: total, c },
  );
  const dims = withDim(parts[0].dims, dim, total);
  return context.over(map, dims, contiguousLayout(dims, all));
}

/** Elements begin, begin + step, … of a dimension, `count` of them; step 1 or more. */
export interface Run {
  readonly begin: number;
  readonly step: number;
  readonly count: number;
}

/** Splits indices into runs of rising ones; an index that begins none is a run of one. */
function runsOf(indices: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < indices.length;) {
    const step = Math.max(1, (indices[i + 1] ?? indices[i] + 1) - indices[i]);
    let count = 1;
    while (i + count < indices.length && indices[i + count] === indices[i] + count * step) count++;
    runs.push({ begin: indices[i], step: count === 1 ? 1 : step, count });
    i += count;
  }
  return runs;
}

/** Channels are joined from at most this many parts; beyond that elements are gathered one by one. */
const MOST_PARTS = 16;

/** A run of elements of a dimension. */
export function takeRun(context: NodeContext, value: MapValue, dim: number, run: Run): MapValue {
  const { begin, step, count } = run;
  if (count < 1) context.fail('selects nothing', 'Correct its bounds and export the model again.');
  if (count === value.dims[dim]) return value;
  const axis = axisOf(value, dim);
  if (axis === 'h' || axis === 'w') return crop(context, value, dim, axis, run);
  if (axis === 'c' && step === 1) return channels(context, value, dim, run);
  if (axis === null && !isWholeChannel(value, [dim])) return takeRun(context, withAxis(context, value, dim), dim, run);
  return take(
    context,
    value,
    dim,
    Array.from({ length: count }, (_, i) => begin + i * step),
  );
}

function axisOf(value: MapValue, dim: number): MapAxis | null {
  return axesInOrder(value.dims.length, dim).find((axis) => liesAlong(value, dim, axis)) ?? null;
}

/** The value with a dimension as an axis of its map: rows or columns of the image, or channels. */
function withAxis(context: NodeContext, value: MapValue, dim: number): MapValue {
  const others = value.dims.map((_, other) => other).filter((other) => other !== dim);
  const image = value.dims.length === 4 && value.dims[0] === 1 && dim >= 2;
  return image ? arrange(context, value, [0, 2], [3], [1]) : arrange(context, value, [], others, [dim]);
}

/** The elements `indices` of a dimension, in that order, repeated or not. */
export function take(context: NodeContext, value: MapValue, dim: number, indices: readonly number[]): MapValue {
  if (indices.length === 0) context.fail('selects nothing', 'Correct its bounds and export the model again.');
  if (indices.length === value.dims[dim] && indices.every((index, i) => index === i)) return value;
  const runs = runsOf(indices);
  const axis = axisOf(value, dim);
  if (axis === 'h' || axis === 'w')
    return runs.length === 1 ? crop(context, value, dim, axis, runs[0]) : pick(context, value, dim, axis, indices);
  if (axis === 'c') {
    if (runs.length === 1 && runs[0].step === 1) return channels(context, value, dim, runs[0]);
    const parts = runs.flatMap(({ begin, step, count }) =>
      step === 1
        ? [{ begin, step, count }]
        : Array.from({ length: count }, (_, i) => ({ begin: begin + i * step, step: 1, count: 1 })),
    );
    if (parts.length <= MOST_PARTS)
      return join(
        context,
        parts.map((run) => channels(context, value, dim, run)),
        dim,
      );
    return gatherElements(context, value, dim, indices);
  }
  return isWholeChannel(value, [dim])
    ? gatherElements(context, value, dim, indices)
    : take(context, withAxis(context, value, dim), dim, indices);
}

/** Channels of the map, as a layer that need not move them. */
function channels(context: NodeContext, value: MapValue, dim: number, { begin, count }: Run): MapValue {
  const { h, w } = value.map.shape;
  const map = context.layer({ kind: 'slice', begin, end: begin + count }, [value], { h, w, c: count });
  return context.over(map, withDim(value.dims, dim, count), withExtent(value, dim, 'c', count));
}

/** Rows or columns in steps, as windows of a single pixel that begin inside the map. */
function crop(context: NodeContext, value: MapValue, dim: number, axis: 'h' | 'w', run: Run): MapValue {
  const { begin, step, count } = run;
  const { shape } = value.map;
  const behind = (count - 1) * step + 1 - (shape[axis] - begin);
  const window =
    axis === 'h'
      ? { ...POINT_WINDOW, strideH: step, padding: { top: -begin, left: 0, bottom: behind, right: 0 } }
      : { ...POINT_WINDOW, strideW: step, padding: { top: 0, left: -begin, bottom: 0, right: behind } };
  const map = context.layer({ kind: 'maxPool', window }, [value], { ...shape, [axis]: count });
  return context.over(map, withDim(value.dims, dim, count), withExtent(value, dim, axis, count));
}

/** Largest row or column that the kernel's tables can name. */
const MOST_PICKED = 2 ** 15 - 1;

/** Rows or columns in any order. */
function pick(
  context: NodeContext,
  value: MapValue,
  dim: number,
  axis: 'h' | 'w',
  indices: readonly number[],
): MapValue {
  const { shape } = value.map;
  if (Math.max(shape.h, shape.w, indices.length) > MOST_PICKED)
    context.fail(`selects from ${shape[axis]} rows`, 'Use a smaller input.');
  const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
  const chosen = Int32Array.from(indices);
  const map = context.layer(
    {
      kind: 'resize',
      mode: 'nearest',
      coordinates: 'asymmetric',
      rounding: 'floor',
      scaleH: axis === 'h' ? indices.length / shape.h : 1,
      scaleW: axis === 'w' ? indices.length / shape.w : 1,
      pick: { rows: axis === 'h' ? chosen : all(shape.h), columns: axis === 'w' ? chosen : all(shape.w) },
    },
    [value],
    { ...shape, [axis]: indices.length },
  );
  return context.over(map, withDim(value.dims, dim, indices.length), withExtent(value, dim, axis, indices.length));
}

/** Elements by a table, in the memory order that the value has. */
function gatherElements(context: NodeContext, value: MapValue, dim: number, indices: readonly number[]): MapValue {
  const { shape } = value.map;
  const layout = withExtent(value, dim, 'c', indices.length);
  const dims = withDim(value.dims, dim, indices.length);
  const inner = productOf(
    dims,
    dims.map((_, other) => other).filter((other) => other > dim),
  );
  const map = context.layer(
    { kind: 'permute', permutation: new Int32Array(0) },
    [value],
    { ...shape, c: indices.length },
    () => {
      const to = orderTable(layout);
      const from = orderTable(value.layout);
      const permutation = new Int32Array(to.length);
      for (let i = 0; i < to.length; i++) {
        const outer = Math.floor(i / (inner * indices.length));
        const at = indices[Math.floor(i / inner) % indices.length];
        permutation[to[i]] = from[(outer * value.dims[dim] + at) * inner + (i % inner)];
      }
      return { kind: 'permute', permutation };
    },
  );
  return context.over(map, dims, layout);
}
