import type { Clamp } from '../../../graph/types';
import type { Constant } from '../../constant';
import type { Layout } from '../../layout';
import { contiguousLayout, mergeAtoms } from '../../layout';
import { arrange, arrangeAs, imageOrder } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { productOf } from '../nodeContext';
import { affine, NO_CLAMP, replicateChannels, times } from '../perChannel';
import type { MapValue } from '../values';
import { normInParts } from './norms';
import { isWholeChannel } from './linear';

const BROADCAST_REMEDY = 'Only operands of equal shape, per-channel values and scalars can be combined.';

/** Dimensions of a constant aligned with those of the value it is broadcast over (NumPy rules), each 1 or equal. */
export function broadcastDims(context: NodeContext, constant: readonly number[], value: readonly number[]): number[] {
  let dims = [...constant];
  while (dims.length > value.length && dims[0] === 1) dims = dims.slice(1);
  dims = [...new Array<number>(Math.max(0, value.length - dims.length)).fill(1), ...dims];
  if (dims.length !== value.length || dims.some((d, i) => d !== 1 && d !== value[i])) {
    context.fail(`combines ${value.join('×')} with a constant of ${constant.join('×')}`, BROADCAST_REMEDY);
  }
  return dims;
}

/**
 * Dims of the second operand under the `broadcast` and `axis` attributes that Add, Sub, Mul and Div had before opset 7.
 */
function legacyDims(context: NodeContext, second: readonly number[], firstRank: number): readonly number[] {
  const axis = context.attribute('axis')?.i;
  if (context.opset >= 7 || context.int('broadcast', 0) !== 1 || axis == null) return second;
  const at = context.axis(axis, firstRank);
  return [...second, ...new Array<number>(Math.max(0, firstRank - at - second.length)).fill(1)];
}

type Operation = 'add' | 'sub' | 'mul' | 'div';

/** Add, Sub, Mul and Div of feature maps, or of a feature map and a constant. */
export function arithmetic(operation: Operation): (context: NodeContext) => void {
  return (context) => {
    const [first, second] = [context.value(0), context.value(1)];
    if (first.kind === 'map' && second.kind === 'constant') {
      context.setMap(
        withConstant(
          context,
          operation,
          context.map(0),
          second.constant,
          legacyDims(context, second.constant.dims, first.dims.length),
          false,
        ),
      );
    } else if (first.kind === 'constant' && second.kind === 'map') {
      context.setMap(withConstant(context, operation, context.map(1), first.constant, first.constant.dims, true));
    } else {
      const norm = operation === 'div' ? normInParts(context) : null;
      if (norm) return context.setMap(norm);
      const b = operation === 'div' ? reciprocal(context, context.map(1)) : context.map(1);
      const legacy = legacyDims(context, b.dims, context.map(0).dims.length);
      const aligned =
        legacy.length === b.dims.length
          ? b
          : { ...b, dims: legacy, layout: [...b.layout, ...legacy.slice(b.dims.length).map(() => [])] };
      context.setMap(combine(context, operation === 'div' ? 'mul' : operation, context.map(0), aligned));
    }
  };
}

/** 1 / x, so that a quotient of feature maps is a product. */
function reciprocal(context: NodeContext, value: MapValue): MapValue {
  return context.over(
    context.layer({ kind: 'activation', fn: { name: 'pow', exponent: -1 } }, [value], value.map.shape),
    value.dims,
    value.layout,
  );
}

function withConstant(
  context: NodeContext,
  operation: Operation,
  input: MapValue,
  constant: Constant,
  constantDims: readonly number[],
  constantFirst: boolean,
): MapValue {
  if (operation === 'div' && constantFirst)
    return withConstant(context, 'mul', reciprocal(context, input), constant, constantDims, false);
  const dims = broadcastDims(context, constantDims, input.dims);
  return affine(context, input, dims, () => {
    const k = constant.read();
    switch (operation) {
      case 'add':
        return { scale: () => 1, offset: (i) => k[i] };
      case 'sub':
        return constantFirst ? { scale: () => -1, offset: (i) => k[i] } : { scale: () => 1, offset: (i) => -k[i] };
      case 'mul':
        return { scale: (i) => k[i], offset: () => 0 };
      case 'div':
        return { scale: (i) => 1 / k[i], offset: () => 0 };
    }
  });
}

/** Sum: any number of feature maps and constants, added one after the other. */
export function sum(context: NodeContext): void {
  const total = summed(context);
  context.setMap(context.node.inputs.length === 1 ? context.renamed(total, total.dims, total.layout) : total);
}

/** Mean of any number of feature maps and constants. */
export function mean(context: NodeContext): void {
  const total = summed(context);
  context.setMap(times(context, total, 1 / context.node.inputs.length));
}

function summed(context: NodeContext): MapValue {
  const first = context.node.inputs.findIndex((_, i) => context.value(i).kind === 'map');
  let total = context.map(Math.max(0, first));
  for (let i = 0; i < context.node.inputs.length; i++) {
    if (i === first) continue;
    const operand = context.value(i);
    total =
      operand.kind === 'constant'
        ? withConstant(context, 'add', total, operand.constant, operand.constant.dims, false)
        : combine(context, 'add', total, context.map(i));
  }
  return total;
}

/**
 * The element-wise layer over two maps, which are brought to the same layout or to the broadcast form that the layer
 * knows.
 */
export function combine(context: NodeContext, operation: 'add' | 'sub' | 'mul', a: MapValue, b: MapValue): MapValue {
  const rank = Math.max(a.dims.length, b.dims.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  const dims = left.dims.map((d, i) => Math.max(d, right.dims[i]));
  const fits = (value: MapValue): boolean => value.dims.every((d, i) => d === dims[i]);
  const isSmaller = (value: MapValue): boolean => value.dims.every((d, i) => d === dims[i] || d === 1);
  if (fits(left) && fits(right)) {
    // A rearrangement that waits is made of the operand that has it, not of the image beside it.
    if (imageOrder(right) && !imageOrder(left))
      return emit(context, operation, [arrangeAs(context, left, right.map.shape, right.layout, null), right], right);
    return emit(context, operation, [left, arrangeAs(context, right, left.map.shape, left.layout, null)], left);
  }
  const bigFirst = fits(left);
  const [big, small] = bigFirst ? [left, right] : [right, left];
  if (!fits(big) || !isSmaller(small))
    context.fail(`combines ${a.dims.join('×')} with ${b.dims.join('×')}`, BROADCAST_REMEDY);
  const pair = broadcastPair(context, big, small);
  return emit(context, operation, bigFirst ? [pair.big, pair.small] : [pair.small, pair.big], pair.big);
}

function padded(value: MapValue, rank: number): MapValue {
  const missing = rank - value.dims.length;
  if (missing === 0) return value;
  const ones = new Array<number>(missing).fill(1);
  return { ...value, dims: [...ones, ...value.dims], layout: [...ones.map(() => []), ...value.layout] };
}

/** The layer over operands that lie as it wants them: alike, or one of a single pixel that is broadcast. */
export function emit(
  context: NodeContext,
  operation: 'add' | 'sub' | 'mul',
  operands: readonly MapValue[],
  like: MapValue,
): MapValue {
  const clamp: Clamp = NO_CLAMP;
  const map =
    operation === 'mul'
      ? context.layer({ kind: 'mul', clamp }, operands, like.map.shape)
      : context.layer({ kind: 'add', signs: [1, operation === 'sub' ? -1 : 1], clamp }, operands, like.map.shape);
  return context.over(map, like.dims, like.layout);
}

/** Brings an operand with dimensions of 1 to 1×1×C, or to the full shape when it varies over the pixels. */
function broadcastPair(context: NodeContext, big: MapValue, small: MapValue): { big: MapValue; small: MapValue } {
  const varying = small.dims.map((_, dim) => dim).filter((dim) => small.dims[dim] > 1);
  const others = small.dims.map((_, dim) => dim).filter((dim) => small.dims[dim] === 1);
  const smallOver = (map: MapValue['map'], layout: Layout): MapValue => ({
    ...small,
    map,
    dims: big.dims,
    layout,
    name: null,
    via: [],
  });
  if (varying.length > 0 && isPermutedChannel(big, varying)) {
    // The channels of the big map, in its own order.
    const layout = small.dims.map((d, dim) => (d > 1 ? big.layout[dim] : []));
    return { big, small: arrangeAs(context, small, { h: 1, w: 1, c: big.map.shape.c }, layout, null) };
  }
  if (varying.length > 0 && isWholeChannel(big, others)) {
    // One value per pixel for all channels, as in spatial attention: copy it to every channel.
    const { h, w, c } = big.map.shape;
    const layout = small.dims.map((d, dim) =>
      d > 1 ? big.layout[dim].map((atom) => ({ size: atom.size, stride: atom.stride / c })) : [],
    );
    const pixels = arrangeAs(context, small, { h, w, c: 1 }, layout, null);
    return { big, small: smallOver(replicateChannels(context, pixels, c), big.layout) };
  }
  if (varying.length === 0) {
    const { c } = big.map.shape;
    const one = arrangeAs(context, small, { h: 1, w: 1, c: 1 }, small.layout, null);
    return { big, small: c === 1 ? one : smallOver(replicateChannels(context, one, c), []) };
  }
  const arranged = arrange(context, big, [], others, varying);
  const vector = arrangeAs(
    context,
    small,
    { h: 1, w: 1, c: productOf(small.dims, varying) },
    contiguousLayout(small.dims, varying),
    varying,
  );
  return { big: arranged, small: vector };
}

/** Whether these dimensions cover exactly the channels of the map, in any order. */
function isPermutedChannel(value: MapValue, which: readonly number[]): boolean {
  const atoms = which.flatMap((dim) => value.layout[dim]);
  const sorted = mergeAtoms([...atoms].sort((p, q) => q.stride - p.stride));
  const { c } = value.map.shape;
  return c === 1 ? sorted.length === 0 : sorted.length === 1 && sorted[0].stride === 1 && sorted[0].size === c;
}
