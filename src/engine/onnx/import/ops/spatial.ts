import type { ResizeLayer, Shape } from '../../../graph/types';
import { contiguousLayout } from '../../layout';
import { arrange, imageOrder, spatialValue } from '../arrange';
import { take } from '../moves';
import { checkSize, type NodeContext } from '../nodeContext';
import { EMPTY, NO_CLAMP, POINT_WINDOW } from '../perChannel';
import type { MapValue } from '../values';
import { sliceAlong } from './slicing';
import { resolvePads } from './padding';

/**
 * The value as an image, taking the dimensions that an operation does not touch as channels: NCHW, or NHWC when
 * `touched` says so.
 *
 * @param channels whether the operation may touch channels as well
 */
function asImage(
  context: NodeContext,
  value: MapValue,
  touched: readonly number[],
  channels = false,
): { value: MapValue; nhwc: boolean } {
  const { dims } = value;
  if (dims.length === 3) return { value: arrange(context, value, [0], [2], [1]), nhwc: false };
  if (dims.length !== 4 || dims[0] !== 1)
    context.fail(`works on ${dims.join('×')}`, 'Only one 2-D image is supported (batch 1).');
  // As the image lies, where that will do; else by what is touched.
  const lies = trivial(value) ? null : imageOrder(value);
  const suits = lies !== null && (channels || !touched.includes(lies[2][0]));
  const nhwc = suits ? lies[2][0] === 3 : touched.includes(1) && !touched.includes(3);
  return { value: nhwc ? arrange(context, value, [0, 1], [2], [3]) : arrange(context, value, [0, 2], [3], [1]), nhwc };
}

/** Whether NCHW and NHWC are the same memory, which then does not tell them apart. */
function trivial({ dims }: MapValue): boolean {
  return dims[1] === 1 || (dims[2] === 1 && dims[3] === 1);
}

function imageValue(context: NodeContext, map: MapValue['map'], rank: number, nhwc: boolean): MapValue {
  const value = spatialValue(context, map, rank);
  if (!nhwc) return value;
  const order = [0, 2, 3, 1];
  return context.over(
    map,
    order.map((dim) => value.dims[dim]),
    order.map((dim) => value.layout[dim]),
  );
}

/** Pad with a constant, or by reflecting, repeating or wrapping around; negative pads crop. */
export function pad(context: NodeContext): void {
  const value = context.map(0);
  const { before, after, constant, fill, sources } = resolvePads(context, value.dims);
  const touched = value.dims.map((_, dim) => dim).filter((dim) => before[dim] !== 0 || after[dim] !== 0);
  if (touched.length === 0) return context.setMap(context.renamed(value, value.dims, value.layout));
  if (!constant) {
    const length = (dim: number): number => Math.max(0, before[dim] + value.dims[dim] + after[dim]);
    checkSize(
      context,
      value.dims.map((_, dim) => length(dim)),
    );
    return context.setMap(
      touched.reduce(
        (result, dim) =>
          take(
            context,
            result,
            dim,
            Array.from({ length: length(dim) }, (_, at) => sources(dim, at)),
          ),
        value,
      ),
    );
  }
  // Crops first: what is left is padded.
  const cropped = touched.reduce(
    (result, dim) =>
      sliceAlong(context, result, dim, Math.max(0, -before[dim]), value.dims[dim] - Math.max(0, -after[dim])),
    value,
  );
  const [low, high] = [before, after].map((pads) => pads.map((p) => Math.max(0, p)));
  const padded = touched.filter((dim) => low[dim] + high[dim] > 0);
  context.setMap(padded.length === 0 ? cropped : padConstant(context, cropped, low, high, padded, fill));
}

function padConstant(
  context: NodeContext,
  value: MapValue,
  before: readonly number[],
  after: readonly number[],
  touched: readonly number[],
  fill: number,
): MapValue {
  const rank = value.dims.length;
  const isImage = (rank === 3 || rank === 4) && value.dims[0] === 1 && before[0] + after[0] === 0;
  if (!isImage)
    return touched.reduce((result, dim) => padRow(context, result, dim, before[dim], after[dim], fill), value);
  const { value: input, nhwc } = asImage(context, value, touched, true);
  const [hDim, wDim, cDim] = rank === 3 ? [-1, 2, 1] : nhwc ? [1, 2, 3] : [2, 3, 1];
  const { h, w, c } = input.map.shape;
  let map = input.map;
  const padding = { top: before[hDim] ?? 0, left: before[wDim], bottom: after[hDim] ?? 0, right: after[wDim] };
  if (touched.some((dim) => dim !== cDim)) {
    map = context.layer({ kind: 'pad', padding, value: fill }, [input], {
      h: h + padding.top + padding.bottom,
      w: w + padding.left + padding.right,
      c,
    });
  }
  if (touched.includes(cDim))
    map = padChannels(context, map, before[cDim], after[cDim], fill, map === input.map ? input : null);
  return imageValue(context, map, rank, nhwc);
}

/** One dimension of a value that is not an image, as the columns of its map in row-major order. */
function padRow(
  context: NodeContext,
  value: MapValue,
  dim: number,
  before: number,
  after: number,
  fill: number,
): MapValue {
  const all = value.dims.map((_, other) => other);
  const input = arrange(context, value, all.slice(0, dim), [dim], all.slice(dim + 1));
  const { h, w, c } = input.map.shape;
  const padding = { top: 0, bottom: 0, left: before, right: after };
  const map = context.layer({ kind: 'pad', padding, value: fill }, [input], { h, w: before + w + after, c });
  const dims = value.dims.map((d, other) => (other === dim ? before + d + after : d));
  return context.over(map, dims, contiguousLayout(dims, all));
}

/**
 * Constant channels before and after the map's own, as a 1×1 convolution that copies (the shortcut of some ResNets).
 */
function padChannels(
  context: NodeContext,
  map: MapValue['map'],
  before: number,
  after: number,
  fill: number,
  from: MapValue | null,
): MapValue['map'] {
  const { h, w, c } = map.shape;
  const outC = before + c + after;
  const shape: Shape = { h, w, c: outC };
  const spec = { kind: 'conv', window: POINT_WINDOW, group: 1, clamp: NO_CLAMP } as const;
  if (outC * c > 2 ** 24) context.fail(`pads ${c} to ${outC} channels`, 'Use a convolution instead.');
  return context.layerOn(
    { ...spec, weights: EMPTY, bias: EMPTY },
    [map],
    shape,
    () => {
      const weights = new Float32Array(outC * c);
      for (let i = 0; i < c; i++) weights[(before + i) * c + i] = 1;
      const bias = Float32Array.from({ length: outC }, (_, o) => (o < before || o >= before + c ? fill : 0));
      return { ...spec, weights, bias };
    },
    from?.via,
  );
}

/** Resize and Upsample, nearest and linear. */
export function resize(context: NodeContext): void {
  const value = context.map(0);
  const rank = value.dims.length;
  const { scales, outDims } = targetSize(context, value.dims);
  const touched = outDims.map((_, dim) => dim).filter((dim) => outDims[dim] !== value.dims[dim] || scales[dim] !== 1);
  if (touched.length === 0) return context.setMap(context.renamed(value, value.dims, value.layout));
  const { value: input, nhwc } = asImage(context, value, touched);
  const [hDim, wDim, cDim] = rank === 3 ? [0, 2, 1] : nhwc ? [1, 2, 3] : [2, 3, 1];
  if (touched.includes(cDim)) context.fail('resizes the channels', 'Only height and width can be resized.');
  const [scaleH, scaleW] = [scales[hDim], scales[wDim]];
  const shape = { h: outDims[hDim], w: outDims[wDim], c: input.map.shape.c };

  const sampling = samplingOf(
    context,
    [scaleH, scaleW].filter((s) => s !== 1),
    touched.map((dim) => [value.dims[dim], scales[dim]] as const),
  );
  const map = context.layer({ kind: 'resize', ...sampling, scaleH, scaleW }, [input], shape);
  context.setMap(imageValue(context, map, rank, nhwc));
}

function targetSize(context: NodeContext, dims: readonly number[]): { scales: number[]; outDims: number[] } {
  const rank = dims.length;
  const isUpsample = context.node.opType === 'Upsample';
  const scaleInput = isUpsample ? (context.opset < 9 ? -1 : 1) : context.opset < 11 ? 1 : 2;
  const axes = context.ints('axes')?.map((axis) => context.axis(axis, rank)) ?? dims.map((_, dim) => dim);
  let listed: readonly number[] | null = null;
  if (scaleInput >= 0 && context.has(scaleInput)) listed = context.constant(scaleInput, 'its scales').small();
  else if (isUpsample) {
    const attribute = context.attribute('scales')?.floats;
    // Opset 1 had one attribute per direction.
    listed =
      attribute && attribute.length > 0
        ? attribute
        : [1, 1, context.float('height_scale', 1), context.float('width_scale', 1)];
  }
  const scales = dims.map(() => 1);
  const outDims = [...dims];
  if (listed && listed.length > 0) {
    if (listed.length !== axes.length || listed.some((s) => !(s > 0 && Number.isFinite(s))))
      context.fail(`has scales ${listed.join(', ')}`, 'Export the model again.');
    axes.forEach((axis, i) => {
      scales[axis] = listed[i];
      // In float32, as onnxruntime: 10 · 2.3 is 23 there.
      outDims[axis] = Math.floor(Math.fround(dims[axis] * listed[i]));
    });
    return { scales, outDims };
  }
  if (!context.has(3)) context.fail('has neither scales nor sizes', 'Export the model again.');
  const sizes = context.constant(3, 'its sizes').small();
  if (sizes.length !== axes.length || sizes.some((s) => !(Number.isInteger(s) && s > 0)))
    context.fail(`has sizes ${sizes.join(', ')}`, 'Export the model again.');
  const policy = context.text('keep_aspect_ratio_policy', 'stretch');
  const ratios = axes.map((axis, i) => sizes[i] / dims[axis]);
  const common = policy === 'not_larger' ? Math.min(...ratios) : policy === 'not_smaller' ? Math.max(...ratios) : null;
  axes.forEach((axis, i) => {
    scales[axis] = common ?? ratios[i];
    outDims[axis] = common === null ? sizes[i] : Math.floor(common * dims[axis] + 0.5);
  });
  return { scales, outDims };
}

type Sampling = Pick<ResizeLayer, 'mode' | 'coordinates' | 'rounding'>;

/**
 * Translates mode, coordinate_transformation_mode and nearest_mode.
 *
 * @param scales the scales that are not 1
 * @param resized input extent and scale of each resized dimension
 */
function samplingOf(
  context: NodeContext,
  scales: readonly number[],
  resized: readonly (readonly [number, number])[],
): Sampling {
  const named = context.text('mode', 'nearest');
  const mode = named === 'bilinear' ? 'linear' : named;
  if (mode !== 'nearest' && mode !== 'linear') context.fail(`interpolates in mode ${named}`, 'Use nearest or linear.');
  if (context.int('antialias', 0) === 1 && scales.some((s) => s < 1))
    context.fail('uses an antialiasing filter', 'Use plain linear interpolation or average pooling.');
  if (context.node.opType === 'Upsample' || context.opset < 11) {
    // Before opset 11, nearest rounds down when enlarging and up when shrinking (onnxruntime; the specification is
    // silent).
    const shrinks = scales.some((s) => s < 1);
    if (mode === 'nearest' && shrinks && scales.some((s) => s > 1))
      context.fail('enlarges one direction and shrinks the other', 'Export the model with opset 11 or newer.');
    return { mode, coordinates: 'asymmetric', rounding: shrinks ? 'ceil' : 'floor' };
  }
  let coordinates = context.text('coordinate_transformation_mode', 'half_pixel');
  let rounding = context.text('nearest_mode', 'round_prefer_floor');
  if (coordinates === 'tf_half_pixel_for_nn' && mode === 'nearest' && rounding === 'floor') {
    // floor((x + ½) / s) is (x + ½) / s − ½ rounded half up.
    coordinates = 'half_pixel';
    rounding = 'round_prefer_ceil';
  }
  // Symmetric half-pixel differs from half-pixel only when the output size was rounded.
  if (coordinates === 'half_pixel_symmetric' && resized.every(([size, scale]) => Number.isInteger(size * scale)))
    coordinates = 'half_pixel';
  return {
    mode,
    coordinates: oneOf(context, 'uses coordinates', coordinates, COORDINATES),
    rounding: oneOf(context, 'rounds by', rounding, ROUNDINGS),
  };
}

const COORDINATES = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners'] as const;
const ROUNDINGS = ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'] as const;

function oneOf<T extends string>(context: NodeContext, does: string, value: string, known: readonly T[]): T {
  const names = `${known.slice(0, -1).join(', ')} or ${known[known.length - 1]}`;
  return known.find((one) => one === value) ?? context.fail(`${does} ${value}`, `Use ${names}.`);
}
