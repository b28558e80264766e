import { elementCount } from '../../tensorData';
import type { NodeContext } from '../nodeContext';
import { broadcast, broadcastStrides, compute, operand, walk } from './constantTools';

const EXPORT_AGAIN = 'Export the model again.';

function product(
  context: NodeContext,
  a: readonly number[],
  b: readonly number[],
): { dims: number[]; rows: number; inner: number; columns: number; batch: readonly number[] } {
  const [rows, inner] = a.slice(-2);
  const [other, columns] = b.slice(-2);
  if (inner !== other) context.fail(`multiplies ${a.join('×')} with ${b.join('×')}`, EXPORT_AGAIN);
  const batch = broadcast(context, a.slice(0, -2), b.slice(0, -2));
  return { dims: [...batch, rows, columns], rows, inner, columns, batch };
}

export function matMul(context: NodeContext): void {
  const [x, y] = [operand(context, 0), operand(context, 1)];
  const a = x.dims.length === 1 ? [1, ...x.dims] : x.dims;
  const b = y.dims.length === 1 ? [...y.dims, 1] : y.dims;
  const { dims, rows, inner, columns, batch } = product(context, a, b);
  const shown = dims.filter(
    (_, dim) => !(x.dims.length === 1 && dim === dims.length - 2) && !(y.dims.length === 1 && dim === dims.length - 1),
  );
  if (elementCount(dims) * inner > 2 ** 31)
    context.fail('multiplies large constants', 'Simplify the model before export.');
  compute(context, shown, x.dataType, (out) => {
    const [left, right] = [x.read(), y.read()];
    const bases = [a, b].map((d) => {
      const table: number[] = [];
      walk(batch, broadcastStrides(d.slice(0, -2), batch), 0, (_, from) =>
        table.push(from * d[d.length - 2] * d[d.length - 1]),
      );
      return table;
    });
    let at = 0;
    for (let n = 0; n < elementCount(batch); n++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          let total = 0;
          for (let k = 0; k < inner; k++)
            total += left[bases[0][n] + r * inner + k] * right[bases[1][n] + k * columns + c];
          out[at++] = total;
        }
  });
}

export function gemm(context: NodeContext): void {
  const [a, b] = [operand(context, 0), operand(context, 1)];
  const c = context.has(2) ? operand(context, 2) : null;
  const [transA, transB] = [context.int('transA', 0) === 1, context.int('transB', 0) === 1];
  const [rows, inner] = transA ? [a.dims[1], a.dims[0]] : a.dims;
  const [other, columns] = transB ? [b.dims[1], b.dims[0]] : b.dims;
  if (inner !== other) context.fail(`multiplies ${a.dims.join('×')} with ${b.dims.join('×')}`, EXPORT_AGAIN);
  const [alpha, beta] = [context.float('alpha', 1), context.float('beta', 1)];
  compute(context, [rows, columns], a.dataType, (out) => {
    const [left, right, added] = [a.read(), b.read(), c?.read()];
    const offset = new Float64Array(rows * columns);
    if (c && added)
      walk(
        [rows, columns],
        broadcastStrides(c.dims, [rows, columns]),
        0,
        (at, from) => (offset[at] = beta * added[from]),
      );
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < columns; k++) {
        let total = 0;
        for (let i = 0; i < inner; i++)
          total += left[transA ? i * rows + r : r * inner + i] * right[transB ? k * inner + i : i * columns + k];
        out[r * columns + k] = alpha * total + offset[r * columns + k];
      }
  });
}

/** Convolution with a 1×1 kernel in one group: what detectors write the mean of a distribution as. */
export function pointwiseConv(context: NodeContext): void {
  const [x, kernel] = [operand(context, 0), operand(context, 1)];
  const added = context.has(2) ? operand(context, 2) : null;
  const [outC, inC, ...window] = kernel.dims;
  const plain = ['strides', 'dilations', 'pads'].every((name) =>
    (context.ints(name) ?? []).every((v) => v === (name === 'pads' ? 0 : 1)),
  );
  if (x.dims.length < 3 || x.dims[1] !== inC || window.some((k) => k !== 1) || !plain || context.int('group', 1) !== 1)
    context.fail('convolves constants with more than a 1×1 kernel', 'Simplify the model before export.');
  const pixels = elementCount(x.dims.slice(2));
  compute(context, [x.dims[0], outC, ...x.dims.slice(2)], x.dataType, (out) => {
    const [source, weights, bias] = [x.read(), kernel.read(), added?.read()];
    for (let n = 0; n < x.dims[0]; n++)
      for (let o = 0; o < outC; o++)
        for (let p = 0; p < pixels; p++) {
          let total = bias?.[o] ?? 0;
          for (let c = 0; c < inC; c++) total += weights[o * inC + c] * source[(n * inC + c) * pixels + p];
          out[(n * outC + o) * pixels + p] = total;
        }
  });
}
