import { evaluateConv, evaluateDepthwise, evaluateFullyConnected } from './evaluateLinear';
import { evaluateAveragePool, evaluateMaxPool, evaluateResize } from './evaluateWindow';
import { activationFunction } from './functions';
import type { Clamp, Graph, Layer, MapId, NormalizeLayer, Shape } from './types';
import { elements } from './types';

/**
 * Runs a graph in float arithmetic, one layer after the other: the meaning of every layer kind in plain code. Sums are
 * formed in double precision, results are rounded to float32.
 *
 * @param inputs one HWC array per `graph.inputs`
 * @returns every feature map, HWC
 */
export function evaluateFloat(graph: Graph, inputs: readonly Float32Array[]): Map<MapId, Float32Array> {
  const maps = new Map<MapId, Float32Array>();
  graph.inputs.forEach((binding, i) => {
    const expected = elements(graph.maps[binding.map].shape);
    if (inputs[i]?.length !== expected)
      throw new RangeError(`input ${i} has ${inputs[i]?.length ?? 0} elements instead of ${expected}`);
    maps.set(binding.map, inputs[i]);
  });
  for (const layer of graph.layers) {
    const operands = layer.inputs.map((id) => maps.get(id)!);
    const shapes = layer.inputs.map((id) => graph.maps[id].shape);
    maps.set(layer.output, evaluateLayer(layer, operands, shapes, graph.maps[layer.output].shape));
  }
  return maps;
}

/**
 * One layer in float arithmetic.
 *
 * @param inputs HWC arrays of the given `shapes`
 * @returns the HWC output of shape `output`
 */
export function evaluateLayer(
  layer: Layer,
  inputs: readonly Float32Array[],
  shapes: readonly Shape[],
  output: Shape,
): Float32Array {
  const [x] = inputs;
  const [shape] = shapes;
  switch (layer.kind) {
    case 'conv':
      return clamped(evaluateConv(layer, x, shape, output), layer.clamp);
    case 'depthwise':
      return clamped(evaluateDepthwise(layer, x, shape, output), layer.clamp);
    case 'fullyConnected':
      return clamped(evaluateFullyConnected(layer, x), layer.clamp);
    case 'add':
      return clamped(evaluateAdd(layer.signs, inputs, shapes, output), layer.clamp);
    case 'mul':
      return clamped(evaluateMul(inputs, shapes, output), layer.clamp);
    case 'concat':
      return evaluateConcat(layer.axis, inputs, shapes, output);
    case 'maxPool':
      return evaluateMaxPool(layer, x, shape, output);
    case 'averagePool':
      return evaluateAveragePool(layer, x, shape, output);
    case 'pad':
      return evaluatePad(x, shape, output, layer.padding.top, layer.padding.left, layer.value);
    case 'resize':
      return evaluateResize(layer, x, shape, output);
    case 'activation':
      return x.map(activationFunction(layer.fn));
    case 'prelu':
      return x.map((v, i) => (v < 0 ? v * layer.slopes[i % shape.c] : v));
    case 'slice':
      return evaluateSlice(x, shape, layer.begin, output);
    case 'softmax':
      return evaluateSoftmax(x, shape.c);
    case 'normalize':
      return evaluateNormalize(layer, x, shape.c);
    case 'reshape':
      return x.slice();
    case 'permute':
      return Float32Array.from(layer.permutation, (from) => x[from]);
  }
}

function clamped(values: Float32Array, { min, max }: Clamp): Float32Array {
  if (min !== null) for (let i = 0; i < values.length; i++) if (values[i] < min) values[i] = min;
  if (max !== null) for (let i = 0; i < values.length; i++) if (values[i] > max) values[i] = max;
  return values;
}

/** Index of an operand's element for output element i: the same, or its channel when the operand is 1×1×C. */
function isVector(shape: Shape, output: Shape): boolean {
  return shape.h === 1 && shape.w === 1 && (output.h > 1 || output.w > 1);
}

function evaluateAdd(
  signs: readonly number[],
  inputs: readonly Float32Array[],
  shapes: readonly Shape[],
  output: Shape,
): Float32Array {
  const sum = new Float64Array(elements(output));
  inputs.forEach((x, n) => {
    const sign = signs[n];
    const period = isVector(shapes[n], output) ? output.c : sum.length;
    for (let i = 0; i < sum.length; i++) sum[i] += sign * x[i % period];
  });
  return Float32Array.from(sum);
}

function evaluateMul([a, b]: readonly Float32Array[], shapes: readonly Shape[], output: Shape): Float32Array {
  const y = new Float32Array(elements(output));
  const periodA = isVector(shapes[0], output) ? output.c : y.length;
  const periodB = isVector(shapes[1], output) ? output.c : y.length;
  for (let i = 0; i < y.length; i++) y[i] = a[i % periodA] * b[i % periodB];
  return y;
}

function evaluateConcat(
  axis: 'h' | 'w' | 'c',
  inputs: readonly Float32Array[],
  shapes: readonly Shape[],
  output: Shape,
): Float32Array {
  const y = new Float32Array(elements(output));
  // Each input contributes one run of consecutive elements per step of the axes outside the joined one.
  const runOf = (s: Shape): number => (axis === 'h' ? s.h * s.w * s.c : axis === 'w' ? s.w * s.c : s.c);
  const runs = axis === 'h' ? 1 : axis === 'w' ? output.h : output.h * output.w;
  let at = 0;
  for (let run = 0; run < runs; run++) {
    inputs.forEach((x, n) => {
      const length = runOf(shapes[n]);
      y.set(x.subarray(run * length, (run + 1) * length), at);
      at += length;
    });
  }
  return y;
}

function evaluatePad(
  x: Float32Array,
  shape: Shape,
  output: Shape,
  top: number,
  left: number,
  value: number,
): Float32Array {
  const y = new Float32Array(elements(output)).fill(value);
  const row = shape.w * shape.c;
  for (let r = 0; r < shape.h; r++) y.set(x.subarray(r * row, (r + 1) * row), ((r + top) * output.w + left) * output.c);
  return y;
}

function evaluateSlice(x: Float32Array, shape: Shape, begin: number, output: Shape): Float32Array {
  const y = new Float32Array(elements(output));
  const pixels = output.h * output.w;
  for (let p = 0; p < pixels; p++) y.set(x.subarray(p * shape.c + begin, p * shape.c + begin + output.c), p * output.c);
  return y;
}

function evaluateSoftmax(x: Float32Array, channels: number): Float32Array {
  const y = new Float32Array(x.length);
  for (let p = 0; p < x.length; p += channels) {
    let max = -Infinity;
    for (let c = 0; c < channels; c++) max = Math.max(max, x[p + c]);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += y[p + c] = Math.exp(x[p + c] - max);
    for (let c = 0; c < channels; c++) y[p + c] /= sum;
  }
  return y;
}

function evaluateNormalize(
  { centered, mean, epsilon }: NormalizeLayer,
  x: Float32Array,
  channels: number,
): Float32Array {
  const y = new Float32Array(x.length);
  for (let p = 0; p < x.length; p += channels) {
    const pixel = x.subarray(p, p + channels);
    const middle = centered ? pixel.reduce((sum, v) => sum + v, 0) / channels : 0;
    const squares = pixel.reduce((sum, v) => sum + (v - middle) ** 2, 0);
    const size = Math.sqrt((mean ? squares / channels : squares) + epsilon);
    // A pixel of zeros has no direction.
    for (let c = 0; c < channels; c++) y[p + c] = size > 0 ? (pixel[c] - middle) / size : 0;
  }
  return y;
}
