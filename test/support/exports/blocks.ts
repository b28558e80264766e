import { float } from '../onnxBuilder';
import { type Draft, product, type Value } from './draft';

/** A part of a network in a form in which exporters write it; null where it does not suit the value. */
export type Block = (d: Draft, x: Value) => Value | null;

/** Extents below this are left alone by what shrinks maps. */
const LEAST = 4;

const spatial = (x: Value): readonly number[] => x.dims.slice(2);
const each = (x: Value, n: number): number[] => spatial(x).map(() => n);
const channelShape = (x: Value): number[] => [x.dims[1], ...each(x, 1)];

/** Convolution with any of the ways to say its padding. */
export const conv: Block = (d, x) => {
  const [, c, ...extents] = x.dims;
  const kernel = d.pick(1, 3, 3, 5, 2);
  const stride = d.pick(1, 1, 2);
  const group = d.pick(1, 1, 1, c);
  const out = group === 1 ? d.pick(4, 6, 8) : c * d.pick(1, 1, 2);
  if (Math.min(...extents) < Math.max(LEAST, kernel)) return null;
  const way = d.pick('pads', 'pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'uneven');
  const pad = Math.floor((kernel - 1) / 2);
  const pads = way === 'uneven' ? [...each(x, pad), ...each(x, pad + 1)] : [...each(x, pad), ...each(x, pad)];
  const dims = extents.map((e) => {
    if (way.startsWith('SAME')) return Math.ceil(e / stride);
    const padded = way === 'VALID' ? e : e + pad + (way === 'uneven' ? pad + 1 : pad);
    return Math.floor((padded - kernel) / stride) + 1;
  });
  const inputs = [x.name, d.weights([out, c / group, ...each(x, kernel)], (c / group) * kernel ** extents.length)];
  if (d.chance(0.7)) inputs.push(d.bias(out));
  const name = d.node('Conv', inputs, {
    kernel_shape: d.chance(0.7) ? each(x, kernel) : undefined,
    strides: each(x, stride),
    group,
    ...(way === 'pads' || way === 'uneven' ? { pads } : { auto_pad: way }),
  });
  return { name, dims: [1, out, ...dims] };
};

export const batchNorm: Block = (d, x) => {
  const c = x.dims[1];
  const stats = [d.numbers(c, 0.5, 1.5), d.numbers(c, -0.3, 0.3), d.numbers(c, -0.3, 0.3), d.numbers(c, 0.4, 1.6)];
  return d.same(x, 'BatchNormalization', { epsilon: float(1e-3) }, ...stats.map((s) => d.m.floats([c], s)));
};

export const activation: Block = (d, x) => {
  const { m } = d;
  switch (d.upTo(14)) {
    case 0:
      return d.same(x, 'Relu');
    case 1:
      return d.same(x, 'Clip', {}, m.scalar(0), m.scalar(d.pick(1, 6)));
    case 2:
      return d.same(x, 'LeakyRelu', { alpha: float(0.1) });
    case 3:
      return d.same(x, 'PRelu', {}, m.floats(channelShape(x), d.numbers(x.dims[1], 0.05, 0.5)));
    case 4:
      return d.same(x, d.pick('Elu', 'Selu', 'Softsign', 'Tanh'));
    case 5:
      return silu(d, x);
    case 6:
      return d.opset >= 14 ? d.same(x, 'HardSwish') : hardSwishParts(d, x);
    case 7:
      return hardSwishParts(d, x);
    case 8:
      return d.same(x, 'HardSigmoid', d.chance(0.5) ? { alpha: float(1 / 6), beta: float(0.5) } : {});
    case 9: {
      const erf = d.same(d.same(x, 'Div', {}, m.scalar(Math.SQRT2)), 'Erf');
      const plus = d.same(erf, 'Add', {}, m.scalar(1));
      return d.same(d.same(x, 'Mul', {}, plus.name), 'Mul', {}, m.scalar(0.5));
    }
    case 10:
      return d.same(x, 'Mul', {}, d.same(d.same(x, 'Softplus'), 'Tanh').name);
    case 11:
      return d.opset >= 20 ? d.same(x, 'Gelu') : d.same(x, 'Sigmoid');
    case 12:
      return d.same(d.same(x, 'Max', {}, m.scalar(-0.5)), 'Min', {}, m.scalar(0.75));
    default:
      return d.same(x, 'ThresholdedRelu', { alpha: float(0.2) });
  }
};

function silu(d: Draft, x: Value): Value {
  const gate = d.same(x, 'Sigmoid');
  return d.chance(0.5) ? d.same(x, 'Mul', {}, gate.name) : d.same(gate, 'Mul', {}, x.name);
}

function hardSwishParts(d: Draft, x: Value): Value {
  const { m } = d;
  const shifted = d.same(x, 'Add', {}, m.scalar(3));
  const clipped = d.same(shifted, 'Clip', {}, m.scalar(0), m.scalar(6));
  if (d.chance(0.5)) return d.same(d.same(x, 'Mul', {}, clipped.name), 'Div', {}, m.scalar(6));
  return d.same(x, 'Mul', {}, d.same(clipped, 'Mul', {}, m.scalar(1 / 6)).name);
}

/** A residual around a convolution, its sum in either order. */
export const residual: Block = (d, x) => {
  const c = x.dims[1];
  const w = d.weights([c, c, ...each(x, 3)], c * 3 ** spatial(x).length);
  const inner = d.same(x, 'Conv', { pads: [...each(x, 1), ...each(x, 1)] }, w, d.bias(c));
  const branch = d.chance(0.5) ? silu(d, inner) : activation(d, inner)!;
  const sum = d.chance(0.5) ? d.same(x, 'Add', {}, branch.name) : d.same(branch, 'Add', {}, x.name);
  return d.chance(0.3) ? d.same(sum, 'Relu') : sum;
};

export const squeezeExcite: Block = (d, x) => {
  const c = x.dims[1];
  const axes = spatial(x).map((_, i) => i + 2);
  const pooled = d.chance(0.5)
    ? { name: d.node('GlobalAveragePool', [x.name]), dims: [1, c, ...each(x, 1)] }
    : d.reduce(x, 'ReduceMean', axes, 1);
  const gate = d.same(pooled, 'Conv', {}, d.weights([c, c, ...each(x, 1)], c), d.bias(c));
  const opened = d.same(gate, d.pick('Sigmoid', 'HardSigmoid'));
  return d.chance(0.5)
    ? d.same(x, 'Mul', {}, opened.name)
    : { name: d.node('Mul', [opened.name, x.name]), dims: x.dims };
};

export const pool: Block = (d, x) => {
  const extents = spatial(x);
  if (Math.min(...extents) < LEAST + 1) return null;
  const op = d.pick('MaxPool', 'AveragePool');
  const kernel = d.pick(2, 3);
  const stride = d.pick(1, 2, 2, 3);
  const ceil = d.pick(0, 0, 1);
  const pad = kernel === 3 ? d.pick(0, 1) : 0;
  const dims = extents.map((e) => {
    const steps = (e + 2 * pad - kernel) / stride;
    const n = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that begins beyond the map and its padding before it is none.
    return (n - 1) * stride >= e + pad ? n - 1 : n;
  });
  const name = d.node(op, [x.name], {
    kernel_shape: each(x, kernel),
    strides: each(x, stride),
    pads: [...each(x, pad), ...each(x, pad)],
    ceil_mode: ceil === 1 ? 1 : undefined,
    count_include_pad: op === 'AveragePool' && d.chance(0.4) ? 1 : undefined,
  });
  return { name, dims: [...x.dims.slice(0, 2), ...dims] };
};

export const pad: Block = (d, x) => {
  const mode = d.pick('constant', 'constant', 'reflect', 'edge', 'negative');
  const extents = spatial(x);
  if (Math.min(...extents) < LEAST + 1) return null;
  const before = extents.map(() => (mode === 'negative' ? -d.upTo(2) : d.upTo(3)));
  const after = extents.map(() => (mode === 'negative' ? d.pick(-1, 1) : d.upTo(3)));
  const pads = [0, 0, ...before, 0, 0, ...after];
  const inputs = [x.name, d.m.int64s(pads)];
  if (mode === 'constant' && d.chance(0.6)) inputs.push(d.m.scalar(d.pick(0, 0, 0.4, -0.3)));
  return {
    name: d.node('Pad', inputs, { mode: mode === 'negative' ? 'constant' : mode }),
    dims: [...x.dims.slice(0, 2), ...extents.map((e, i) => e + before[i] + after[i])],
  };
};

export const slice: Block = (d, x) => {
  const axis = 1 + d.upTo(x.dims.length - 1);
  const n = x.dims[axis];
  if (n < 4) return null;
  const [start, end, step] = d.pick(
    [0, n - 1, 1],
    [1, 2 ** 31 - 1, 1],
    [-1, -(2 ** 31), -1],
    [-2, 0, -1],
    [0, n, 2],
    [1, 9999, 2],
    [-1, -n - 1, -2],
  );
  const at = (v: number, low: number, high: number): number => Math.max(low, Math.min(high, v < 0 ? v + n : v));
  const from = step > 0 ? at(start, 0, n) : at(start, 0, n - 1);
  const to = step > 0 ? at(end, 0, n) : end < -n ? -1 : at(end, -1, n - 1);
  const count = Math.max(0, Math.ceil((to - from) / step));
  const ints = (v: number): string => d.m.int64s([v]);
  return {
    name: d.node('Slice', [
      x.name,
      ints(start),
      ints(end),
      ints(d.chance(0.5) ? axis : axis - x.dims.length),
      ints(step),
    ]),
    dims: x.dims.map((e, i) => (i === axis ? count : e)),
  };
};

export const gather: Block = (d, x) => {
  const axis = 1 + d.upTo(x.dims.length - 1);
  const n = x.dims[axis];
  const indices = d.pick<() => number[]>(
    () => [...Array(n).keys()].reverse(),
    () => Array.from({ length: n }, () => d.upTo(n)),
    () => Array.from({ length: Math.max(4, n - 2) }, () => d.upTo(n) - n),
  )();
  return {
    name: d.node('Gather', [x.name, d.m.int64s(indices)], { axis }),
    dims: x.dims.map((e, i) => (i === axis ? indices.length : e)),
  };
};

/** Space to depth by strided slices, as YOLO begins. */
export const focus: Block = (d, x) => {
  const [, c, h, w] = x.dims;
  if (x.dims.length !== 4 || h % 2 !== 0 || w % 2 !== 0 || h < 8 || w < 8) return null;
  const part = (v: string, start: number, axis: number): string =>
    d.node('Slice', [v, d.m.int64s([start]), d.m.int64s([2 ** 31 - 1]), d.m.int64s([axis]), d.m.int64s([2])]);
  const parts = [0, 1, 2, 3].map((i) => part(part(x.name, i % 2, 2), i >> 1, 3));
  return { name: d.node('Concat', parts, { axis: 1 }), dims: [1, 4 * c, h / 2, w / 2] };
};

export const depthToSpace: Block = (d, x) => {
  const [, c, h, w] = x.dims;
  if (x.dims.length !== 4) return null;
  if (c % 4 === 0 && h * w < 200)
    return {
      name: d.node('DepthToSpace', [x.name], { blocksize: 2, mode: d.pick('DCR', 'CRD') }),
      dims: [1, c / 4, 2 * h, 2 * w],
    };
  if (h % 2 === 0 && w % 2 === 0 && Math.min(h, w) >= 2 * LEAST)
    return { name: d.node('SpaceToDepth', [x.name], { blocksize: 2 }), dims: [1, 4 * c, h / 2, w / 2] };
  return null;
};

export const channelShuffle: Block = (d, x) => {
  const [, c, ...rest] = x.dims;
  const groups = d.pick(2, 3, 4);
  if (c % groups !== 0) return null;
  const split = d.reshape(x, [1, groups, c / groups, ...rest]);
  const turned = d.transpose(split, [0, 2, 1, ...rest.map((_, i) => i + 3)]);
  return d.reshape(
    turned,
    [d.pick(1, -1), c, ...rest].map((n, i) => (i === 0 ? 1 : n)),
  );
};

export const splitConcat: Block = (d, x) => {
  const c = x.dims[1];
  if (c < 3) return null;
  const sizes = [1, c - 1];
  const outputs = sizes.map((_, i) => `${x.name}_part${i}`);
  if (d.opset >= 13) d.m.node('Split', [x.name, d.m.int64s(sizes)], { axis: 1 }, { outputs });
  else d.m.node('Split', [x.name], { axis: 1, split: sizes }, { outputs });
  const changed = d.same({ name: outputs[1], dims: x.dims }, d.pick('Relu', 'Sigmoid', 'Identity'));
  return { name: d.node('Concat', [changed.name, outputs[0]], { axis: d.pick(1, 1 - x.dims.length) }), dims: x.dims };
};

export const convTranspose: Block = (d, x) => {
  const [, c, ...extents] = x.dims;
  if (Math.max(...extents) > 24) return null;
  const kernel = d.pick(2, 3, 4);
  const out = d.pick(3, 4, 6);
  const pad = kernel === 2 ? 0 : 1;
  const more = kernel === 3 ? d.pick(0, 1) : 0;
  const name = d.node('ConvTranspose', [x.name, d.weights([c, out, ...each(x, kernel)], c * 2), d.bias(out)], {
    strides: each(x, 2),
    pads: [...each(x, pad), ...each(x, pad)],
    output_padding: more ? each(x, more) : undefined,
  });
  return { name, dims: [1, out, ...extents.map((e) => 2 * (e - 1) + kernel - 2 * pad + more)] };
};

export const resize: Block = (d, x) => {
  if (x.dims.length !== 4 || product(x.dims) > 2000) return null;
  const [mode, way] = d.pick(
    ['nearest', 'asymmetric'],
    ['linear', 'half_pixel'],
    ['linear', 'align_corners'],
    ['nearest', 'half_pixel'],
  );
  const name = d.node(
    'Resize',
    [x.name, d.opset < 13 ? d.m.floats([8], [0, 0, 0, 0, 1, 1, 1, 1]) : '', d.m.floats([4], [1, 1, 2, 2])],
    {
      mode,
      coordinate_transformation_mode: way,
      nearest_mode: mode === 'nearest' ? d.pick('floor', 'round_prefer_floor') : undefined,
    },
  );
  return { name, dims: [1, x.dims[1], 2 * x.dims[2], 2 * x.dims[3]] };
};

/** Arithmetic with constants, as numbers, by channel, or as a subgraph of constants that nothing folded. */
export const constants: Block = (d, x) => {
  const c = x.dims[1];
  const { m } = d;
  const shape = [1, ...channelShape(x)];
  const one = m.floats(shape, d.numbers(c, 0.5, 1.5));
  const folded: Record<string, () => string> = {
    Tile: () => d.node('Tile', [m.floats([1, 1, ...each(x, 1)], [0.7]), m.int64s([1, c, ...each(x, 1)])]),
    Where: () =>
      d.node('Where', [d.node('Greater', [one, m.scalar(1)]), m.scalar(1.25), d.node('Sqrt', [d.node('Abs', [one])])]),
    Expand: () => d.node('Expand', [m.scalar(0.8), m.int64s(shape)]),
    ConstantOfShape: () => d.node('ConstantOfShape', [m.int64s(shape)], { value: { dims: [1], data: [0.9] } }),
    Sum: () => d.node('Div', [one, d.reduce({ name: one, dims: shape }, 'ReduceSum', [1], 1).name]),
    plain: () => one,
    scalar: () => m.scalar(d.pick(0.5, 2, -1)),
  };
  const value = folded[d.pick(...Object.keys(folded))]();
  const op = d.pick('Mul', 'Add', 'Sub', 'Div');
  if (op === 'Sub' && d.chance(0.5)) return { name: d.node('Sub', [value, x.name]), dims: x.dims };
  return d.same(x, op, {}, value);
};

/** Layers that work with the channels last, between two transposes. */
export const channelsLast: Block = (d, x) => {
  const rank = x.dims.length;
  const last = [0, ...spatial(x).map((_, i) => i + 2), 1];
  const first = [0, rank - 1, ...spatial(x).map((_, i) => i + 1)];
  const turned = d.transpose(x, last);
  const c = x.dims[1];
  const inner = d.chance(0.5)
    ? d.same(d.same(turned, 'Mul', {}, d.m.floats([c], d.numbers(c, 0.5, 1.5))), 'Add', {}, d.bias(c))
    : d.same(d.same(turned, 'MatMul', {}, d.weights([c, c], c)), 'Relu');
  return d.transpose(inner, first);
};
