import type { MapStatistics } from '../calibration/types';
import type { Graph, WeightedLayer } from '../graph/types';
import { quantizedMean } from './histogramError';
import type { LayerParameters, MapFormat } from './types';
import { inputChannel, rowLayout } from './weights';

/**
 * Bias correction: rounding weights and inputs moves the mean of every output channel, since inputs after a ReLU have
 * means far from 0; the bias takes that back, bias[o] += Σ W·E[x] − Σ Wq·E[Q(x)] (Nagel et al., Data-Free Quantization,
 * ICCV 2019, section 4.2, with observed means). Border pixels see fewer taps and are corrected by the same amount.
 */
export function correctBias(
  graph: Graph,
  layer: WeightedLayer,
  parameters: LayerParameters,
  input: MapFormat,
  stats: MapStatistics,
): LayerParameters {
  const outC = graph.maps[layer.output].shape.c;
  const inC = graph.maps[layer.inputs[0]].shape.c;
  const scaleOf = (c: number): number => input.scales[input.scales.length === 1 ? 0 : c];
  const quantized = Float64Array.from({ length: inC }, (_, c) =>
    quantizedMean(stats, c, {
      scale: scaleOf(c),
      zeroPoint: input.zeroPoints[input.zeroPoints.length === 1 ? 0 : c],
      bits: input.bits,
      signed: input.signed,
    }),
  );
  const channelOf = inputChannel(layer, inC, outC);
  const { stride, count, step } = rowLayout(layer, outC);
  const bias = parameters.bias.slice();
  for (let o = 0; o < outC; o++) {
    let float = 0;
    let integer = 0;
    for (let k = 0; k < count; k++) {
      const i = o * stride + k * step;
      const c = channelOf(i);
      float += layer.weights[i] * stats.mean[c];
      integer += (parameters.codes[i] / scaleOf(c)) * quantized[c];
    }
    bias[o] += float - integer * parameters.weightScales[o];
  }
  return { ...parameters, bias };
}
