import { counted } from '../../../common/wording';
import type { Window } from '../../../graph/types';
import { spatial, spatialValue } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { EMPTY, NO_CLAMP } from '../perChannel';
import type { MapValue } from '../values';
import { reshapeTo } from './shapes';
import { sliceAlong } from './slicing';
import { LARGEST_EXTENT } from './window';

const EXPORT_AGAIN = 'Correct the attribute and export the model again.';

/** The same elements with their dimensions in another order. */
function reordered(context: NodeContext, value: MapValue, order: readonly number[]): MapValue {
  return context.renamed(
    value,
    order.map((dim) => value.dims[dim]),
    order.map((dim) => value.layout[dim]),
  );
}

/**
 * DepthToSpace: blocks of channels become b×b pixels. In mode DCR the block's position is the outer part of the
 * channel, in CRD the inner one.
 */
export function depthToSpace(context: NodeContext): void {
  const { value, b } = blocks(context);
  const [n, c, h, w] = value.dims;
  const rest = c / (b * b);
  if (!Number.isInteger(rest)) context.fail(`makes blocks of ${b}×${b} of ${c} channels`, EXPORT_AGAIN);
  const split =
    context.text('mode', 'DCR') === 'CRD'
      ? reordered(context, reshapeTo(context, value, [n, rest, b, b, h, w]), [0, 1, 4, 2, 5, 3])
      : reordered(context, reshapeTo(context, value, [n, b, b, rest, h, w]), [0, 3, 4, 1, 5, 2]);
  context.setMap(reshapeTo(context, split, [n, rest, h * b, w * b]));
}

/** SpaceToDepth: b×b pixels become channels, the block's position outermost. */
export function spaceToDepth(context: NodeContext): void {
  const { value, b } = blocks(context);
  const [n, c, h, w] = value.dims;
  if (h % b !== 0 || w % b !== 0) context.fail(`makes blocks of ${b}×${b} of ${h}×${w} pixels`, EXPORT_AGAIN);
  const split = reordered(context, reshapeTo(context, value, [n, c, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4]);
  context.setMap(reshapeTo(context, split, [n, c * b * b, h / b, w / b]));
}

function blocks(context: NodeContext): { value: MapValue; b: number } {
  const value = context.map(0);
  const b = context.int('blocksize', 0);
  if (!(b >= 1 && b <= LARGEST_EXTENT)) context.fail(`has a blocksize of ${b}`, EXPORT_AGAIN);
  if (value.dims.length !== 4)
    context.fail(`works on ${value.dims.join('×')}`, 'Only one 2-D image is supported (batch 1).');
  return { value, b };
}

/** One direction of a transposed convolution as a convolution per phase o mod stride of the output. */
interface Phases {
  readonly stride: number;
  readonly out: number;
  /**
   * Kernel extent of the convolutions over the input, and where it begins relative to the pixel o div stride; the
   * padding follows.
   */
  readonly taps: number;
  readonly first: number;
  readonly before: number;
  readonly after: number;
  /** Index into the kernel for phase `a` and tap `i`; negative where there is none. */
  readonly at: (a: number, i: number) => number;
}

/**
 * ConvTranspose. Output o is Σ x[i]·w[t] over i·stride + t·dilation = o + padding. So all outputs of one phase o mod
 * stride read the input through the same taps, and one convolution with a block of channels per phase computes them
 * all, without the zeros between pixels that the textbook puts there; the blocks then become pixels. Scales and clamps
 * that follow still fold into it.
 */
export function convTranspose(context: NodeContext): void {
  const weights = context.constant(1, 'its weights');
  const bias = context.optionalConstant(2, 'its bias');
  const given = context.map(0);
  const rank = given.dims.length;
  if ((rank !== 3 && rank !== 4) || weights.dims.length !== rank)
    context.fail(
      `has weights of ${weights.dims.join('×')} for an input of ${given.dims.join('×')}`,
      'Only 1-D and 2-D transposed convolutions are supported.',
    );
  const input = spatial(context, given);
  const { h, w, c } = input.map.shape;
  const [inC, perGroup] = weights.dims;
  const kernelH = rank === 4 ? weights.dims[2] : 1;
  const kernelW = weights.dims[rank - 1];
  const group = context.int('group', 1);
  if (!(group > 0) || inC !== c || inC % group !== 0)
    context.fail(
      `has weights of ${weights.dims.join('×')} in ${counted(group, 'group')} for ${counted(c, 'input channel')}`,
      'Export the model again.',
    );
  const outC = perGroup * group;
  if (bias && bias.elements !== outC)
    context.fail(
      `has ${counted(bias.elements, 'bias', 'biases')} for ${counted(outC, 'channel')}`,
      'Export the model again.',
    );
  const [v, u] =
    rank === 4
      ? [phases(context, 0, 2, h, kernelH), phases(context, 1, 2, w, kernelW)]
      : [ROW, phases(context, 0, 1, w, kernelW)];
  const phaseCount = v.stride * u.stride;
  const inPerGroup = inC / group;
  const channels = outC * phaseCount;
  if (channels * v.taps * u.taps * inPerGroup > 2 ** 26)
    context.fail(`makes ${channels} channels of ${v.taps}×${u.taps} windows`, 'Use Resize followed by Conv instead.');
  const window: Window = {
    kernelH: v.taps,
    kernelW: u.taps,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 1,
    padding: { top: v.before, bottom: v.after, left: u.before, right: u.after },
  };
  const [rows, columns] = [h + v.before + v.after - v.taps + 1, w + u.before + u.after - u.taps + 1];
  context.state.macs.set(context.node.index, h * w * inC * perGroup * kernelH * kernelW);
  const spec = { kind: 'conv', window, group, clamp: NO_CLAMP } as const;
  const map = context.layer(
    { ...spec, weights: EMPTY, bias: EMPTY },
    [input],
    { h: rows, w: columns, c: channels },
    () => ({
      ...spec,
      ...phaseWeights(weights.read(), bias?.read(), { group, inPerGroup, perGroup, kernelH, kernelW, v, u }),
    }),
  );
  const split = reshapeTo(context, spatialValue(context, map, 4), [
    1,
    group,
    v.stride,
    u.stride,
    perGroup,
    rows,
    columns,
  ]);
  const whole = reshapeTo(context, reordered(context, split, [0, 1, 4, 5, 2, 6, 3]), [
    1,
    outC,
    rows * v.stride,
    columns * u.stride,
  ]);
  const cut = sliceAlong(context, sliceAlong(context, whole, 2, 0, v.out), 3, 0, u.out);
  context.setMap(rank === 4 ? cut : reshapeTo(context, cut, [1, outC, u.out]));
}

interface PhaseShape {
  readonly group: number;
  readonly inPerGroup: number;
  readonly perGroup: number;
  readonly kernelH: number;
  readonly kernelW: number;
  /** Phases of the rows and of the columns. */
  readonly v: Phases;
  readonly u: Phases;
}

/** Weights and biases of the convolution that computes all phases. */
function phaseWeights(
  source: ArrayLike<number>,
  offsets: ArrayLike<number> | undefined,
  { group, inPerGroup, perGroup, kernelH, kernelW, v, u }: PhaseShape,
): { weights: Float32Array; bias: Float32Array } {
  const phaseCount = v.stride * u.stride;
  const channels = group * perGroup * phaseCount;
  const target = new Float32Array(channels * v.taps * u.taps * inPerGroup);
  const biases = new Float32Array(channels);
  let out = 0;
  // Channels in the order group, phase, output of the group, as a grouped convolution wants them.
  for (let g = 0; g < group; g++) {
    for (let phase = 0; phase < phaseCount; phase++) {
      for (let m = 0; m < perGroup; m++, out++) {
        biases[out] = offsets ? offsets[g * perGroup + m] : 0;
        for (let i = 0; i < v.taps; i++) {
          const row = v.at(Math.floor(phase / u.stride), i);
          for (let j = 0; j < u.taps; j++) {
            const column = u.at(phase % u.stride, j);
            if (row < 0 || column < 0) continue;
            const to = ((out * v.taps + i) * u.taps + j) * inPerGroup;
            for (let k = 0; k < inPerGroup; k++)
              target[to + k] = source[(((g * inPerGroup + k) * perGroup + m) * kernelH + row) * kernelW + column];
          }
        }
      }
    }
  }
  return { weights: target, bias: biases };
}

/** The single row of a 1-D convolution. */
const ROW: Phases = { stride: 1, out: 1, taps: 1, first: 0, before: 0, after: 0, at: () => 0 };

function phases(context: NodeContext, axis: 0 | 1, axes: 1 | 2, size: number, kernel: number): Phases {
  const of = (name: string, fallback: number, least: number): number => {
    const value = context.ints(name)?.[axis] ?? fallback;
    if (!(Number.isInteger(value) && value >= least && value <= LARGEST_EXTENT))
      context.fail(`has ${name} of ${value}`, EXPORT_AGAIN);
    return value;
  };
  const stride = of('strides', 1, 1);
  const dilation = of('dilations', 1, 1);
  if (stride > 64) context.fail(`has a stride of ${stride}`, 'Use Resize followed by Conv instead.');
  const extent = (kernel - 1) * dilation + 1;
  const full = stride * (size - 1) + of('output_padding', 0, 0) + extent;
  const autoPad = context.text('auto_pad', 'NOTSET');
  const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
  const listed = context.ints('output_shape');
  const pads = context.ints('pads');
  let begin: number;
  let out: number;
  if (listed || same) {
    out = listed ? listed[listed.length - axes + axis] : size * stride;
    const total = full - out;
    if (!(total >= 0 && out >= 1)) context.fail(`cannot produce ${out} of at most ${full} pixels`, EXPORT_AGAIN);
    begin = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  } else {
    begin = autoPad === 'VALID' ? 0 : (pads?.[axis] ?? 0);
    const end = autoPad === 'VALID' ? 0 : (pads?.[axis + axes] ?? 0);
    if (!(begin >= 0 && end >= 0)) context.fail(`has negative padding (${begin}, ${end})`, EXPORT_AGAIN);
    out = full - begin - end;
    if (out < 1) context.fail(`pads away all of its ${full} pixels`, EXPORT_AGAIN);
  }
  // Pixel i of the input meets output o = stride·u + a in tap t when t·dilation = a + begin − stride·(i − u).
  const first = Math.min(0, Math.ceil((begin - extent + 1) / stride));
  const last = Math.max(0, Math.floor((stride - 1 + begin) / stride));
  const taps = last - first + 1;
  const positions = Math.ceil(out / stride);
  const at = (a: number, i: number): number => {
    const reach = a + begin - stride * (i + first);
    return reach >= 0 && reach < extent && reach % dilation === 0 ? reach / dilation : -1;
  };
  return { stride, out, taps, first, before: -first, after: Math.max(0, positions - 1 + last - (size - 1)), at };
}
