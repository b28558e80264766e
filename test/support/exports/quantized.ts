import type { OnnxType } from '../onnxBuilder';
import type { Block } from './blocks';
import { type Draft, product, type Value } from './draft';

/** Parts that were quantized, or are stored in fewer bits, before QuantMCU gets them. */

function fake(d: Draft, x: Value, scale: number, zero: number, type: OnnxType): Value {
  const more = [d.m.scalar(scale), d.m.scalar(zero, type)];
  return d.same(d.same(x, 'QuantizeLinear', {}, ...more), 'DequantizeLinear', {}, ...more);
}

/** A convolution in QDQ: weights of 8 bits per channel, or of 4, or of floats; a ReLU that stands or was removed. */
export const qdqConv: Block = (d, x) => {
  const c = x.dims[1];
  const out = d.pick(4, 6);
  const window = x.dims.slice(2).map(() => 3);
  const dims = [out, c, ...window];
  const sums = product(dims) / out;
  const bits = d.opset >= 21 ? d.pick(8, 4) : 8;
  const most = 2 ** (bits - 1) - 1;
  const codes = d.numbers(product(dims), -most, most).map(Math.round);
  const scale = 1.5 / Math.sqrt(sums) / most;
  const stored = d.m.initializer({ dims, data: codes, type: bits === 4 ? 'int4' : 'int8', typed: d.chance(0.5) });
  // One scale for each channel has come with opset 13.
  const perChannel = d.chance(0.6) && d.opset >= 13;
  const scales = perChannel ? d.m.floats([out], d.numbers(out, 0.8 * scale, 1.2 * scale)) : d.m.scalar(scale);
  const w = d.node('DequantizeLinear', [stored, scales], perChannel ? { axis: 0 } : {});
  const input = d.chance(0.6) ? fake(d, x, 0.02, 128, 'uint8') : x;
  const bias = d.chance(0.5)
    ? d.node('DequantizeLinear', [
        d.m.initializer({ dims: [out], data: d.numbers(out, -200, 200).map(Math.round), type: 'int32' }),
        d.m.scalar(0.02 * scale),
      ])
    : d.bias(out);
  const name = d.node('Conv', [input.name, w, bias], { pads: [...window, ...window].map(() => 1) });
  const sum: Value = { name, dims: [1, out, ...x.dims.slice(2)] };
  const end = d.pick('removed', 'kept', 'signed', 'none');
  if (end === 'none') return sum;
  if (end === 'signed') return fake(d, sum, 0.03, 0, 'int8');
  return fake(d, end === 'kept' ? d.same(sum, 'Relu') : sum, 0.012, 0, 'uint8');
};

/** Half precision between two casts. */
export const half: Block = (d, x) => {
  const c = x.dims[1];
  const dims = [c, c, ...x.dims.slice(2).map(() => 1)];
  const w = d.m.initializer({ dims, data: d.numbers(c * c, -1 / Math.sqrt(c), 1 / Math.sqrt(c)), type: 'float16' });
  return d.same(d.same(d.same(x, 'Cast', { to: 10 }), 'Conv', {}, w), 'Cast', { to: 1 });
};
