import { counted } from '../../../common/wording';
import { regroup } from '../../layout';
import { elementCount } from '../../tensorData';
import { flattened, spatial, spatialValue } from '../arrange';
import { take } from '../moves';
import { checkSize, type NodeContext } from '../nodeContext';
import { productOf, RESHAPE_EXPORT } from '../nodeContext';
import { replicateChannels } from '../perChannel';
import type { MapValue } from '../values';

/** The value under other dimensions of the same row-major sequence. */
export function reshapeTo(context: NodeContext, value: MapValue, dims: readonly number[]): MapValue {
  const layout = regroup(value.layout, dims);
  if (layout) return context.renamed(value, dims, layout);
  const flat = flattened(context, value);
  const again = regroup(flat.layout, dims);
  if (!again) throw new Error('row-major memory takes any shape');
  return { ...flat, dims, layout: again, name: null };
}

/** Reshape; the shape is an attribute in opset 1. */
export function reshape(context: NodeContext): void {
  const value = context.map(0);
  const wanted = context.intsOrInput('shape', 1) ?? context.fail('has no shape', 'Export the model again.');
  context.setMap(reshapeTo(context, value, resolveShape(context, value.dims, wanted)));
}

/** Resolves 0 (copy) and −1 (the rest) of a Reshape. */
export function resolveShape(context: NodeContext, from: readonly number[], wanted: readonly number[]): number[] {
  const allowZero = context.int('allowzero', 0) === 1;
  const dims = wanted.map((d, i) => (d === 0 && !allowZero ? (from[i] ?? 0) : d));
  const total = elementCount(from);
  const open = dims.indexOf(-1);
  if (open >= 0) dims[open] = total / dims.reduce((product, d, i) => (i === open ? product : product * d), 1);
  if (dims.some((d) => !Number.isInteger(d) || d < 1) || elementCount(dims) !== total) {
    context.fail(
      `reshapes ${from.join('×')} to ${wanted.join('×')}`,
      `It was exported for another batch or image size. ${RESHAPE_EXPORT}`,
    );
  }
  return dims;
}

export function flatten(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const given = context.int('axis', 1);
  const axis = given === rank ? rank : context.axis(given, rank);
  const all = value.dims.map((_, dim) => dim);
  context.setMap(
    reshapeTo(context, value, [productOf(value.dims, all.slice(0, axis)), productOf(value.dims, all.slice(axis))]),
  );
}

export function squeeze(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const axes =
    context.intsOrInput('axes', 1)?.map((axis) => context.axis(axis, rank)) ??
    value.dims.map((_, dim) => dim).filter((dim) => value.dims[dim] === 1);
  if (axes.some((axis) => value.dims[axis] !== 1))
    context.fail(`squeezes ${value.dims.join('×')} along axes ${axes.join(', ')}`, RESHAPE_EXPORT);
  const keep = value.dims.map((_, dim) => dim).filter((dim) => !axes.includes(dim));
  context.setMap(
    context.renamed(
      value,
      keep.map((dim) => value.dims[dim]),
      keep.map((dim) => value.layout[dim]),
    ),
  );
}

export function unsqueeze(context: NodeContext): void {
  const value = context.map(0);
  const given = context.intsOrInput('axes', 1) ?? context.fail('has no axes', 'Export the model again.');
  const rank = value.dims.length + given.length;
  if (rank > 64) context.fail(`makes ${counted(rank, 'dimension')}`, RESHAPE_EXPORT);
  const axes = new Set(given.map((axis) => context.axis(axis, rank)));
  if (axes.size !== given.length) context.fail(`names an axis twice (${given.join(', ')})`, 'Export the model again.');
  const dims: number[] = [];
  for (let at = 0, from = 0; at < rank; at++) dims.push(axes.has(at) ? 1 : value.dims[from++]);
  context.setMap(reshapeTo(context, value, dims));
}

export function transpose(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const perm = permutation(context, rank);
  context.setMap(
    context.renamed(
      value,
      perm.map((dim) => value.dims[dim]),
      perm.map((dim) => value.layout[dim]),
    ),
  );
}

/** The perm attribute of Transpose; reversed order by default. */
export function permutation(context: NodeContext, rank: number): readonly number[] {
  const perm = context.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (
    perm.length !== rank ||
    new Set(perm).size !== rank ||
    perm.some((dim) => !(Number.isInteger(dim) && dim >= 0 && dim < rank))
  ) {
    context.fail(`permutes ${rank} dimensions by ${perm.join(', ')}`, 'Export the model again.');
  }
  return perm;
}

/**
 * Expand. Copies over rows, columns or channels are made by layers; Add and Mul, which broadcast by themselves, read
 * past the former (see fold/broadcasts.ts).
 */
export function expand(context: NodeContext): void {
  const value = context.map(0);
  const wanted = context.constant(1, 'its shape').small();
  const rank = Math.max(wanted.length, value.dims.length);
  const own = [...new Array<number>(rank - value.dims.length).fill(1), ...value.dims];
  const target = [...new Array<number>(rank - wanted.length).fill(1), ...wanted].map((d, i) => (d === 1 ? own[i] : d));
  const same = reshapeTo(context, value, own);
  const copied = target.map((_, dim) => dim).filter((dim) => target[dim] !== own[dim]);
  if (copied.length === 0) return context.setMap(same);
  if (target.some((d, i) => !(Number.isInteger(d) && d > 0) || (d !== own[i] && own[i] !== 1)))
    context.fail(`copies ${value.dims.join('×')} to ${wanted.join('×')}`, 'Export the model again.');
  checkSize(context, target);
  if (rank !== 4 || own[0] !== 1 || target[0] !== 1)
    return context.setMap(
      copied.reduce((result, dim) => take(context, result, dim, new Array<number>(target[dim]).fill(0)), same),
    );
  let image = spatial(context, same);
  const [, c, h, w] = target;
  if (copied.includes(1)) image = spatialValue(context, replicateChannels(context, image, c), 4);
  const { shape } = image.map;
  if (shape.h === h && shape.w === w) return context.setMap(image);
  const map = context.layer(
    {
      kind: 'resize',
      mode: 'nearest',
      coordinates: 'asymmetric',
      rounding: 'floor',
      scaleH: h / shape.h,
      scaleW: w / shape.w,
    },
    [image],
    { h, w, c },
  );
  context.setMap(spatialValue(context, map, 4));
}

/** Tile with constant repeats. */
export function tile(context: NodeContext): void {
  const value = context.map(0);
  const repeats = context.constant(1, 'its repeats').small();
  if (repeats.length !== value.dims.length || repeats.some((r) => !(Number.isInteger(r) && r > 0)))
    context.fail(`repeats ${value.dims.join('×')} ${repeats.join('×')} times`, 'Export the model again.');
  checkSize(
    context,
    repeats.map((times, dim) => times * value.dims[dim]),
  );
  const tiled = repeats.reduce(
    (result, times, dim) =>
      take(
        context,
        result,
        dim,
        Array.from({ length: times * value.dims[dim] }, (_, i) => i % value.dims[dim]),
      ),
    value,
  );
  context.setMap(tiled === value ? context.renamed(value, value.dims, value.layout) : tiled);
}
