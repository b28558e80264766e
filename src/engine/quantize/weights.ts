import type { Graph, WeightedLayer } from '../graph/types';
import type { WeightBits } from '../graph/bits';
import type { LayerParameters, MapFormat } from './types';

/**
 * Fractions of the row's largest magnitude that are tried as the largest code; outliers of a row cost the others
 * resolution.
 */
const FRACTIONS_4 = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];

/** Units of an accumulator that a bias and a zero point may have where codes of 16 bits are read. */
const LARGEST_BIAS = 2 ** 28;

/**
 * Integer weights by rounding to nearest, one scale per output channel, the input map's scales folded in (see {@link
 * LayerParameters}). 8 bits: largest magnitude of the row at ±127. 4 bits: ±7 at the fraction of it with the least
 * squared error.
 *
 * @param input format of the codes that the layer reads
 * @param offset real value that code z_c of the input really represents (0 unless the input is an image whose mean is
 * not an integer), [C] or [1]
 * @param outputSpan largest magnitude of what the layer writes
 */
export function roundWeights(
  graph: Graph,
  layer: WeightedLayer,
  weightBits: WeightBits,
  input: MapFormat,
  offset: Float64Array | null,
  outputSpan: number,
): LayerParameters {
  const outC = graph.maps[layer.output].shape.c;
  const folded = foldScales(graph, layer, input.scales);
  const codes = new Int8Array(folded.length);
  const weightScales = new Float64Array(outC);
  const { stride, count, step } = rowLayout(layer, outC);
  for (let o = 0; o < outC; o++) {
    const least = input.bits === 16 ? leastWeightScale(layer.bias[o], outputSpan) : 0;
    weightScales[o] = roundRow(folded, codes, o * stride, count, step, weightBits, least);
  }
  return { layer: layer.id, weightBits, codes, weightScales, bias: foldOffset(graph, layer, offset) };
}

/**
 * Of 16 bits, steps may be so fine that 32 bits do not hold the bias and the output's zero point: the least step of an
 * accumulator with which they do.
 */
export function leastWeightScale(bias: number, outputSpan: number): number {
  return (Math.abs(bias) + 2 * outputSpan) / LARGEST_BIAS;
}

/**
 * Where row o of a layer's weights lies: elements o·stride + k·step, k < count. Depthwise weights are [kH][kW][C], the
 * others [outC][…].
 */
export function rowLayout(layer: WeightedLayer, outC: number): { stride: number; count: number; step: number } {
  const count = layer.weights.length / outC;
  return layer.kind === 'depthwise' ? { stride: 1, count, step: outC } : { stride: count, count, step: 1 };
}

/** Weights times the scale of the input channel that they multiply. */
export function foldScales(graph: Graph, layer: WeightedLayer, scales: Float64Array): Float64Array {
  const outC = graph.maps[layer.output].shape.c;
  const inC = graph.maps[layer.inputs[0]].shape.c;
  const result = Float64Array.from(layer.weights);
  if (scales.length === 1) return result.map((w) => w * scales[0]);
  const channelOf = inputChannel(layer, inC, outC);
  for (let i = 0; i < result.length; i++) result[i] *= scales[channelOf(i)];
  return result;
}

/** The input channel that weight i multiplies. */
export function inputChannel(layer: WeightedLayer, inC: number, outC: number): (i: number) => number {
  if (layer.kind !== 'conv' || layer.group === 1) return (i) => i % inC;
  const perGroup = inC / layer.group;
  const perOut = layer.weights.length / outC;
  const outPerGroup = outC / layer.group;
  return (i) => Math.floor(Math.floor(i / perOut) / outPerGroup) * perGroup + (i % perGroup);
}

function foldOffset(graph: Graph, layer: WeightedLayer, offset: Float64Array | null): Float64Array {
  const outC = graph.maps[layer.output].shape.c;
  const bias = Float64Array.from(layer.bias);
  if (offset === null || offset.every((v) => v === 0)) return bias;
  const inC = graph.maps[layer.inputs[0]].shape.c;
  const channelOf = inputChannel(layer, inC, outC);
  const { stride, count, step } = rowLayout(layer, outC);
  for (let o = 0; o < outC; o++) {
    for (let k = 0; k < count; k++) {
      const i = o * stride + k * step;
      bias[o] += layer.weights[i] * offset[offset.length === 1 ? 0 : channelOf(i)];
    }
  }
  return bias;
}

function roundRow(
  values: Float64Array,
  codes: Int8Array,
  first: number,
  count: number,
  step: number,
  weightBits: WeightBits,
  least: number,
): number {
  const top = weightBits === 8 ? 127 : 7;
  let largest = 0;
  for (let k = 0; k < count; k++) largest = Math.max(largest, Math.abs(values[first + k * step]));
  if (largest === 0) return 1;
  let best = Math.max(largest / top, least);
  if (weightBits === 4) {
    let smallest = Infinity;
    for (const fraction of FRACTIONS_4) {
      const scale = (largest * fraction) / top;
      let error = 0;
      // What is no better than another one so far does not get better.
      for (let k = 0; k < count && error < smallest; k++) {
        const v = values[first + k * step];
        const d = v - scale * Math.max(-top, Math.min(top, Math.round(v / scale)));
        error += d * d;
      }
      if (error < smallest) {
        smallest = error;
        best = scale;
      }
    }
  }
  for (let k = 0; k < count; k++) {
    const i = first + k * step;
    codes[i] = Math.max(-top, Math.min(top, Math.round(values[i] / best)));
  }
  return best;
}
