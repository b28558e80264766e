import type { NodeContext } from '../nodeContext';
import { LARGEST_EXTENT } from './window';

/** What a Pad node does to each dimension. */
export interface Pads {
  /** Elements that come before and after each dimension; negative where it is cropped. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly constant: boolean;
  /** Of constant padding. */
  readonly fill: number;
  /** The element that `at` of a padded dimension is a copy of; −1 where it is the constant. */
  readonly sources: (dim: number, at: number) => number;
}

/** Pads as an attribute (before opset 11) or an input, for all dimensions or for those of `axes` (opset 18). */
export function resolvePads(context: NodeContext, dims: readonly number[]): Pads {
  const rank = dims.length;
  const mode = context.text('mode', 'constant');
  const listed =
    context.intsOrInput('pads', 1) ??
    context.ints('paddings') ??
    context.fail('has no pads', 'Export the model again.');
  const fill = context.has(2) ? context.constant(2, 'its value').small()[0] : context.float('value', 0);
  const axes = context.has(3)
    ? context
        .constant(3, 'its axes')
        .small()
        .map((axis) => context.axis(axis, rank))
    : dims.map((_, dim) => dim);
  if (listed.length !== 2 * axes.length || listed.some((p) => !Number.isInteger(p)))
    context.fail(`has ${listed.length} pads for ${rank} dimensions`, 'Export the model again.');
  if (listed.some((p) => Math.abs(p) > LARGEST_EXTENT))
    context.fail('pads beyond all images', 'Correct the attribute and export the model again.');
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  axes.forEach((axis, i) => {
    before[axis] = listed[i];
    after[axis] = listed[i + axes.length];
  });
  const source = sourceOf(context, mode);
  return {
    before,
    after,
    constant: mode === 'constant',
    fill,
    sources: (dim, at) => source(at - before[dim], dims[dim]),
  };
}

function sourceOf(context: NodeContext, mode: string): (at: number, size: number) => number {
  switch (mode) {
    case 'constant':
      return (at, size) => (at >= 0 && at < size ? at : -1);
    case 'edge':
      return (at, size) => Math.min(size - 1, Math.max(0, at));
    case 'reflect':
      return (at, size) => {
        const period = Math.max(1, 2 * (size - 1));
        const inside = ((at % period) + period) % period;
        return inside < size ? inside : period - inside;
      };
    case 'wrap':
      return (at, size) => ((at % size) + size) % size;
    default:
      return context.fail(`pads in mode ${mode}`, 'Only constant, reflect, edge and wrap are supported.');
  }
}
