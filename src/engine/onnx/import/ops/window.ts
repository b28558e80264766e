import type { Window } from '../../../graph/types';
import type { Shape } from '../../../graph/types';
import { spatial } from '../arrange';
import type { NodeContext } from '../nodeContext';
import type { MapValue } from '../values';

/** Window of a convolution or pooling node, and the size of what it produces. */
export interface Geometry {
  readonly window: Window;
  readonly outH: number;
  readonly outW: number;
  /** Whether ceil_mode added padding below or right that the file did not declare. */
  readonly ceilExtended: boolean;
}

/** Extents up to which sizes are computed exactly and no runtime overflows. */
export const LARGEST_EXTENT = 2 ** 24;

const EXPORT_AGAIN = 'Correct the attribute and export the model again.';

/**
 * Window attributes of Conv, MaxPool and AveragePool (ONNX operator specification: auto_pad, ceil_mode, dilations,
 * kernel_shape, pads, strides) over an inH×inW map. A 1-D window of a rank-3 value becomes 1×k.
 *
 * @param kernel spatial kernel extents, one or two
 */
export function windowGeometry(context: NodeContext, kernel: readonly number[], inH: number, inW: number): Geometry {
  const rank = kernel.length;
  const strides = positive(context, 'strides', rank, context.ints('strides'));
  const dilations = positive(context, 'dilations', rank, context.ints('dilations'));
  if (kernel.some((k) => !(Number.isInteger(k) && k > 0)))
    context.fail(`has a kernel of ${kernel.join('×')}`, EXPORT_AGAIN);
  const pads = context.ints('pads') ?? new Array<number>(2 * rank).fill(0);
  if (pads.length !== 2 * rank) context.fail(`has ${pads.length} pads for ${rank} dimensions`, EXPORT_AGAIN);
  if (pads.some((pad) => !(pad >= 0)))
    context.fail(`has negative padding (${pads.join(', ')})`, 'Use Slice to crop instead.');
  if ([...kernel, ...strides, ...dilations, ...pads].some((v) => v > LARGEST_EXTENT))
    context.fail('has a window, stride, dilation or padding beyond all images', EXPORT_AGAIN);
  const autoPad = context.text('auto_pad', 'NOTSET');
  const ceil = context.int('ceil_mode', 0) === 1;
  let ceilExtended = false;
  const along = (
    axis: number,
    size: number,
  ): { k: number; s: number; d: number; begin: number; end: number; out: number } => {
    const [k, s, d] = [kernel[axis], strides[axis], dilations[axis]];
    const extent = (k - 1) * d + 1;
    let begin = pads[axis];
    let end = pads[axis + rank];
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
      const total = Math.max(0, (Math.ceil(size / s) - 1) * s + extent - size);
      begin = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      end = total - begin;
    } else if (autoPad === 'VALID') begin = end = 0;
    const room = size + begin + end - extent;
    let out = Math.floor(room / s) + 1;
    if (ceil && room >= 0) {
      out = Math.ceil(room / s) + 1;
      // The last window must start inside the map or its leading padding.
      if ((out - 1) * s >= size + begin) out--;
      const needed = (out - 1) * s + extent - size - begin;
      if (needed > end) {
        end = needed;
        ceilExtended = true;
      }
    }
    if (room < 0 || out < 1)
      context.fail(
        `has a window of ${extent} that does not fit a map of ${size} with its padding`,
        'Use a larger input or a smaller kernel.',
      );
    const sees = (o: number): boolean =>
      Array.from({ length: k }, (_, t) => o * s - begin + t * d).some((at) => at >= 0 && at < size);
    // Pixels far from the borders are seen by all windows; those at the borders tell.
    const some = Array.from({ length: Math.min(out, 64) }, (_, o) => o).some(sees) || sees(out - 1);
    if (!some) context.fail('reads nothing but padding', 'Use a larger input, or correct its padding and dilation.');
    return { k, s, d, begin, end, out };
  };
  const one = { k: 1, s: 1, d: 1, begin: 0, end: 0, out: 1 };
  const vertical = rank === 2 ? along(0, inH) : one;
  const horizontal = along(rank - 1, inW);
  return {
    window: {
      kernelH: vertical.k,
      kernelW: horizontal.k,
      strideH: vertical.s,
      strideW: horizontal.s,
      dilationH: vertical.d,
      dilationW: horizontal.d,
      padding: { top: vertical.begin, left: horizontal.begin, bottom: vertical.end, right: horizontal.end },
    },
    outH: vertical.out,
    outW: horizontal.out,
    ceilExtended,
  };
}

/** What a pooling node reads, and the windows that it moves over it. */
export function pooledWindows(context: NodeContext): {
  readonly given: MapValue;
  /** `given` as an image. */
  readonly input: MapValue;
  readonly shape: Shape;
  readonly kernel: readonly number[];
  readonly geometry: Geometry;
} {
  const given = context.map(0);
  const input = spatial(context, given);
  const kernel = context.ints('kernel_shape') ?? context.fail('has no kernel_shape', 'Export the model again.');
  if (kernel.length !== given.dims.length - 2)
    context.fail(`has a kernel of ${kernel.join('×')} for ${given.dims.join('×')}`, 'Export the model again.');
  const { shape } = input.map;
  return { given, input, shape, kernel, geometry: windowGeometry(context, kernel, shape.h, shape.w) };
}

function positive(
  context: NodeContext,
  name: string,
  rank: number,
  given: readonly number[] | null,
): readonly number[] {
  const values = given ?? new Array<number>(rank).fill(1);
  if (values.length !== rank || values.some((v) => !(Number.isInteger(v) && v > 0))) {
    context.fail(`has ${name} of ${values.join(', ')}`, `Each must be 1 or more. ${EXPORT_AGAIN}`);
  }
  return values;
}
