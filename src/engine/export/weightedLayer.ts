import type { Graph, WeightedLayer } from '../graph/types';
import { ConstantPool } from '../program/constants';
import { WeightedLowering } from '../program/lowering/weighted';
import { rowLayout } from '../quantize/weights';
import type { LayerParameters, MapFormat } from '../quantize/types';
import { toRow } from './layout';
import type { OnnxWriter } from './onnxWriter';
import { windowAttributes } from './window';

/**
 * A layer with weights on a fake-quantized input of [1, C, H, W]. Accumulator units and the bias, rounded to them, are
 * the firmware's: with few bits and few inputs a unit is a good part of an output code, and in channels of a map that
 * is always 0 it is a coarser one than the scales say. Weights are stored as their int8 codes: DequantizeLinear by
 * output channel, then divided by the scales of the input's channels, which the codes hold folded in.
 */
export function weightedLayer(
  writer: OnnxWriter,
  graph: Graph,
  layer: WeightedLayer,
  parameters: LayerParameters,
  input: MapFormat,
  output: MapFormat,
  value: string,
): string {
  const { name } = layer;
  const outC = graph.maps[layer.output].shape.c;
  const { shape } = graph.maps[layer.inputs[0]];
  const { units, roundedBias } = new WeightedLowering(graph, layer, parameters, input, output, new ConstantPool());
  const { order, dims } = onnxWeights(layer, outC);
  const weights = dequantized(
    writer,
    layer,
    outC,
    shape.c,
    dims,
    Int8Array.from(order, (i) => parameters.codes[i]),
    units,
    input.scales,
  );
  const bias = writer.floats(`${name}/bias`, [outC], roundedBias);
  if (layer.kind === 'fullyConnected') {
    const sums = writer.node('Gemm', `${name}/gemm`, [toRow(writer, name, value, shape), weights, bias], { transB: 1 });
    return writer.node('Reshape', `${name}/map`, [sums, writer.int64s(`${name}/map_shape`, [1, outC, 1, 1])]);
  }
  return writer.node('Conv', `${name}/conv`, [value, weights, bias], {
    ...windowAttributes(layer.window),
    group: layer.kind === 'depthwise' ? outC : layer.group,
  });
}

/**
 * Real weights of the codes. The scales of the input's channels leave them by output channel where that is possible,
 * else by a division.
 */
function dequantized(
  writer: OnnxWriter,
  layer: WeightedLayer,
  outC: number,
  inC: number,
  dims: readonly number[],
  codes: Int8Array,
  weightScales: Float64Array,
  inputScales: Float64Array,
): string {
  const { name } = layer;
  const uniform = inputScales.every((s) => s === inputScales[0]);
  const byOutput = uniform || layer.kind === 'depthwise';
  const own = weightScales.map((s, o) => (byOutput ? s / inputScales[uniform ? 0 : o] : s));
  const stored = [
    writer.constant(`${name}/codes`, 'int8', dims, codes),
    writer.floats(`${name}/weight_scale`, [outC], own),
    writer.constant(`${name}/weight_zero_point`, 'int8', [outC], new Int8Array(outC)),
  ];
  const weights = writer.node('DequantizeLinear', `${name}/weights`, stored, { axis: 0 });
  if (byOutput) return weights;
  const group = layer.kind === 'conv' ? layer.group : 1;
  const perGroup = inC / group;
  const scales =
    layer.kind === 'fullyConnected'
      ? writer.floats(
          `${name}/input_scale`,
          [1, dims[1]],
          Float64Array.from({ length: dims[1] }, (_, i) => inputScales[i % inC]),
        )
      : group === 1
        ? writer.floats(`${name}/input_scale`, [1, inC, 1, 1], inputScales)
        : writer.floats(
            `${name}/input_scale`,
            [outC, perGroup, 1, 1],
            Float64Array.from(
              { length: outC * perGroup },
              (_, i) => inputScales[Math.floor(i / perGroup / (outC / group)) * perGroup + (i % perGroup)],
            ),
          );
  return writer.node('Div', `${name}/unfolded`, [weights, scales]);
}

/**
 * Where each of ONNX's weights lies in the graph's, and their dimensions: [outC][inC/group][kH][kW] for convolutions.
 */
function onnxWeights(layer: WeightedLayer, outC: number): { order: Int32Array; dims: number[] } {
  const { stride, count, step } = rowLayout(layer, outC);
  if (layer.kind === 'fullyConnected')
    return { order: Int32Array.from({ length: layer.weights.length }, (_, i) => i), dims: [outC, count] };
  const taps = layer.window.kernelH * layer.window.kernelW;
  const inC = count / taps;
  const order = Int32Array.from({ length: layer.weights.length }, (_, i) => {
    const o = Math.floor(i / count);
    const c = Math.floor((i % count) / taps);
    const tap = i % taps;
    return o * stride + (tap * inC + c) * step;
  });
  return { order, dims: [outC, inC, layer.window.kernelH, layer.window.kernelW] };
}
