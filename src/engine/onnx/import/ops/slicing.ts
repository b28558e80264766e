import type { Shape } from '../../../graph/types';
import type { Layout } from '../../layout';
import { contiguousLayout, mergeAtoms } from '../../layout';
import { arrange, imageOrder, spatial, spatialValue } from '../arrange';
import { sameShape } from '../draft';
import type { NodeContext } from '../nodeContext';
import { productOf } from '../nodeContext';
import { EMPTY, NO_CLAMP, POINT_WINDOW } from '../perChannel';
import type { MapValue } from '../values';
import { isWholeChannel } from './linear';

/** Concat of feature maps. */
export function concat(context: NodeContext): void {
  const parts = context.node.inputs.map((_, i) => context.map(i));
  const rank = parts[0].dims.length;
  const axis = context.axis(
    context.attribute('axis')?.i ?? (context.opset < 4 ? 1 : context.fail('has no axis', 'Export the model again.')),
    rank,
  );
  for (const part of parts) {
    if (part.dims.length !== rank || part.dims.some((d, dim) => dim !== axis && d !== parts[0].dims[dim])) {
      context.fail(
        `joins ${parts[0].dims.join('×')} and ${part.dims.join('×')} along axis ${axis}`,
        'All other dimensions must be equal.',
      );
    }
  }
  if (parts.length === 1) return context.setMap(context.renamed(parts[0], parts[0].dims, parts[0].layout));
  // Where several axes have one element any of them fits; the image's own axis keeps later layers in place.
  const order =
    rank === 4 && axis === 2
      ? (['h', 'c', 'w'] as const)
      : rank === 4 && axis === 3
        ? (['w', 'c', 'h'] as const)
        : (['c', 'h', 'w'] as const);
  const join = (values: readonly MapValue[]): MapValue | null =>
    order.reduce<MapValue | null>((found, mapAxis) => found ?? concatInPlace(context, values, axis, mapAxis), null);
  context.setMap(join(parts) ?? joinImages(context, parts, join) ?? concatRows(context, parts, axis));
}

/**
 * Joins images, of which some are still to be rearranged (what a transposed convolution writes): each on its own,
 * rather than all of them joined.
 */
function joinImages(
  context: NodeContext,
  parts: readonly MapValue[],
  join: (values: readonly MapValue[]) => MapValue | null,
): MapValue | null {
  const image = parts.map(imageOrder).find((order) => order !== null);
  return image ? join(parts.map((part) => arrange(context, part, ...image))) : null;
}

/** Joins along one axis of the maps as they lie, when that axis is exactly the dimension and everything else agrees. */
function concatInPlace(
  context: NodeContext,
  parts: readonly MapValue[],
  axis: number,
  mapAxis: 'h' | 'w' | 'c',
): MapValue | null {
  const layouts: Layout[] = [];
  const total = parts.reduce((sum, part) => sum + part.map.shape[mapAxis], 0);
  const first = parts[0].map.shape;
  const shape: Shape = { ...first, [mapAxis]: total };
  for (const part of parts) {
    const own = part.map.shape;
    if (!sameShape({ ...own, [mapAxis]: 1 }, { ...first, [mapAxis]: 1 })) return null;
    const unit = mapAxis === 'c' ? 1 : mapAxis === 'w' ? own.c : own.w * own.c;
    const along = mergeAtoms(part.layout[axis]);
    const extent = own[mapAxis];
    const matches =
      extent === 1
        ? along.length === 0 && part.dims[axis] === 1
        : along.length === 1 && along[0].stride === unit && along[0].size === extent;
    if (!matches) return null;
    const layout: Layout = part.layout.map((atoms, dim) => {
      if (dim === axis) return [{ size: total, stride: unit }];
      // Strides beyond the joined axis grow with it.
      return atoms.map((atom) =>
        atom.stride >= unit * extent ? { size: atom.size, stride: (atom.stride / extent) * total } : atom,
      );
    });
    layouts.push(layout);
  }
  const agreed = layouts[0].every((atoms, dim) =>
    layouts.every(
      (layout) =>
        layout[dim].length === atoms.length &&
        layout[dim].every((a, i) => a.size === atoms[i].size && a.stride === atoms[i].stride),
    ),
  );
  if (!agreed) return null;
  const map = context.layer({ kind: 'concat', axis: mapAxis }, parts, shape);
  return context.over(
    map,
    parts[0].dims.map((d, dim) => (dim === axis ? total : d)),
    layouts[0],
  );
}

/** Joins in row-major order: outer dimensions as rows, the axis as columns, inner ones as channels. */
function concatRows(context: NodeContext, parts: readonly MapValue[], axis: number): MapValue {
  const all = parts[0].dims.map((_, dim) => dim);
  const [outer, inner] = [all.slice(0, axis), all.slice(axis + 1)];
  const vectors = productOf(parts[0].dims, inner) === 1;
  const arranged = parts.map((part) =>
    vectors ? arrange(context, part, [], outer, [axis, ...inner]) : arrange(context, part, outer, [axis], inner),
  );
  const total = parts.reduce((sum, part) => sum + part.dims[axis], 0);
  const { h, w, c } = arranged[0].map.shape;
  const map = context.layer(
    { kind: 'concat', axis: vectors ? 'c' : 'w' },
    arranged,
    vectors ? { h, w, c: total } : { h, w: total, c },
  );
  const dims = parts[0].dims.map((d, dim) => (dim === axis ? total : d));
  return context.over(map, dims, contiguousLayout(dims, all));
}

/** Slice with constant bounds (attributes before opset 10, inputs since). */
export function slice(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const starts = context.intsOrInput('starts', 1) ?? context.fail('has no starts', 'Export the model again.');
  const ends = context.intsOrInput('ends', 2) ?? context.fail('has no ends', 'Export the model again.');
  const axes = context.intsOrInput('axes', 3) ?? starts.map((_, i) => i);
  const steps = context.has(4) ? context.constant(4, 'its steps').small() : starts.map(() => 1);
  let result = value;
  starts.forEach((start, i) => {
    const axis = context.axis(axes[i], rank);
    const size = value.dims[axis];
    if (!(steps[i] >= 1)) context.fail(`slices with step ${steps[i]}`, 'Only steps of 1 or more are supported.');
    const clampTo = (at: number): number => Math.min(size, Math.max(0, at < 0 ? at + size : at));
    result = sliceAlong(context, result, axis, clampTo(start), clampTo(ends[i]), steps[i]);
  });
  context.setMap(result === value ? context.renamed(value, value.dims, value.layout) : result);
}

/** Elements begin, begin + step, … below end of one dimension. */
export function sliceAlong(
  context: NodeContext,
  value: MapValue,
  axis: number,
  begin: number,
  end: number,
  step: number,
): MapValue {
  const count = Math.ceil((end - begin) / step);
  if (count < 1) context.fail('selects nothing', 'Correct its bounds and export the model again.');
  if (count === value.dims[axis]) return value;
  if (step === 1) return sliceChannels(context, value, axis, begin, end);
  if (value.dims.length === 4 && axis >= 2 && value.dims[0] === 1)
    return subsample(context, value, axis, begin, count, step);
  return context.fail(
    `takes every ${step}th element along axis ${axis}`,
    'Only rows and columns of an image can be taken in steps.',
  );
}

function sliceChannels(context: NodeContext, value: MapValue, axis: number, begin: number, end: number): MapValue {
  if (value.dims.length === 4 && axis >= 2 && value.dims[0] === 1 && !isWholeChannel(value, [axis]))
    return subsample(context, value, axis, begin, end - begin, 1);
  const others = value.dims.map((_, dim) => dim).filter((dim) => dim !== axis);
  const input = isWholeChannel(value, [axis]) ? value : arrange(context, value, [], others, [axis]);
  const { h, w, c } = input.map.shape;
  const count = end - begin;
  const map = context.layer({ kind: 'slice', begin, end }, [input], { h, w, c: count });
  const layout = input.layout.map((atoms, dim) =>
    dim === axis
      ? count === 1
        ? []
        : [{ size: count, stride: 1 }]
      : atoms.map((atom) => ({ size: atom.size, stride: (atom.stride / c) * count })),
  );
  return context.over(
    map,
    value.dims.map((d, dim) => (dim === axis ? count : d)),
    layout,
  );
}

/** Crop beyond which selecting by a convolution would read absurdly large windows. */
const MAX_CROP = 32;

/**
 * Rows or columns begin, begin + step, … of an image: a pooling of single pixels, or a depthwise window that looks at
 * one of its pixels when it does not start at 0.
 */
function subsample(
  context: NodeContext,
  given: MapValue,
  axis: number,
  begin: number,
  count: number,
  step: number,
): MapValue {
  const input = spatial(context, given);
  const { h, w, c } = input.map.shape;
  const size = axis === 2 ? h : w;
  const natural = Math.floor((size - begin - 1) / step) + 1;
  // Trailing window pixels keep the window from fitting more often than asked for.
  const extent = natural === count ? begin + 1 : size - (count - 1) * step;
  if (extent > MAX_CROP)
    context.fail(`crops ${size - count * step} pixels along axis ${axis}`, 'Crop the input image instead.');
  const window =
    axis === 2
      ? { ...POINT_WINDOW, kernelH: extent, strideH: step }
      : { ...POINT_WINDOW, kernelW: extent, strideW: step };
  const shape = axis === 2 ? { h: count, w, c } : { h, w: count, c };
  const map =
    extent === 1
      ? context.layer({ kind: 'maxPool', window }, [input], shape)
      : context.layer(
          { kind: 'depthwise', window, weights: EMPTY, bias: EMPTY, clamp: NO_CLAMP },
          [input],
          shape,
          () => {
            const weights = new Float32Array(extent * c).fill(1, begin * c, (begin + 1) * c);
            return { kind: 'depthwise', window, weights, bias: new Float32Array(c), clamp: NO_CLAMP };
          },
        );
  return spatialValue(context, map, 4);
}

/** Split into several slices along one axis. */
export function split(context: NodeContext): void {
  const value = context.map(0);
  const axis = context.axis(context.int('axis', 0), value.dims.length);
  const size = value.dims[axis];
  const parts = context.node.outputs.length;
  const chunk = Math.ceil(size / context.int('num_outputs', parts));
  const sizes =
    context.intsOrInput('split', 1) ?? Array.from({ length: parts }, (_, i) => Math.min(chunk, size - i * chunk));
  if (sizes.length !== parts || sizes.some((s) => !(s > 0)) || sizes.reduce((a, b) => a + b, 0) !== size) {
    context.fail(`splits ${size} elements into ${sizes.join(', ')}`, 'Export the model again.');
  }
  let begin = 0;
  sizes.forEach((count, i) => {
    const part = sliceAlong(context, value, axis, begin, begin + count, 1);
    context.setMap(part === value ? context.renamed(value, value.dims, value.layout) : part, i);
    begin += count;
  });
}

/** Gather of consecutive constant indices: a slice; a scalar index also drops the dimension. */
export function gather(context: NodeContext): void {
  const value = context.map(0);
  const indices = context.constant(1, 'its indices');
  const axis = context.axis(context.int('axis', 0), value.dims.length);
  const list = indices.small().map((i) => (i < 0 ? i + value.dims[axis] : i));
  const begin = list[0] ?? context.fail('selects nothing', 'Export the model again.');
  if (
    indices.dims.length > 1 ||
    list.some((index, i) => index !== begin + i || index < 0 || index >= value.dims[axis])
  ) {
    context.fail(
      'selects elements in an arbitrary order',
      'Only runs of consecutive indices are supported; reorder the weights before instead.',
    );
  }
  const part = sliceAlong(context, value, axis, begin, begin + list.length, 1);
  const drop = indices.dims.length === 0;
  const keep = value.dims.map((_, dim) => dim).filter((dim) => !(drop && dim === axis));
  const result = { ...part, dims: keep.map((dim) => part.dims[dim]), layout: keep.map((dim) => part.layout[dim]) };
  context.setMap(part === value ? context.renamed(value, result.dims, result.layout) : result);
}

/** Softmax. Before opset 13 it runs over all dimensions from `axis` on, since then over `axis` alone. */
export function softmax(context: NodeContext): void {
  context.setMap(softmaxOf(context, context.map(0)));
}

/** The dimensions that a Softmax or LogSoftmax runs over. */
export function softmaxDims(context: NodeContext, value: MapValue): readonly number[] {
  const axis = context.axis(context.int('axis', context.opset < 13 ? 1 : -1), value.dims.length);
  return context.opset < 13 ? value.dims.map((_, dim) => dim).slice(axis) : [axis];
}

export function softmaxOf(context: NodeContext, value: MapValue): MapValue {
  const over = softmaxDims(context, value);
  const others = value.dims.map((_, dim) => dim).filter((dim) => !over.includes(dim));
  const input = isWholeChannelSet(value, over) ? value : arrange(context, value, [], others, over);
  const map = context.layer({ kind: 'softmax' }, [input], input.map.shape);
  return context.over(map, input.dims, input.layout);
}

/**
 * Whether these dimensions are the channels of the map in whatever order: the order of a softmax's elements is of no
 * matter.
 */
function isWholeChannelSet(value: MapValue, which: readonly number[]): boolean {
  const atoms = which.flatMap((dim) => value.layout[dim]).sort((p, q) => q.stride - p.stride);
  const sorted: MapValue = { ...value, layout: [atoms] };
  return isWholeChannel(sorted, [0]);
}
