import * as assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { evaluateFloat } from '../../src/engine/graph/evaluate';
import type { Graph, TensorBinding } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import type { ImportOptions } from '../../src/engine/onnx';
import { halfToFloat } from '../../src/engine/onnx/tensorData';
import { floatToHalf, type OnnxBuilder } from './onnxBuilder';

/** Deterministic numbers in [−1, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function randomArray(count: number, random: () => number, scale = 1): number[] {
  return Array.from({ length: count }, () => Math.fround(random() * scale));
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

/** Values for one input, in ONNX order. */
function inputValues(binding: TensorBinding, random: () => number, scale: number): Float32Array {
  const whole = binding.elementType === 'uint8' || binding.elementType === 'int8';
  const offset = binding.elementType === 'uint8' ? 128 : 0;
  return Float32Array.from({ length: count(binding.dims) }, () => {
    const v = random() * scale;
    if (whole) return Math.floor(random() * 127) + offset;
    return binding.elementType === 'float16' ? halfToFloat(floatToHalf(v)) : v;
  });
}

function toTensor(binding: TensorBinding, values: Float32Array): Tensor {
  switch (binding.elementType) {
    case 'float32':
      return new Tensor('float32', values, binding.dims);
    case 'float16':
      return new Tensor('float16', Uint16Array.from(values, floatToHalf), binding.dims);
    case 'uint8':
      return new Tensor('uint8', Uint8Array.from(values), binding.dims);
    case 'int8':
      return new Tensor('int8', Int8Array.from(values), binding.dims);
  }
}

function toFloats(tensor: Tensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  assert.equal(tensor.type, 'float16');
  const data = tensor.data as unknown as ArrayLike<number> & ArrayBufferView;
  // Newer runtimes return a Float16Array, older ones its bits.
  return data instanceof Uint16Array ? Float32Array.from(data, halfToFloat) : Float32Array.from(data);
}

/** Elements in ONNX order from elements in HWC order. */
export function toOnnxOrder(hwc: Float32Array, order: Int32Array | null): Float32Array {
  return order ? Float32Array.from(order, (i) => hwc[i]) : hwc;
}

function toHwcOrder(onnx: Float32Array, order: Int32Array | null): Float32Array {
  if (!order) return onnx;
  const hwc = new Float32Array(onnx.length);
  order.forEach((to, i) => (hwc[to] = onnx[i]));
  return hwc;
}

export interface OracleOptions extends ImportOptions {
  readonly seed?: number;
  /** Magnitude of the random inputs. */
  readonly scale?: number;
  /** Largest difference allowed, relative to the largest output of onnxruntime. */
  readonly tolerance?: number;
}

/**
 * Imports a model, evaluates the graph in float and compares every output with onnxruntime's on the same random input.
 *
 * @returns the graph, for assertions on its structure, and the largest relative difference
 */
export async function matchesOnnxruntime(
  file: string,
  options: OracleOptions = {},
): Promise<{ graph: Graph; difference: number }> {
  const graph = await importModel(file, options);
  const random = randomNumbers(options.seed ?? 1);
  const onnx = graph.inputs.map((binding) => inputValues(binding, random, options.scale ?? 1));
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  let difference = 0;
  try {
    const expected = await session.run(
      Object.fromEntries(graph.inputs.map((binding, i) => [binding.name, toTensor(binding, onnx[i])])),
    );

    const maps = evaluateFloat(
      graph,
      graph.inputs.map((binding, i) => toHwcOrder(onnx[i], binding.order)),
    );
    for (const binding of graph.outputs) {
      const tensor = expected[binding.name];
      assert.deepEqual([...binding.dims], [...tensor.dims], `dims of ${binding.name}`);
      difference = Math.max(
        difference,
        relativeDifference(toOnnxOrder(maps.get(binding.map)!, binding.order), toFloats(tensor)),
      );
    }
  } finally {
    await session.release();
  }
  const tolerance = options.tolerance ?? 1e-4;
  assert.ok(
    difference <= tolerance,
    `differs from onnxruntime by ${difference.toExponential(2)} of its range, more than ${tolerance}`,
  );
  return { graph, difference };
}

/** Largest difference in units of the largest reference value (at least 1e-3, so that outputs of zeros compare). */
export function relativeDifference(actual: Float32Array, reference: Float32Array): number {
  assert.equal(actual.length, reference.length);
  let range = 1e-3;
  let largest = 0;
  for (let i = 0; i < reference.length; i++) {
    range = Math.max(range, Math.abs(reference[i]));
    const difference = Math.abs(actual[i] - reference[i]);
    // Also catches NaN on one side.
    if (!(difference <= largest)) largest = difference;
  }
  return largest / range;
}

/** Kinds of a graph's layers, in order. */
export function kinds(graph: Graph): string[] {
  return graph.layers.map((layer) => layer.kind);
}

/**
 * Observes taps: every feature map of a model, as onnxruntime sees the values that {@link Graph.taps} names, equals the
 * evaluated map. The file is rewritten with those values as outputs by appending to its protobuf (repeated messages
 * merge).
 */
export async function tapsMatch(
  content: Uint8Array,
  graph: Graph,
  options: { readonly seed?: number; readonly tolerance?: number } = {},
): Promise<number> {
  const { ProtoWriter } = await import('./onnxBuilder');
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const inputs = new Set(graph.inputs.map((input) => input.name));
  const extra = new ProtoWriter();
  const wanted = [...graph.taps].filter(([, tap]) => !inputs.has(tap.value));
  for (const name of new Set(wanted.flatMap(([, tap]) => [tap.value, tap.preClamp ?? tap.value])))
    if (!outputs.has(name)) extra.message(12, new ProtoWriter().text(1, name));
  const bytes = Buffer.concat([content, new ProtoWriter().message(7, extra).finish()]);
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  const random = randomNumbers(options.seed ?? 1);
  const onnx = graph.inputs.map((binding) => inputValues(binding, random, 1));
  const seen = await session.run(
    Object.fromEntries(graph.inputs.map((binding, i) => [binding.name, toTensor(binding, onnx[i])])),
  );

  const maps = evaluateFloat(
    graph,
    graph.inputs.map((binding, i) => toHwcOrder(onnx[i], binding.order)),
  );
  for (const [id, tap] of wanted) {
    const { shape, name } = graph.maps[id];
    const actual = maps.get(id)!;
    const order = tap.order === 'NCHW' ? nchwOrder(shape) : tap.order;
    const difference = relativeDifference(toOnnxOrder(actual, order), toFloats(seen[tap.value]));
    assert.ok(difference <= (options.tolerance ?? 1e-4), `map ${name} differs from ${tap.value} by ${difference}`);
    if (tap.preClamp === null) continue;
    const producer = graph.layers[graph.maps[id].producer!];
    assert.ok('clamp' in producer, `${producer.name} has a preClamp but no clamp`);
    const { min, max } = producer.clamp;
    const raw = toFloats(seen[tap.preClamp]).map((v) => Math.min(max ?? Infinity, Math.max(min ?? -Infinity, v)));
    assert.ok(
      relativeDifference(toOnnxOrder(actual, order), raw) <= (options.tolerance ?? 1e-4),
      `clamped ${tap.preClamp} is not ${name}`,
    );
  }
  await session.release();
  return wanted.length;
}

function nchwOrder({ h, w, c }: { h: number; w: number; c: number }): Int32Array {
  return Int32Array.from({ length: h * w * c }, (_, i) => (i % (h * w)) * c + Math.floor(i / (h * w)));
}

/** An initializer of random floats. @returns its name */
export function randomFloats(m: OnnxBuilder, random: () => number, dims: readonly number[], scale = 1): string {
  return m.floats(
    dims,
    randomArray(
      dims.reduce((a, b) => a * b, 1),
      random,
      scale,
    ),
  );
}
