import { counted } from '../../../common/wording';
import { arrange } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { productOf } from '../nodeContext';
import { affine, channelIndex, EMPTY, NO_CLAMP, POINT_WINDOW, times } from '../perChannel';
import type { MapValue } from '../values';
import { broadcastDims, combine, emit } from './arithmetic';
import { isWholeChannel } from './linear';
import { normalize } from './norms';
import { reduceTo } from './pooling';
import { reshapeTo } from './shapes';

const EXPORT_AGAIN = 'Export the model again.';

/** LayerNormalization over all dimensions from `axis` on. */
export function layerNormalization(context: NodeContext): void {
  const value = context.map(0);
  if (context.node.outputs.slice(1).some((name) => name !== ''))
    context.fail('also returns mean and deviation', 'Only the normalized values are supported.');
  const axis = context.axis(context.int('axis', -1), value.dims.length);
  const over = value.dims.map((_, dim) => dim).filter((dim) => dim >= axis);
  const normal = normalized(context, value, over, context.float('epsilon', 1e-5));
  context.setMap(scaled(context, normal, 1, 2));
}

/** InstanceNormalization: every channel by itself. */
export function instanceNormalization(context: NodeContext): void {
  const value = context.map(0);
  const over = value.dims.map((_, dim) => dim).filter((dim) => dim > 1);
  const normal = normalized(context, value, over, context.float('epsilon', 1e-5));
  context.setMap(scaledChannels(context, normal, 1, 2));
}

/** GroupNormalization: channels in groups. From opset 21 on scale and offset are per channel, before per group. */
export function groupNormalization(context: NodeContext): void {
  const value = context.map(0);
  const groups = context.int('num_groups', 0);
  const [n, c, ...rest] = value.dims;
  if (!(groups > 0) || n !== 1 || c % groups !== 0)
    context.fail(`makes ${groups} groups of ${c} channels`, EXPORT_AGAIN);
  const split = reshapeTo(context, value, [1, groups, c / groups, ...rest]);
  const over = split.dims.map((_, dim) => dim).filter((dim) => dim > 1);
  const normal = normalized(context, split, over, context.float('epsilon', 1e-5));
  const perGroup = context.constant(1, 'its scale').elements === groups && groups !== c;
  context.setMap(
    perGroup
      ? reshapeTo(context, scaledChannels(context, normal, 1, 2), value.dims)
      : scaledChannels(context, reshapeTo(context, normal, value.dims), 1, 2),
  );
}

/** Kept from zero where all values are the same: far below what a feature map's deviation can be. */
const LEAST_VARIANCE = 1e-12;

/** MeanVarianceNormalization; dimensions 0, 2 and 3 unless `axes` says others. */
export function meanVarianceNormalization(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const listed = context.ints('axes') ?? (context.int('across_channels', 0) === 1 ? [0, 1, 2, 3] : [0, 2, 3]);
  const over = [...new Set(listed.map((axis) => context.axis(axis, rank)))].sort((a, b) => a - b);
  if (context.int('normalize_variance', 1) === 0)
    context.fail('does not normalize the variance', 'Subtract ReduceMean instead.');
  context.setMap(normalized(context, value, over, LEAST_VARIANCE));
}

/**
 * ReduceL1, ReduceL2 and ReduceSumSquare.
 * @param fixed axes that the operator itself says
 */
export function reduceNorm(power: 1 | 2, root: boolean, fixed?: readonly number[]): (context: NodeContext) => void {
  return (context) => {
    const value = context.map(0);
    const rank = value.dims.length;
    const listed = fixed ?? context.intsOrInput('axes', 1) ?? [];
    const axes =
      listed.length === 0
        ? value.dims.map((_, dim) => dim)
        : [...new Set(listed.map((axis) => context.axis(axis, rank)))].sort((a, b) => a - b);
    const mean = reduceTo(
      context,
      'averagePool',
      powered(context, value, power),
      axes,
      context.int('keepdims', 1) === 1,
    );
    const sum = times(context, mean, productOf(value.dims, axes));
    context.setMap(root ? raised(context, sum, 0.5) : sum);
  };
}

/** LpNormalization: x divided by the norm along one axis. */
export function lpNormalization(context: NodeContext): void {
  const value = context.map(0);
  const p = context.int('p', 2);
  if (p !== 1 && p !== 2) context.fail(`normalizes by the norm of order ${p}`, 'Use order 1 or 2.');
  const axis = context.axis(context.int('axis', -1), value.dims.length);
  const whole = p === 2 ? normalize(context, value, [axis], { centered: false, mean: false, epsilon: 0 }) : null;
  if (whole) return context.setMap(whole);
  const { of, mean, isVector } = means(context, value, [axis], (v) => powered(context, v, p));
  const sum = times(context, mean, value.dims[axis]);
  context.setMap(withMean(context, 'mul', of, raised(context, sum, p === 2 ? -0.5 : -1), isVector));
}

/** (x − mean) / √(variance + ε) over the dimensions `over`. */
function normalized(context: NodeContext, value: MapValue, over: readonly number[], epsilon: number): MapValue {
  if (over.length === 0) context.fail('normalizes over no dimension', EXPORT_AGAIN);
  const whole = normalize(context, value, over, { centered: true, mean: true, epsilon });
  if (whole) return whole;
  const first = means(context, value, over, (v) => v);
  const centered = withMean(context, 'sub', first.of, first.mean, first.isVector);
  const { of, mean, isVector } = means(context, centered, over, (v) => powered(context, v, 2));
  return withMean(context, 'mul', of, raised(context, mean, -0.5, epsilon), isVector);
}

/** Combines a value with what {@link means} made of it. */
function withMean(
  context: NodeContext,
  operation: 'sub' | 'mul',
  of: MapValue,
  mean: MapValue,
  isVector: boolean,
): MapValue {
  return isVector ? emit(context, operation, [of, mean], of) : combine(context, operation, of, mean);
}

/**
 * The mean of f(x) over dimensions, in a form that combines with x: of groups of whole channels by pooling, of the
 * channels of each pixel by a convolution of equal weights, which 8-bit weights hold exactly. `of` is the value in the
 * arrangement in which the mean belongs to it; with `isVector` the mean's map is a single pixel for all of it.
 */
function means(
  context: NodeContext,
  value: MapValue,
  over: readonly number[],
  f: (value: MapValue) => MapValue,
): { of: MapValue; mean: MapValue; isVector: boolean } {
  const kept = value.dims.map((_, dim) => dim).filter((dim) => !over.includes(dim));
  const groups = channelIndex(
    value,
    value.dims.map((d, dim) => (over.includes(dim) ? 1 : d)),
  );
  if (groups) return { of: value, mean: groupMeans(context, value, f(value), groups), isVector: true };
  const of = isWholeChannel(value, over) ? value : arrange(context, value, [], kept, over);
  const source = f(of);
  const { h, w, c } = of.map.shape;
  const spec = { kind: 'conv', window: POINT_WINDOW, group: 1, clamp: NO_CLAMP } as const;
  const map = context.layer({ ...spec, weights: EMPTY, bias: EMPTY }, [source], { h, w, c: 1 }, () => ({
    ...spec,
    weights: new Float32Array(c).fill(1 / c),
    bias: new Float32Array(1),
  }));
  const layout = of.layout.map((atoms, dim) =>
    over.includes(dim) ? [] : atoms.map((atom) => ({ size: atom.size, stride: atom.stride / c })),
  );
  const dims = of.dims.map((d, dim) => (over.includes(dim) ? 1 : d));
  return { of, mean: context.over(map, dims, layout), isVector: false };
}

/** One mean for each group of channels over all pixels, given to all channels of the group: a 1×1×C map. */
function groupMeans(context: NodeContext, value: MapValue, source: MapValue, groups: Int32Array): MapValue {
  const { h, w, c } = value.map.shape;
  const window = { ...POINT_WINDOW, kernelH: h, kernelW: w };
  const shape = { h: 1, w: 1, c };
  const pooled =
    h * w > 1 ? context.layer({ kind: 'averagePool', window, countIncludePad: false }, [source], shape) : source.map;
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const spec = { kind: 'fullyConnected', clamp: NO_CLAMP } as const;
  const map =
    sizes.size === c
      ? pooled
      : context.layerOn({ ...spec, weights: EMPTY, bias: EMPTY }, [pooled], shape, () => ({
          ...spec,
          weights: Float32Array.from({ length: c * c }, (_, i) => {
            const [o, k] = [Math.floor(i / c), i % c];
            return groups[o] === groups[k] ? 1 / sizes.get(groups[o])! : 0;
          }),
          bias: new Float32Array(c),
        }));
  return context.over(map, value.dims, value.layout);
}

/** |x| or x². */
export function powered(context: NodeContext, value: MapValue, power: 1 | 2): MapValue {
  const fn = power === 1 ? ({ name: 'abs' } as const) : ({ name: 'pow', exponent: 2 } as const);
  return context.over(context.layer({ kind: 'activation', fn }, [value], value.map.shape), value.dims, value.layout);
}

/** (x + ε) to a power. */
export function raised(context: NodeContext, value: MapValue, exponent: number, epsilon = 0): MapValue {
  const base =
    epsilon === 0
      ? value
      : affine(
          context,
          value,
          value.dims.map(() => 1),
          () => ({ scale: () => 1, offset: () => epsilon }),
        );
  const map = context.layer({ kind: 'activation', fn: { name: 'pow', exponent } }, [base], base.map.shape);
  return context.over(map, base.dims, base.layout);
}

/** Scale and offset that are broadcast as constants are. */
function scaled(context: NodeContext, value: MapValue, scaleAt: number, offsetAt: number): MapValue {
  const scale = context.optionalConstant(scaleAt, 'its scale');
  const offset = context.optionalConstant(offsetAt, 'its offset');
  const by = (v: MapValue, constant: typeof scale, add: boolean): MapValue =>
    constant === null
      ? v
      : affine(context, v, broadcastDims(context, constant.dims, v.dims), () => {
          const k = constant.read();
          return add ? { scale: () => 1, offset: (i) => k[i] } : { scale: (i) => k[i], offset: () => 0 };
        });
  return by(by(value, scale, false), offset, true);
}

/** Scale and offset along dimension 1. */
function scaledChannels(context: NodeContext, value: MapValue, scaleAt: number, offsetAt: number): MapValue {
  const [scale, offset] = [context.constant(scaleAt, 'its scale'), context.constant(offsetAt, 'its offset')];
  const channels = value.dims[1];
  if (scale.elements !== channels || offset.elements !== channels)
    context.fail(`has ${counted(scale.elements, 'scale')} for ${counted(channels, 'channel')}`, EXPORT_AGAIN);
  const dims = value.dims.map((d, dim) => (dim === 1 ? d : 1));
  return affine(context, value, dims, () => {
    const [k, t] = [scale.read(), offset.read()];
    return { scale: (i) => k[i], offset: (i) => t[i] };
  });
}
