import { float } from '../onnxBuilder';
import type { Block } from './blocks';
import { product } from './draft';

const epsilon = { epsilon: float(1e-5) };

export const instanceNorm: Block = (d, x) => {
  const c = x.dims[1];
  if (product(x.dims.slice(2)) < 4) return null;
  return d.same(x, 'InstanceNormalization', epsilon, d.m.floats([c], d.numbers(c, 0.5, 1.5)), d.bias(c));
};

/** As a node, or as torch writes it before there was one. */
export const groupNorm: Block = (d, x) => {
  const c = x.dims[1];
  const groups = c % 2 === 0 ? 2 : 1;
  if (product(x.dims) / groups < 8) return null;
  if (d.opset >= 21)
    return d.same(
      x,
      'GroupNormalization',
      { ...epsilon, num_groups: groups },
      d.m.floats([c], d.numbers(c, 0.5, 1.5)),
      d.bias(c),
    );
  const grouped = d.reshape(x, [1, groups, product(x.dims) / groups]);
  const ones = d.m.floats([groups], Array<number>(groups).fill(1));
  const zeros = d.m.floats([groups], Array<number>(groups).fill(0));
  const back = d.reshape(d.same(grouped, 'InstanceNormalization', epsilon, ones, zeros), x.dims);
  const shape = [c, ...x.dims.slice(2).map(() => 1)];
  const scaled = d.same(back, 'Mul', {}, d.m.floats(shape, d.numbers(c, 0.5, 1.5)));
  return d.same(scaled, 'Add', {}, d.m.floats(shape, d.numbers(c, -0.3, 0.3)));
};

/** Over the channels of each pixel, which stand last for it. */
export const layerNorm: Block = (d, x) => {
  const c = x.dims[1];
  // Of one channel nothing is left, and of two their sign.
  if (c < 3) return null;
  const rank = x.dims.length;
  const places = [...Array(rank).keys()];
  const turned = d.transpose(x, [0, ...places.slice(2), 1]);
  const [gain, bias] = [d.m.floats([c], d.numbers(c, 0.5, 1.5)), d.bias(c)];
  let inner;
  if (d.opset >= 17) inner = d.same(turned, 'LayerNormalization', { axis: -1, ...epsilon }, gain, bias);
  else {
    const centered = d.same(turned, 'Sub', {}, d.reduce(turned, 'ReduceMean', [-1], 1).name);
    const squares = d.same(centered, 'Pow', {}, d.m.scalar(2));
    const variance = d.reduce(squares, 'ReduceMean', [-1], 1);
    const deviation = d.same(d.same(variance, 'Add', {}, d.m.scalar(1e-5)), 'Sqrt');
    inner = d.same(d.same(d.same(centered, 'Div', {}, deviation.name), 'Mul', {}, gain), 'Add', {}, bias);
  }
  return d.transpose(inner, [0, rank - 1, ...places.slice(1, -1)]);
};

/** Unit length over the channels. */
export const unitLength: Block = (d, x) => {
  if (x.dims[1] < 2) return null;
  if (d.chance(0.5)) return d.same(x, 'LpNormalization', { axis: 1, p: 2 });
  return d.same(x, 'Div', {}, d.same(d.reduce(x, 'ReduceL2', [1], 1), 'Clip', {}, d.m.scalar(1e-12)).name);
};
