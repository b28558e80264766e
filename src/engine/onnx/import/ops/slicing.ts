import { arrange } from '../arrange';
import { join, take, takeRun, type Run } from '../moves';
import type { NodeContext } from '../nodeContext';
import type { MapValue } from '../values';
import { isWholeChannel } from './linear';
import { reshapeTo } from './shapes';

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
  context.setMap(join(context, parts, axis));
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
    const { begin, step, count } = sliceRun(context, value.dims[axis], start, ends[i], steps[i]);
    result =
      step > 0
        ? takeRun(context, result, axis, { begin, step, count })
        : take(
            context,
            result,
            axis,
            Array.from({ length: count }, (_, k) => begin + k * step),
          );
  });
  context.setMap(result === value ? context.renamed(value, value.dims, value.layout) : result);
}

/** What a Slice with these bounds selects of a dimension; negative steps go backwards. */
function sliceRun(context: NodeContext, size: number, start: number, end: number, step: number): Run {
  if (!Number.isInteger(step) || step === 0) context.fail(`slices with step ${step}`, 'Export the model again.');
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bounded = (at: number): number => Math.min(high, Math.max(low, at < 0 ? at + size : at));
  const begin = step > 0 ? bounded(start) : Math.max(0, bounded(start));
  return { begin, step, count: Math.max(0, Math.ceil((bounded(end) - begin) / step)) };
}

/** Elements [begin, end) of one dimension. */
export function sliceAlong(context: NodeContext, value: MapValue, axis: number, begin: number, end: number): MapValue {
  return takeRun(context, value, axis, { begin, step: 1, count: end - begin });
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
    const part = sliceAlong(context, value, axis, begin, begin + count);
    context.setMap(part === value ? context.renamed(value, value.dims, value.layout) : part, i);
    begin += count;
  });
}

/** Gather of constant indices in any order; a scalar index also drops the dimension, several dimensions come in. */
export function gather(context: NodeContext): void {
  const value = context.map(0);
  const indices = context.constant(1, 'its indices');
  const axis = context.axis(context.int('axis', 0), value.dims.length);
  const list = indices.small().map((i) => (i < 0 ? i + value.dims[axis] : i));
  if (list.some((index) => !(index >= 0 && index < value.dims[axis])))
    context.fail('selects elements that do not exist', 'Export the model again.');
  const part = take(context, value, axis, list);
  const dims = [...value.dims.slice(0, axis), ...indices.dims, ...value.dims.slice(axis + 1)];
  context.setMap(
    indices.dims.length === 1 && part !== value ? part : reshapeTo(context, part === value ? value : part, dims),
  );
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
export function isWholeChannelSet(value: MapValue, which: readonly number[]): boolean {
  const atoms = which.flatMap((dim) => value.layout[dim]).sort((p, q) => q.stride - p.stride);
  const sorted: MapValue = { ...value, layout: [atoms] };
  return isWholeChannel(sorted, [0]);
}
