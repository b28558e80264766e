import { elementCount } from '../../tensorData';
import type { NodeContext } from '../nodeContext';
import { compute, operand, rowMajorStrides, walk } from './constantTools';

const EXPORT_AGAIN = 'Export the model again.';

/** Index of each row-major element of `dims` with its digit of one axis left out, and that digit's stride. */
function withoutAxis(
  dims: readonly number[],
  source: readonly number[],
  axis: number,
): { base: Int32Array; step: number } {
  const strides = rowMajorStrides(source);
  const base = new Int32Array(elementCount(dims));
  walk(
    dims,
    strides.map((s, dim) => (dim === axis ? 0 : s)),
    0,
    (at, from) => (base[at] = from),
  );
  return { base, step: strides[axis] };
}

export function gatherElements(context: NodeContext): void {
  const [x, indices] = [operand(context, 0), operand(context, 1)];
  const axis = context.axis(context.int('axis', 0), x.dims.length);
  compute(context, indices.dims, x.dataType, (out) => {
    const [source, list] = [x.read(), indices.read()];
    const { base, step } = withoutAxis(indices.dims, x.dims, axis);
    for (let i = 0; i < out.length; i++)
      out[i] = source[base[i] + (list[i] < 0 ? list[i] + x.dims[axis] : list[i]) * step];
  });
}

export function scatterElements(context: NodeContext): void {
  const [x, indices, updates] = [0, 1, 2].map((i) => operand(context, i));
  const axis = context.axis(context.int('axis', 0), x.dims.length);
  const combine = scatterReduction(context);
  compute(context, x.dims, x.dataType, (out) => {
    out.set(x.read());
    const [list, values] = [indices.read(), updates.read()];
    const { base, step } = withoutAxis(indices.dims, x.dims, axis);
    for (let i = 0; i < list.length; i++) {
      const at = base[i] + (list[i] < 0 ? list[i] + x.dims[axis] : list[i]) * step;
      out[at] = combine(out[at], values[i]);
    }
  });
}

function scatterReduction(context: NodeContext): (old: number, update: number) => number {
  const name = context.text('reduction', 'none');
  const known: Record<string, (old: number, update: number) => number> = {
    none: (_, update) => update,
    add: (old, update) => old + update,
    mul: (old, update) => old * update,
    min: Math.min,
    max: Math.max,
  };
  return known[name] ?? context.fail(`combines by ${name}`, EXPORT_AGAIN);
}

/** First source element of every index tuple of a GatherND or ScatterND, and elements that each names. */
function tuples(
  context: NodeContext,
  dims: readonly number[],
  indexDims: readonly number[],
): { depth: number; inner: number; first: (list: ArrayLike<number>, tuple: number) => number } {
  const depth = indexDims[indexDims.length - 1] ?? 0;
  if (depth > dims.length) context.fail(`indexes ${dims.length} dimensions by ${depth}`, EXPORT_AGAIN);
  const strides = rowMajorStrides(dims);
  const first = (list: ArrayLike<number>, tuple: number): number => {
    let at = 0;
    for (let k = 0; k < depth; k++) {
      const index = list[tuple * depth + k];
      at += (index < 0 ? index + dims[k] : index) * strides[k];
    }
    return at;
  };
  return { depth, inner: elementCount(dims.slice(depth)), first };
}

export function gatherNd(context: NodeContext): void {
  const [x, indices] = [operand(context, 0), operand(context, 1)];
  if (context.int('batch_dims', 0) !== 0) context.fail('gathers in batches', 'Simplify the model before export.');
  const { depth, inner, first } = tuples(context, x.dims, indices.dims);
  compute(context, [...indices.dims.slice(0, -1), ...x.dims.slice(depth)], x.dataType, (out) => {
    const [source, list] = [x.read(), indices.read()];
    for (let i = 0; i < out.length; i++) out[i] = source[first(list, Math.floor(i / inner)) + (i % inner)];
  });
}

export function scatterNd(context: NodeContext): void {
  const [x, indices, updates] = [0, 1, 2].map((i) => operand(context, i));
  const { inner, first } = tuples(context, x.dims, indices.dims);
  const combine = scatterReduction(context);
  compute(context, x.dims, x.dataType, (out) => {
    out.set(x.read());
    const [list, values] = [indices.read(), updates.read()];
    for (let i = 0; i < values.length; i++) {
      const at = first(list, Math.floor(i / inner)) + (i % inner);
      out[at] = combine(out[at], values[i]);
    }
  });
}
