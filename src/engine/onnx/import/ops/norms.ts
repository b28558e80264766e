import type { NodeInfo } from '../../model';
import { arrange } from '../arrange';
import { NodeContext, productOf } from '../nodeContext';
import type { MapValue } from '../values';
import { isWholeChannelSet } from './slicing';

/** What a norm divides by, see `NormalizeLayer`. */
export interface Norm {
  readonly centered: boolean;
  readonly mean: boolean;
  readonly epsilon: number;
}

/** Channels that the kernel sums. */
const MOST_CHANNELS = 65536;

/** A least length of more than this is a value of its own, not a guard against division by zero. */
const LARGEST_GUARD = 1e-3;

/**
 * A norm over dimensions in one layer: over the channels of each pixel, or over all of a map. Null for others, e.g.
 * over the pixels of each channel.
 */
export function normalize(context: NodeContext, value: MapValue, over: readonly number[], norm: Norm): MapValue | null {
  const spec = { kind: 'normalize', ...norm } as const;
  const { h, w, c } = value.map.shape;
  const count = productOf(value.dims, over);
  if (count > MOST_CHANNELS) return null;
  if (count === h * w * c) {
    // Whatever their order, the elements are all there are.
    const row = { h: 1, w: 1, c: count };
    const flat = h * w === 1 ? value.map : context.layer({ kind: 'reshape' }, [value], row);
    const map = context.layerOn(spec, [flat], row);
    return context.over(
      h * w === 1 ? map : context.layerOn({ kind: 'reshape' }, [map], value.map.shape),
      value.dims,
      value.layout,
    );
  }
  const kept = value.dims.map((_, dim) => dim).filter((dim) => !over.includes(dim));
  const isPixel = isWholeChannelSet(value, over);
  // Channels that stay where they are, each by itself, would be taken apart and put together again.
  if (!isPixel && !kept.every((dim) => value.dims[dim] === 1 || !isChannel(value, dim))) return null;
  const input = isPixel ? value : arrange(context, value, [], kept, over);
  return context.over(context.layer(spec, [input], input.map.shape), input.dims, input.layout);
}

function isChannel(value: MapValue, dim: number): boolean {
  return value.layout[dim].some((atom) => atom.stride < value.map.shape.c);
}

/**
 * The norm that a quotient of two feature maps writes in parts: (x − mean) / √(mean of squares + ε) as exporters write
 * LayerNormalization before opset 17, x / √(sum of squares), or x / max(‖x‖, ε). In parts of 8 bits the squares of
 * small values would be lost. Null where the quotient is something else; what was imported for the parts is then read.
 */
export function normInParts(context: NodeContext): MapValue | null {
  const above = context.node.inputs[0];
  const parts = new Parts(context);
  const size = parts.size(context.node.inputs[1]);
  if (size === null || size.of !== above) return null;
  const { over, mean, epsilon } = size;
  const from = mean ? parts.centered(above, over) : null;
  const value = context.state.values.get(from ?? above);
  if (value?.kind !== 'map' || value.quantization !== null) return null;
  return normalize(context, value, over, { centered: from !== null, mean, epsilon });
}

interface Size {
  /** Name of the value whose size it is. */
  readonly of: string;
  readonly over: readonly number[];
  readonly mean: boolean;
  readonly epsilon: number;
}

/** The nodes that values come from. */
class Parts {
  private readonly producers = new Map<string, NodeInfo>();

  constructor(private readonly context: NodeContext) {
    for (const node of context.state.model.nodes) for (const name of node.outputs) this.producers.set(name, node);
  }

  size(name: string): Size | null {
    const node = this.producer(name);
    switch (node?.opType) {
      case 'Expand':
        return this.size(node.inputs[0]);
      case 'Clip':
      case 'Max':
      case 'Add':
        return this.guarded(node);
      case 'Sqrt':
        return this.root(node.inputs[0]);
      case 'Pow':
        return this.number(node.inputs[1]) === 0.5 ? this.root(node.inputs[0]) : null;
      case 'ReduceL2': {
        const over = this.axes(node);
        return over && { of: node.inputs[0], over, mean: false, epsilon: 0 };
      }
      default:
        return null;
    }
  }

  /** What a mean was taken from, where `name` is a value less that mean. */
  centered(name: string, over: readonly number[]): string | null {
    const node = this.producer(name);
    if (node?.opType !== 'Sub') return null;
    const [x, mean] = node.inputs;
    const reduced = this.producer(mean);
    if (reduced?.opType !== 'ReduceMean' || reduced.inputs[0] !== x) return null;
    const axes = this.axes(reduced);
    return axes && axes.join() === over.join() ? x : null;
  }

  /** A length that is kept from being zero. */
  private guarded(node: NodeInfo): Size | null {
    const [first, second] = node.inputs;
    const [least, name] =
      node.opType === 'Clip'
        ? [second ? this.number(second) : (node.attributes.get('min')?.f ?? null), first]
        : this.number(first) === null
          ? [this.number(second), first]
          : [this.number(first), second];
    if (least === null || !(least >= 0 && least <= LARGEST_GUARD)) return null;
    const size = this.size(name);
    return size && { ...size, epsilon: size.epsilon + least ** 2 };
  }

  /** √(sum or mean of squares + ε). */
  private root(name: string): Size | null {
    const node = this.producer(name);
    if (node?.opType === 'Add' || node?.opType === 'Max' || node?.opType === 'Clip') {
      const [first, second] = node.inputs;
      const [constant, other] =
        node.opType === 'Clip' || this.number(first) === null ? [second, first] : [first, second];
      const epsilon = constant ? this.number(constant) : (node.attributes.get('min')?.f ?? null);
      if (epsilon === null || !(epsilon >= 0)) return null;
      if (node.opType !== 'Add' && epsilon > LARGEST_GUARD ** 2) return null;
      const size = this.sum(other);
      return size && { ...size, epsilon };
    }
    return this.sum(name);
  }

  private sum(name: string): Size | null {
    const node = this.producer(name);
    if (node?.opType === 'ReduceSumSquare') {
      const over = this.axes(node);
      return over && { of: node.inputs[0], over, mean: false, epsilon: 0 };
    }
    if (node?.opType !== 'ReduceMean' && node?.opType !== 'ReduceSum') return null;
    const square = this.producer(node.inputs[0]);
    const over = this.axes(node);
    const isSquare =
      (square?.opType === 'Pow' && this.number(square.inputs[1]) === 2) ||
      (square?.opType === 'Mul' && square.inputs[0] === square.inputs[1]);
    return over && isSquare ? { of: square.inputs[0], over, mean: node.opType === 'ReduceMean', epsilon: 0 } : null;
  }

  /** The dimensions of a reduction that keeps them; null where it does not, or they are not known. */
  private axes(node: NodeInfo): number[] | null {
    const value = this.context.state.values.get(node.inputs[0]);
    const keeps = (node.attributes.get('keepdims')?.i ?? 1) === 1;
    if (value?.kind !== 'map' || !keeps) return null;
    const listed = new NodeContext(this.context.state, node, this.context.opset).intsOrInput('axes', 1);
    if (!listed || listed.length === 0) return null;
    const rank = value.dims.length;
    return listed.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  }

  private producer(name: string): NodeInfo | undefined {
    const node = this.producers.get(name);
    return node?.domain === '' ? node : undefined;
  }

  /** A constant of one element. */
  private number(name: string): number | null {
    const value = this.context.state.values.get(name);
    return value?.kind === 'constant' && value.constant.elements === 1 ? value.constant.read()[0] : null;
  }
}
