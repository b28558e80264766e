import type { Constant } from '../../constant';
import { DataType } from '../../model';
import { elementCount } from '../../tensorData';
import type { NodeContext } from '../nodeContext';
import { gatherElements, gatherNd, scatterElements, scatterNd } from './constantGather';
import { gemm, matMul, pointwiseConv } from './constantProducts';
import { compute, operand, rowMajorStrides, view } from './constantTools';
import { resolvePads } from './padding';

type Handler = (context: NodeContext) => void;

/** Operators on constants that look at where elements are: found in masks, position encodings, anchors and grids. */
export const CONSTANT_ARRAYS: Readonly<Record<string, Handler>> = {
  ArgMax: argBest((a, b) => a > b),
  ArgMin: argBest((a, b) => a < b),
  Clip: clip,
  Conv: pointwiseConv,
  CumSum: cumSum,
  EyeLike: eyeLike,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Gemm: gemm,
  MatMul: matMul,
  NonZero: nonZero,
  OneHot: oneHot,
  Pad: pad,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  Softmax: softmax,
  Split: split,
  Tile: tile,
  TopK: topK,
  Trilu: trilu,
};

const EXPORT_AGAIN = 'Export the model again.';

/** Calls back for every line of elements along an axis, with the index of its first and the step between them. */
function lines(dims: readonly number[], axis: number, visit: (first: number, step: number) => void): void {
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * dims[axis] * inner + i, inner);
}

function argBest(better: (a: number, b: number) => boolean): Handler {
  return (context) => {
    const x = operand(context, 0);
    const axis = context.axis(context.int('axis', 0), x.dims.length);
    const last = context.int('select_last_index', 0) === 1;
    const reduced = x.dims.map((d, dim) => (dim === axis ? 1 : d));
    const dims = context.int('keepdims', 1) === 1 ? reduced : reduced.filter((_, dim) => dim !== axis);
    compute(context, dims, DataType.Int64, (out) => {
      const source = x.read();
      let at = 0;
      lines(x.dims, axis, (first, step) => {
        let best = 0;
        for (let k = 1; k < x.dims[axis]; k++) {
          const [a, b] = [source[first + k * step], source[first + best * step]];
          if (better(a, b) || (last && a === b)) best = k;
        }
        out[at++] = best;
      });
    });
  };
}

function clip(context: NodeContext): void {
  const x = operand(context, 0);
  const bound = (index: number, name: string, open: number): number =>
    context.has(index) ? operand(context, index).small()[0] : context.float(name, open);
  const [low, high] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)];
  compute(context, x.dims, x.dataType, (out) =>
    x.read().forEach((v, i) => (out[i] = Math.min(high, Math.max(low, v)))),
  );
}

function cumSum(context: NodeContext): void {
  const x = operand(context, 0);
  const axis = context.axis(operand(context, 1).small()[0], x.dims.length);
  const exclusive = context.int('exclusive', 0) === 1;
  const backwards = context.int('reverse', 0) === 1;
  compute(context, x.dims, x.dataType, (out) => {
    const source = x.read();
    const n = x.dims[axis];
    lines(x.dims, axis, (first, step) => {
      for (let k = 0, total = 0; k < n; k++) {
        const at = first + (backwards ? n - 1 - k : k) * step;
        out[at] = exclusive ? total : total + source[at];
        total += source[at];
      }
    });
  });
}

function eyeLike(context: NodeContext): void {
  const x = operand(context, 0);
  if (x.dims.length !== 2) context.fail(`makes a matrix of ${x.dims.join('×')}`, EXPORT_AGAIN);
  const shift = context.int('k', 0);
  const columns = x.dims[1];
  compute(context, x.dims, context.attribute('dtype')?.i ?? x.dataType, (out) => {
    for (let i = 0; i < out.length; i++) out[i] = (i % columns) - Math.floor(i / columns) === shift ? 1 : 0;
  });
}

function nonZero(context: NodeContext): void {
  const x = operand(context, 0);
  const found: number[] = [];
  // The result's shape follows from the elements.
  x.read().forEach((v, i) => void (v !== 0 && found.push(i)));
  const strides = rowMajorStrides(x.dims);
  compute(context, [x.dims.length, found.length], DataType.Int64, (out) => {
    strides.forEach((stride, dim) =>
      found.forEach((i, k) => (out[dim * found.length + k] = Math.floor(i / stride) % x.dims[dim])),
    );
  });
}

function oneHot(context: NodeContext): void {
  const [indices, depthOf, values] = [0, 1, 2].map((i) => operand(context, i));
  const depth = depthOf.small()[0];
  const rank = indices.dims.length + 1;
  const axis = context.axis(context.int('axis', -1), rank);
  const dims = [...indices.dims.slice(0, axis), depth, ...indices.dims.slice(axis)];
  const inner = elementCount(dims.slice(axis + 1));
  const [off, on] = values.small();
  compute(context, dims, values.dataType, (out) => {
    out.fill(off);
    indices.read().forEach((index, i) => {
      const hot = index < 0 ? index + depth : index;
      if (hot >= 0 && hot < depth) out[(Math.floor(i / inner) * depth + hot) * inner + (i % inner)] = on;
    });
  });
}

function pad(context: NodeContext): void {
  const x = operand(context, 0);
  const { before, after, fill, sources } = resolvePads(context, x.dims);
  const dims = x.dims.map((d, dim) => before[dim] + d + after[dim]);
  pick(context, x, dims, sources, fill);
}

/**
 * A constant of elements of x: `sources` has the position in x of one in the result, dimension by dimension; below 0
 * the element is `fill`.
 */
function pick(
  context: NodeContext,
  x: Constant,
  dims: readonly number[],
  sources: (dim: number, at: number) => number,
  fill = 0,
): void {
  const strides = rowMajorStrides(x.dims);
  compute(context, dims, x.dataType, (out) => {
    const source = x.read();
    const own = rowMajorStrides(dims);
    for (let i = 0; i < out.length; i++) {
      let from = 0;
      for (let dim = 0; dim < dims.length && from >= 0; dim++) {
        const at = sources(dim, Math.floor(i / own[dim]) % dims[dim]);
        from = at < 0 ? -1 : from + at * strides[dim];
      }
      out[i] = from < 0 ? fill : source[from];
    }
  });
}

function softmax(context: NodeContext): void {
  const x = operand(context, 0);
  const rank = x.dims.length;
  const axis = context.axis(context.int('axis', context.opset < 13 ? 1 : -1), rank);
  // Before opset 13 all dimensions from the axis on are one.
  const dims = context.opset < 13 ? [elementCount(x.dims.slice(0, axis)), elementCount(x.dims.slice(axis))] : x.dims;
  compute(context, x.dims, x.dataType, (out) => {
    const source = x.read();
    const along = context.opset < 13 ? 1 : axis;
    lines(dims, along, (first, step) => {
      let largest = -Infinity;
      for (let k = 0; k < dims[along]; k++) largest = Math.max(largest, source[first + k * step]);
      let total = 0;
      for (let k = 0; k < dims[along]; k++) total += Math.exp(source[first + k * step] - largest);
      for (let k = 0; k < dims[along]; k++)
        out[first + k * step] = Math.exp(source[first + k * step] - largest) / total;
    });
  });
}

function split(context: NodeContext): void {
  const x = operand(context, 0);
  const axis = context.axis(context.int('axis', 0), x.dims.length);
  const parts = context.node.outputs.length;
  const chunk = Math.ceil(x.dims[axis] / parts);
  const sizes =
    context.intsOrInput('split', 1) ??
    Array.from({ length: parts }, (_, i) => Math.min(chunk, x.dims[axis] - i * chunk));
  const strides = rowMajorStrides(x.dims);
  let begin = 0;
  sizes.forEach((size, i) => {
    view(
      context,
      x,
      x.dims.map((d, dim) => (dim === axis ? size : d)),
      strides,
      begin * strides[axis],
      i,
    );
    begin += size;
  });
}

function tile(context: NodeContext): void {
  const x = operand(context, 0);
  const repeats = operand(context, 1).small();
  const dims = x.dims.map((d, dim) => d * (repeats[dim] ?? 1));
  pick(context, x, dims, (dim, at) => at % x.dims[dim]);
}

function topK(context: NodeContext): void {
  const x = operand(context, 0);
  const k = context.has(1) ? operand(context, 1).small()[0] : context.int('k', 1);
  const axis = context.axis(context.int('axis', -1), x.dims.length);
  const sign = context.int('largest', 1) === 1 ? -1 : 1;
  const dims = x.dims.map((d, dim) => (dim === axis ? Math.min(k, d) : d));
  const ranked = (first: number, step: number): number[] => {
    const source = x.read();
    const order = Array.from({ length: x.dims[axis] }, (_, i) => i);
    return order.sort((a, b) => sign * (source[first + a * step] - source[first + b * step]) || a - b);
  };
  const fill = (out: { [at: number]: number }, value: (first: number, step: number, at: number) => number): void => {
    const firsts: [number, number][] = [];
    lines(x.dims, axis, (first, step) => firsts.push([first, step]));
    let line = 0;
    lines(dims, axis, (to, stride) => {
      const [first, step] = firsts[line++];
      ranked(first, step)
        .slice(0, dims[axis])
        .forEach((at, i) => (out[to + i * stride] = value(first, step, at)));
    });
  };
  compute(context, dims, x.dataType, (out) => fill(out, (first, step, at) => x.read()[first + at * step]));
  compute(context, dims, DataType.Int64, (out) => fill(out, (_first, _step, at) => at), 1);
}

function trilu(context: NodeContext): void {
  const x = operand(context, 0);
  const shift = context.has(1) ? operand(context, 1).small()[0] : 0;
  const upper = context.int('upper', 1) === 1;
  const [rows, columns] = x.dims.slice(-2);
  compute(context, x.dims, x.dataType, (out) => {
    const source = x.read();
    for (let i = 0; i < out.length; i++) {
      const above = (i % columns) - (Math.floor(i / columns) % rows);
      out[i] = (upper ? above >= shift : above <= shift) ? source[i] : 0;
    }
  });
}
