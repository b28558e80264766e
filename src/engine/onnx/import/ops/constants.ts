import { counted } from '../../../common/wording';
import { Constant, isFloat } from '../../constant';
import type { TensorInfo } from '../../model';
import { DataType } from '../../model';
import { checkTensor, elementCount } from '../../tensorData';
import type { NodeContext } from '../nodeContext';
import { CONSTANT_ARRAYS } from './constantArrays';
import { broadcast, broadcastStrides, compute, operand, rowMajorStrides, view, walk } from './constantTools';
import { BINARY_TESTS, REDUCTIONS, UNARY_FUNCTIONS, UNARY_TESTS, type Reduction } from './constantFunctions';
import { dequantizeLinear, quantizeLinear } from './quantization';
import { permutation, resolveShape } from './shapes';

/**
 * Operators evaluated at import when all their inputs are constants; elements are computed when the result is read.
 */
export const CONSTANT_OPERATORS: Readonly<Record<string, (context: NodeContext) => void>> = {
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Identity: (context) => context.setConstant(operand(context, 0)),
  Dropout: (context) => context.setConstant(operand(context, 0)),
  Cast: castConstant,
  CastLike: (context) => convert(context, operand(context, 0), operand(context, 1).dataType),
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  Shape: (context) => shapeOf(context, operand(context, 0).dims),
  Size: (context) => context.setNumbers([operand(context, 0).elements], []),
  Reshape: (context) => {
    const x = operand(context, 0);
    const wanted = context.intsOrInput('shape', 1) ?? context.fail('has no shape', 'Export the model again.');
    context.setConstant(x.reshaped(resolveShape(context, x.dims, wanted)));
  },
  Flatten: (context) => {
    const x = operand(context, 0);
    const axis = context.int('axis', 1);
    const at = axis < 0 ? axis + x.dims.length : axis;
    context.setConstant(x.reshaped([elementCount(x.dims.slice(0, at)), elementCount(x.dims.slice(at))]));
  },
  Squeeze: (context) => {
    const x = operand(context, 0);
    const axes = context.intsOrInput('axes', 1)?.map((axis) => context.axis(axis, x.dims.length));
    context.setConstant(x.reshaped(x.dims.filter((d, dim) => (axes ? !axes.includes(dim) : d !== 1))));
  },
  Unsqueeze: (context) => {
    const x = operand(context, 0);
    const given = context.intsOrInput('axes', 1) ?? context.fail('has no axes', 'Export the model again.');
    const rank = x.dims.length + given.length;
    if (rank > 64) context.fail(`makes ${counted(rank, 'dimension')}`, 'Export the model again.');
    const axes = new Set(given.map((axis) => context.axis(axis, rank)));
    const dims: number[] = [];
    for (let at = 0, from = 0; at < rank; at++) dims.push(axes.has(at) ? 1 : x.dims[from++]);
    context.setConstant(x.reshaped(dims));
  },
  Transpose: (context) => {
    const x = operand(context, 0);
    const perm = permutation(context, x.dims.length);
    const strides = rowMajorStrides(x.dims);
    view(
      context,
      x,
      perm.map((dim) => x.dims[dim]),
      perm.map((dim) => strides[dim]),
      0,
    );
  },
  Expand: (context) => {
    const x = operand(context, 0);
    const dims = broadcast(context, x.dims, operand(context, 1).small());
    view(context, x, dims, broadcastStrides(x.dims, dims), 0);
  },
  Slice: sliceConstant,
  Gather: gatherConstant,
  Concat: concatConstant,
  Range: (context) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => operand(context, i).small()[0]);
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (!(count <= 4096)) context.fail(`makes a list of ${count} numbers`, 'Export the model again.');

    context.setNumbers(
      Array.from({ length: count }, (_, i) => start + i * delta),
      [count],
      operand(context, 0).dataType,
    );
  },
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Mod: (context) =>
    binary(context.int('fmod', 0) === 1 ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b))(context),
  Pow: binary((a, b) => a ** b),
  Min: variadic(Math.min),
  Max: variadic(Math.max),
  Sum: variadic((a, b) => a + b),
  Mean: variadic((a, b) => a + b, true),
  BitShift: (context) =>
    binary(context.text('direction', 'LEFT') === 'LEFT' ? (a, b) => a * 2 ** b : (a, b) => Math.floor(a / 2 ** b))(
      context,
    ),
  ...mapped(UNARY_FUNCTIONS, (f) => unary(f)),
  ...mapped(UNARY_TESTS, (f) => unary((x) => Number(f(x)), DataType.Bool)),
  ...mapped(BINARY_TESTS, (f) => binary((x, y) => Number(f(x, y)), DataType.Bool)),
  ...mapped(REDUCTIONS, (r) => reduceConstant(r)),
  Where: where,
  ...CONSTANT_ARRAYS,
};

/** Shape of a value, or the part of it that the `start` and `end` attributes select. */
export function shapeOf(context: NodeContext, dims: readonly number[]): void {
  const part = dims.slice(context.int('start', 0), context.attribute('end')?.i ?? undefined);
  context.setNumbers(part, [part.length]);
}

function constantNode(context: NodeContext): void {
  const { attributes } = context.node;
  const tensor = attributes.get('value')?.tensor;
  if (tensor) return context.setConstant(checkedTensor(context, tensor));
  const floats = attributes.get('value_floats')?.floats;
  if (floats) return context.setNumbers(floats, [floats.length], DataType.Float);
  const ints = attributes.get('value_ints')?.ints;
  if (ints) return context.setNumbers(ints, [ints.length]);
  const float = attributes.get('value_float')?.f;
  if (float != null) return context.setNumbers([float], [], DataType.Float);
  const int = attributes.get('value_int')?.i;
  if (int != null) return context.setNumbers([int], []);
  context.fail('holds no numbers', 'Only number tensors are supported.');
}

function checkedTensor(context: NodeContext, tensor: TensorInfo): Constant {
  checkTensor(context.state.model, tensor);
  return Constant.ofTensor(context.state.model, tensor);
}

function constantOfShape(context: NodeContext): void {
  const dims = operand(context, 0).small();
  const tensor = context.attribute('value')?.tensor;
  const fill = tensor ? checkedTensor(context, tensor).small()[0] : 0;
  compute(context, dims, tensor?.dataType ?? DataType.Float, (out) => out.fill(fill));
}

function castConstant(context: NodeContext): void {
  const x = operand(context, 0);
  const attribute = context.attribute('to');
  convert(
    context,
    x,
    attribute?.i ?? (attribute?.s?.toUpperCase().startsWith('FLOAT') ? DataType.Float : DataType.Int64),
  );
}

function convert(context: NodeContext, x: Constant, to: number): void {
  compute(context, x.dims, to, (out) => {
    const source = x.read();
    const truncate = isFloat(x.dataType) && !isFloat(to);
    for (let i = 0; i < out.length; i++)
      out[i] = to === DataType.Bool ? Number(source[i] !== 0) : truncate ? Math.trunc(source[i]) : source[i];
  });
}

function binary(f: (a: number, b: number) => number, resultType?: number): (context: NodeContext) => void {
  return (context) => {
    const [a, b] = [operand(context, 0), operand(context, 1)];
    const dims = broadcast(context, a.dims, b.dims);
    const integer = !isFloat(a.dataType);
    compute(context, dims, resultType ?? a.dataType, (out) => {
      const [x, y] = [a.read(), b.read()];
      const isSame = (operand: Constant): boolean => String(operand.dims) === String(dims);
      // Most operands of large constants have equal dimensions, or are one number.
      if (isSame(a) && (isSame(b) || b.elements === 1)) {
        const step = isSame(b) ? 1 : 0;
        for (let i = 0; i < out.length; i++) {
          const value = f(x[i], y[i * step]);
          out[i] = integer ? Math.trunc(value) : value;
        }
        return;
      }
      const bAt = new Int32Array(out.length);
      walk(dims, broadcastStrides(b.dims, dims), 0, (at, from) => (bAt[at] = from));
      walk(dims, broadcastStrides(a.dims, dims), 0, (at, from) => {
        const value = f(x[from], y[bAt[at]]);
        out[at] = integer ? Math.trunc(value) : value;
      });
    });
  };
}

function unary(f: (x: number) => number, resultType?: number): (context: NodeContext) => void {
  return (context) => {
    const x = operand(context, 0);
    compute(context, x.dims, resultType ?? x.dataType, (out) => {
      const source = x.read();
      for (let i = 0; i < out.length; i++) out[i] = f(source[i]);
    });
  };
}

/** The handlers of a family of operators. */
function mapped<T>(
  family: Readonly<Record<string, T>>,
  handler: (member: T) => (context: NodeContext) => void,
): Record<string, (context: NodeContext) => void> {
  return Object.fromEntries(Object.entries(family).map(([name, member]) => [name, handler(member)]));
}

/**
 * One operand after the other.
 * @param shared divide by the number of operands
 */
function variadic(f: (a: number, b: number) => number, shared = false): (context: NodeContext) => void {
  return (context) => {
    const parts = context.node.inputs.map((_, i) => operand(context, i));
    const dims = parts.reduce<number[]>((all, part) => broadcast(context, all, part.dims), []);
    compute(context, dims, parts[0].dataType, (out) => {
      parts.forEach((part, i) => {
        const values = part.read();
        walk(dims, broadcastStrides(part.dims, dims), 0, (at, from) => {
          out[at] = i === 0 ? values[from] : f(out[at], values[from]);
        });
      });
      if (shared) for (let i = 0; i < out.length; i++) out[i] /= parts.length;
    });
  };
}

/** A reduction; axes are an attribute in old opsets and an input in newer ones. */
function reduceConstant({ first, step, finish }: Reduction): (context: NodeContext) => void {
  return (context) => {
    const x = operand(context, 0);
    const rank = x.dims.length;
    const listed = context.intsOrInput('axes', 1) ?? [];
    if (listed.length === 0 && context.int('noop_with_empty_axes', 0) === 1) return context.setConstant(x);
    const axes = listed.length === 0 ? x.dims.map((_, dim) => dim) : listed.map((axis) => context.axis(axis, rank));
    const reduced = x.dims.map((d, dim) => (axes.includes(dim) ? 1 : d));
    const keep = context.int('keepdims', 1) === 1;
    const strides = broadcastStrides(reduced, x.dims);
    compute(context, keep ? reduced : reduced.filter((_, dim) => !axes.includes(dim)), x.dataType, (out) => {
      const source = x.read();
      const totals = new Float64Array(out.length).fill(first);
      let at = 0;
      walk(x.dims, strides, 0, (_, to) => (totals[to] = step(totals[to], source[at++])));
      const n = source.length / Math.max(1, out.length);
      for (let i = 0; i < out.length; i++) out[i] = finish ? finish(totals[i], n) : totals[i];
    });
  };
}

function where(context: NodeContext): void {
  const [condition, a, b] = [operand(context, 0), operand(context, 1), operand(context, 2)];
  const dims = broadcast(context, broadcast(context, condition.dims, a.dims), b.dims);
  compute(context, dims, a.dataType, (out) => {
    const pick = condition.read();
    const [x, y] = [a.read(), b.read()];
    const from = [condition, a, b].map((operand) => {
      const table = new Int32Array(out.length);
      walk(dims, broadcastStrides(operand.dims, dims), 0, (at, source) => (table[at] = source));
      return table;
    });
    for (let i = 0; i < out.length; i++) out[i] = pick[from[0][i]] !== 0 ? x[from[1][i]] : y[from[2][i]];
  });
}

function sliceConstant(context: NodeContext): void {
  const x = operand(context, 0);
  const rank = x.dims.length;
  const starts = context.intsOrInput('starts', 1) ?? context.fail('has no starts', 'Export the model again.');
  const ends = context.intsOrInput('ends', 2) ?? context.fail('has no ends', 'Export the model again.');
  const axes = context.intsOrInput('axes', 3) ?? starts.map((_, i) => i);
  const steps = context.has(4) ? operand(context, 4).small() : starts.map(() => 1);
  const dims = [...x.dims];
  const strides = rowMajorStrides(x.dims);
  let first = 0;
  starts.forEach((start, i) => {
    const axis = context.axis(axes[i], rank);
    const size = x.dims[axis];
    const step = steps[i] || context.fail('slices with step 0', 'Export the model again.');
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const bounded = (at: number): number => Math.min(high, Math.max(low, at < 0 ? at + size : at));
    const begin = step > 0 ? bounded(start) : Math.max(0, bounded(start));
    dims[axis] = Math.max(0, Math.ceil((bounded(ends[i]) - begin) / step));
    first += begin * strides[axis];
    strides[axis] *= step;
  });
  view(context, x, dims, strides, first);
}

function gatherConstant(context: NodeContext): void {
  const x = operand(context, 0);
  const indices = operand(context, 1);
  const axis = context.axis(context.int('axis', 0), x.dims.length);
  const extent = x.dims[axis];
  const list = indices.small().map((i) => (i < 0 ? i + extent : i));
  if (list.some((i) => !(i >= 0 && i < extent)))
    context.fail('selects elements that do not exist', 'Export the model again.');
  const [before, after] = [x.dims.slice(0, axis), x.dims.slice(axis + 1)];
  const inner = elementCount(after);
  compute(context, [...before, ...indices.dims, ...after], x.dataType, (out) => {
    const source = x.read();
    let at = 0;
    for (let o = 0; o < elementCount(before); o++)
      for (const i of list) for (let j = 0; j < inner; j++) out[at++] = source[(o * extent + i) * inner + j];
  });
}

function concatConstant(context: NodeContext): void {
  const parts = context.node.inputs.map((_, i) => operand(context, i));
  if (parts.length === 0) context.fail('joins nothing', 'Export the model again.');
  const axis = context.axis(context.int('axis', 0), parts[0].dims.length);
  if (
    parts.some(
      (part) =>
        part.dims.length !== parts[0].dims.length ||
        part.dims.some((d, dim) => dim !== axis && d !== parts[0].dims[dim]),
    )
  ) {
    context.fail('joins constants of different shapes', 'Export the model again.');
  }
  const total = parts.reduce((sum, part) => sum + part.dims[axis], 0);
  const dims = parts[0].dims.map((d, dim) => (dim === axis ? total : d));
  const outer = elementCount(dims.slice(0, axis));
  compute(context, dims, parts[0].dataType, (out) => {
    const sources = parts.map((part) => part.read());
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const source of sources) {
        const run = source.length / outer;
        for (let j = 0; j < run; j++) out[at++] = source[o * run + j];
      }
    }
  });
}
