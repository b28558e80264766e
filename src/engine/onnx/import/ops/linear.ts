import { counted } from '../../../common/wording';
import type { Constant } from '../../constant';
import type { Atom } from '../../layout';
import { mergeAtoms, offsets, regroup } from '../../layout';
import type { Numbers } from '../../tensorData';
import { arrange, spatial, spatialValue } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { productOf } from '../nodeContext';
import { EMPTY, NO_CLAMP, POINT_WINDOW } from '../perChannel';
import type { MapValue } from '../values';
import { windowGeometry } from './window';

const EXPORT_AGAIN = 'Export the model again.';

/** Conv, 1-D and 2-D. */
export function conv(context: NodeContext): void {
  const weights = context.constant(1, 'its weights');
  const bias = context.optionalConstant(2, 'its bias');
  const given = context.map(0);
  if (weights.dims.length !== given.dims.length) {
    context.fail(`has weights of ${weights.dims.join('×')} for an input of ${given.dims.join('×')}`, EXPORT_AGAIN);
  }
  const input = spatial(context, given);
  const [outC, inPerGroup, ...kernel] = weights.dims;
  const group = context.int('group', 1);
  const { h, w, c } = input.map.shape;
  if (!(group > 0) || inPerGroup * group !== c || outC % group !== 0) {
    context.fail(
      `has weights of ${weights.dims.join('×')} in ${counted(group, 'group')} for ${counted(c, 'input channel')}`,
      EXPORT_AGAIN,
    );
  }
  const declared = context.ints('kernel_shape');
  if (declared && (declared.length !== kernel.length || declared.some((k, i) => k !== kernel[i]))) {
    context.fail(
      `declares a kernel of ${declared.join('×')} but has weights of ${weights.dims.join('×')}`,
      EXPORT_AGAIN,
    );
  }
  if (bias && bias.elements !== outC)
    context.fail(`has ${counted(bias.elements, 'bias', 'biases')} for ${counted(outC, 'channel')}`, EXPORT_AGAIN);
  const { window, outH, outW } = windowGeometry(context, kernel, h, w);
  const taps = window.kernelH * window.kernelW;
  const shape = { h: outH, w: outW, c: outC };
  context.state.macs.set(context.node.index, outH * outW * outC * taps * inPerGroup);
  const depthwise = group === c && outC === c;
  // ONNX [outC][inC/group][kernel] to [outC][kernel][inC/group], or [kernel][C] when depthwise.
  const load = (): { weights: Float32Array; bias: Float32Array } => {
    const source = weights.read();
    const target = new Float32Array(source.length);
    if (depthwise)
      for (let ch = 0; ch < c; ch++) for (let k = 0; k < taps; k++) target[k * c + ch] = source[ch * taps + k];
    else {
      for (let o = 0; o < outC; o++) {
        const base = o * taps * inPerGroup;
        for (let i = 0; i < inPerGroup; i++)
          for (let k = 0; k < taps; k++) target[base + k * inPerGroup + i] = source[base + i * taps + k];
      }
    }
    return { weights: target, bias: loadBias(bias, outC) };
  };
  const map = depthwise
    ? context.layer(
        { kind: 'depthwise', window, weights: EMPTY, bias: EMPTY, clamp: NO_CLAMP },
        [input],
        shape,
        () => ({ kind: 'depthwise', window, clamp: NO_CLAMP, ...load() }),
      )
    : context.layer(
        { kind: 'conv', window, group, weights: EMPTY, bias: EMPTY, clamp: NO_CLAMP },
        [input],
        shape,
        () => ({ kind: 'conv', window, group, clamp: NO_CLAMP, ...load() }),
      );
  context.setMap(spatialValue(context, map, given.dims.length));
}

function loadBias(bias: Constant | null, count: number): Float32Array {
  return bias ? Float32Array.from(bias.read()) : new Float32Array(count);
}

/** Gemm: alpha·A·B + beta·C with constant B. */
export function gemm(context: NodeContext): void {
  const given = context.map(0);
  const b = context.constant(1, 'its weights');
  const c = context.optionalConstant(2, 'its bias');
  if (b.dims.length !== 2 || given.dims.length < 2 || (given.dims.length > 2 && context.int('transA', 0) === 1))
    context.fail(`multiplies ${given.dims.join('×')} with ${b.dims.join('×')}`, EXPORT_AGAIN);
  // Opsets before 7 flatten A to a matrix.
  const rows = context.int('transA', 0) === 1 ? [1] : [0];
  const columns = context.int('transA', 0) === 1 ? [0] : given.dims.map((_, dim) => dim).slice(1);
  const transB = context.int('transB', 0) === 1;
  const [outC, inner] = transB ? b.dims : [b.dims[1], b.dims[0]];
  const alpha = context.float('alpha', 1);
  const beta = context.float('beta', 1);
  if (c && c.elements !== 1 && (c.elements !== outC || c.dims[c.dims.length - 1] !== outC)) {
    context.fail(`adds a constant of ${c.dims.join('×')} to ${outC} outputs`, EXPORT_AGAIN);
  }
  const loadC = (): Float32Array => {
    const source = c?.read();
    return Float32Array.from({ length: outC }, (_, o) => (source ? beta * source[source.length === 1 ? 0 : o] : 0));
  };
  const weight: WeightAt = (source, o, k) => alpha * source[transB ? o * inner + k : k * outC + o];
  context.setMap(matrixLayer(context, given, rows, columns, inner, outC, weight, b, loadC));
}

/** MatMul with a constant on either side. */
export function matMul(context: NodeContext): void {
  const left = context.value(0);
  if (left.kind === 'constant') {
    // A·X: the constant's rows are the outputs, the columns of X the pixels.
    const a = trimmed(left.constant);
    const x = context.map(1);
    const rank = x.dims.length;
    if (rank < 2 || a.dims.length !== 2)
      context.fail(
        `multiplies ${a.dims.join('×')} with ${x.dims.join('×')}`,
        'Only matrices by a constant matrix are supported.',
      );
    if (x.dims.slice(0, -2).some((d) => d !== 1))
      context.fail(`multiplies a batch of matrices (${x.dims.join('×')})`, 'Export the model for one image (batch 1).');
    const [outC, inner] = a.dims;
    const product = matrixLayer(
      context,
      x,
      [rank - 1],
      [rank - 2],
      inner,
      outC,
      (source, o, k) => source[o * inner + k],
      a,
      () => new Float32Array(outC),
    );
    const lead = x.dims.slice(0, -2);
    context.setMap(
      context.over(
        product.map,
        [...lead, outC, product.dims[0]],
        [...lead.map(() => []), product.layout[1], product.layout[0]],
      ),
    );
    return;
  }
  const given = context.map(0);
  const b = trimmed(context.constant(1, 'one of its factors'));
  const rank = given.dims.length;
  if (b.dims.length > 2 || b.dims.length === 0 || rank === 0)
    context.fail(`multiplies ${given.dims.join('×')} with ${b.dims.join('×')}`, 'Only a constant matrix is supported.');
  const [inner, outC] = b.dims.length === 2 ? b.dims : [b.dims[0], 1];
  const all = given.dims.map((_, dim) => dim);
  const product = matrixLayer(
    context,
    given,
    all.slice(0, -1),
    all.slice(-1),
    inner,
    outC,
    (source, o, k) => source[k * outC + o],
    b,
    () => new Float32Array(outC),
  );
  const dims = [...given.dims.slice(0, -1), outC];
  const value = splitRows(context, product, dims);
  context.setMap(
    b.dims.length === 2 ? value : { ...value, dims: dims.slice(0, -1), layout: value.layout.slice(0, -1) },
  );
}

/** A constant matrix without leading dimensions of 1. */
function trimmed(constant: Constant): Constant {
  const { dims } = constant;
  const extra = dims.length > 2 && dims.slice(0, -2).every((d) => d === 1) ? dims.length - 2 : 0;
  return extra === 0 ? constant : constant.reshaped(dims.slice(extra));
}

/** Weight of output o for inner index k. */
type WeightAt = (source: Numbers, o: number, k: number) => number;

/**
 * [rows]×[columns] times a constant matrix. One row: fully connected over the whole map, its columns permuted to HWC
 * order. More rows: each is a pixel of a 1×1 convolution. The result has dims [rows, outC].
 */
function matrixLayer(
  context: NodeContext,
  given: MapValue,
  rows: readonly number[],
  columns: readonly number[],
  inner: number,
  outC: number,
  weight: WeightAt,
  source: Constant,
  loadBiases: () => Float32Array,
): MapValue {
  const rowCount = productOf(given.dims, rows);
  if (productOf(given.dims, columns) !== inner) {
    context.fail(
      `multiplies ${given.dims.join('×')} with a matrix of ${inner} rows`,
      'The model was made for another input size: choose that size, or export it again.',
    );
  }
  context.state.macs.set(context.node.index, rowCount * inner * outC);
  const dims = [rowCount, outC];
  const fill = (position: ArrayLike<number> | null): Float32Array => {
    const values = source.read();
    const weights = new Float32Array(outC * inner);
    for (let o = 0; o < outC; o++)
      for (let k = 0; k < inner; k++) weights[o * inner + (position ? position[k] : k)] = weight(values, o, k);
    return weights;
  };
  if (rowCount === 1) {
    const atoms = columns.flatMap((dim) => given.layout[dim]);
    const map = context.layer(
      { kind: 'fullyConnected', weights: EMPTY, bias: EMPTY, clamp: NO_CLAMP },
      [given],
      { h: 1, w: 1, c: outC },
      () => ({
        kind: 'fullyConnected',
        weights: fill(offsets(atoms)),
        bias: loadBiases(),
        clamp: NO_CLAMP,
      }),
    );
    return context.over(map, dims, [[], channelAtoms(outC)]);
  }
  // Keep the map's own pixels when its channels are exactly the columns.
  const inPlace = isWholeChannel(given, columns);
  const input = inPlace ? given : arrange(context, given, [], rows, columns);
  const { h, w } = input.map.shape;
  const spec = { kind: 'conv', window: POINT_WINDOW, group: 1, clamp: NO_CLAMP } as const;
  const map = context.layer({ ...spec, weights: EMPTY, bias: EMPTY }, [input], { h, w, c: outC }, () => ({
    ...spec,
    weights: fill(null),
    bias: loadBiases(),
  }));
  const rowAtoms = mergeAtoms(rows.flatMap((dim) => input.layout[dim])).map((atom) => ({
    size: atom.size,
    stride: (atom.stride / inner) * outC,
  }));
  return context.over(map, dims, [rowAtoms, channelAtoms(outC)]);
}

function channelAtoms(count: number): Atom[] {
  return count === 1 ? [] : [{ size: count, stride: 1 }];
}

/** Whether these dimensions are exactly the channels of the map, in order. */
export function isWholeChannel(value: MapValue, which: readonly number[]): boolean {
  const merged = mergeAtoms(which.flatMap((dim) => value.layout[dim]));
  const { c } = value.map.shape;
  return c === 1 ? merged.length === 0 : merged.length === 1 && merged[0].stride === 1 && merged[0].size === c;
}

/** Gives the joined rows of a product their dimensions back. */
function splitRows(context: NodeContext, product: MapValue, dims: readonly number[]): MapValue {
  const rows = dims.slice(0, -1);
  const layout = regroup([product.layout[0]], rows);
  if (layout) return { ...product, dims, layout: [...layout, product.layout[1]] };
  const flat = arrange(context, product, [], [0], [1]);
  const again = regroup([flat.layout[0]], rows);
  if (!again) throw new Error('contiguous rows can always be split');
  return { ...flat, dims, layout: [...again, flat.layout[1]] };
}
