import { Constant } from '../../constant';
import { DataType } from '../../model';
import type { Numbers } from '../../tensorData';
import { elementCount } from '../../tensorData';
import type { NodeContext } from '../nodeContext';
import { MAX_MAP_ELEMENTS } from '../nodeContext';

/** An input that is a constant. */
export function operand(context: NodeContext, index: number): Constant {
  return context.constant(index, 'an operand');
}

/** A computed constant; the size is checked and accounted for now, the elements are filled in when read. */
export function compute(
  context: NodeContext,
  dims: readonly number[],
  dataType: number,
  fill: (out: Numbers) => void,
  index = 0,
): void {
  const count = elementCount(dims);
  if (!(count <= MAX_MAP_ELEMENTS) || dims.some((d) => !(Number.isInteger(d) && d >= 0)))
    context.fail(`computes a constant of ${dims.join('×')}`, 'Simplify the model before export.');
  context.state.spendConstantWork(count);
  context.setConstant(
    new Constant(dims, dataType, () => {
      const out =
        dataType === DataType.Float || dataType === DataType.Float16
          ? new Float32Array(count)
          : new Float64Array(count);
      fill(out);
      return out;
    }),
    index,
  );
}

export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let dim = dims.length - 1; dim >= 0; dim--) {
    strides[dim] = stride;
    stride *= dims[dim];
  }
  return strides;
}

/** Index into a source for each row-major element of `dims`. */
export function walk(
  dims: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (at: number, source: number) => void,
): void {
  const total = elementCount(dims);
  const counter = new Array<number>(dims.length).fill(0);
  let source = start;
  for (let at = 0; at < total; at++) {
    visit(at, source);
    for (let dim = dims.length - 1; dim >= 0; dim--) {
      source += strides[dim];
      if (++counter[dim] < dims[dim]) break;
      source -= strides[dim] * dims[dim];
      counter[dim] = 0;
    }
  }
}

export function view(
  context: NodeContext,
  x: Constant,
  dims: readonly number[],
  strides: readonly number[],
  start: number,
  index = 0,
): void {
  const fill = (out: Numbers): void => {
    const source = x.read();
    walk(dims, strides, start, (at, from) => (out[at] = source[from]));
  };
  compute(context, dims, x.dataType, fill, index);
}

export function broadcast(context: NodeContext, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1)
      context.fail(`combines ${a.join('×')} with ${b.join('×')}`, 'Export the model again.');
    return x === 1 ? y : x;
  });
}

export function broadcastStrides(dims: readonly number[], target: readonly number[]): number[] {
  const own = rowMajorStrides(dims);
  const lead = target.length - dims.length;
  return target.map((_, i) => (i < lead || dims[i - lead] === 1 ? 0 : own[i - lead]));
}
