import { contiguousLayout, isContiguous } from '../layout';
import { arrange, arrangeAs } from './arrange';
import { sameShape } from './draft';
import type { NodeContext } from './nodeContext';
import { isWholeChannel } from './ops/linear';
import type { MapValue } from './values';

/**
 * Orders in which the application sees a tensor, outermost dimension first. A graph input or output lies in memory as
 * its ONNX tensor does, except for images (NCHW) and, where the network has them so, signals (NCL): these lie channels
 * last. What the network wants otherwise it rearranges itself.
 */
const inTurn = (rank: number): number[] => Array.from({ length: rank }, (_, dim) => dim);
const IMAGE_ORDER: readonly number[] = [0, 2, 3, 1];
const SIGNAL_ORDER: readonly number[] = [0, 2, 1];
/** Of an image or signal without a batch dimension. */
const UNBATCHED_ORDERS: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 3: [1, 2, 0] };

/** Whether an order of dimensions is another way to say the same memory, for dimensions of 1 have no place in it. */
function sameOrder(dims: readonly number[], a: readonly number[], b: readonly number[]): boolean {
  const long = (order: readonly number[]): string => order.filter((dim) => dims[dim] !== 1).join();
  return long(a) === long(b);
}

/**
 * The order that an input takes when its first readers want its dimensions in `wanted`; null when the application must
 * not be asked for that.
 */
export function inputOrder(dims: readonly number[], wanted: readonly number[]): readonly number[] | null {
  const rank = dims.length;
  if (rank === 4 && sameOrder(dims, wanted, IMAGE_ORDER)) return IMAGE_ORDER;
  if (rank === 3 && sameOrder(dims, wanted, SIGNAL_ORDER)) return SIGNAL_ORDER;
  const unbatched = dims[0] === 1 ? undefined : UNBATCHED_ORDERS[rank];
  if (unbatched && sameOrder(dims, wanted, unbatched)) return unbatched;
  return sameOrder(dims, wanted, inTurn(rank)) && !isPlanarImage(dims) ? inTurn(rank) : null;
}

/** Whether dimensions are those of an image with its channels first, which cameras do not give. */
function isPlanarImage(dims: readonly number[]): boolean {
  const [c, h, w] = dims.slice(-3);
  return (dims.length === 4 || (dims.length === 3 && dims[0] !== 1)) && (c === 3 || c === 4) && h * w > 1;
}

/** The dimensions of a binding as they lie in the memory of its map. */
export function memoryOrder({ dims, layout }: MapValue): readonly number[] {
  const rank = dims.length;
  const orders = [inTurn(rank), IMAGE_ORDER, SIGNAL_ORDER, ...Object.values(UNBATCHED_ORDERS)].filter(
    (order) => order.length === rank,
  );
  const order = orders.find((o) => isContiguous(layout, o));
  if (!order) throw new Error(`a tensor of ${dims.join('×')} lies in no order that an application knows`);
  return order;
}

/** An output as the application gets it, rearranged where the network leaves it in another order. */
export function asOutput(context: NodeContext, value: MapValue): MapValue {
  const { dims, layout, map } = value;
  const all = inTurn(dims.length);
  if (dims.length === 4 && dims[0] === 1 && !sameOrder(dims, IMAGE_ORDER, all)) {
    const channelsLast = isWholeChannel(value, [3]) && isContiguous(layout, all) && dims[3] > 1;
    if (!channelsLast) return arrange(context, value, [0, 2], [3], [1]);
  }
  if (dims.length === 3 && dims[0] === 1 && isContiguous(layout, SIGNAL_ORDER)) {
    if (sameShape(map.shape, { h: 1, w: dims[2], c: dims[1] })) return value;
  }
  return isContiguous(layout, all) ? value : arrangeAs(context, value, rowsOf(dims), contiguousLayout(dims, all), all);
}

/** Rows, columns and channels of a tensor in ONNX's order: the last dimension, the one before it, and all others. */
function rowsOf(dims: readonly number[]): { h: number; w: number; c: number } {
  const product = (list: readonly number[]): number => list.reduce((p, d) => p * d, 1);
  return { h: product(dims.slice(0, -2)), w: product(dims.slice(-2, -1)), c: product(dims.slice(-1)) };
}
