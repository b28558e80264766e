import type { Graph } from '../graph/types';
import type { LayerParameters, MapFormat } from '../quantize/types';
import { foldScales, rowLayout } from '../quantize/weights';
import type { LayerSamples } from './layerSamples';
import { tapsIn, type LayerTaps } from './layerTaps';
import { chooseDamping, USUAL_DAMPING } from './damping';
import { fitWeights } from './leastSquares';
import { roundRows } from './roundRows';

/** Layers with more taps are corrected in the mean only: their H would be large and badly determined. */
const MOST_TAPS = 1500;

/** A layer as it was fitted. */
export interface FittedLayer {
  readonly parameters: LayerParameters;
  /** Of its fit; null where there was none. */
  readonly damping: number | null;
}

/**
 * Weights and bias of one layer for the integer inputs it will really read, so that its output comes close to the float
 * network's: least squares, rounding with error feedback at 4 bits, and the bias that makes the means equal. Fully
 * connected layers have too few samples for a fit: bias only.
 *
 * @param rounded the layer as rounding its float weights gives it
 * @param read what it reads at its sampled pixels, codes of `stored`
 * @param format of the codes it reads: `stored`, or that of a view
 * @param damping of the least squares fit, relative to the mean of H's diagonal; null: by {@link chooseDamping}, the
 *   usual one for layers of several groups, whose strong channels would choose for the weak ones
 */
export function compensateLayer(
  graph: Graph,
  rounded: LayerParameters,
  samples: LayerSamples,
  read: LayerTaps,
  stored: MapFormat,
  format: MapFormat,
  damping: number | null = null,
): FittedLayer {
  const { layer } = samples;
  const { groups, taps, rows } = read;
  const codesRead = tapsIn(read, stored, format);
  if (layer.kind === 'fullyConnected' || taps > MOST_TAPS)
    return { parameters: correctMeans(rounded, samples, read, codesRead), damping: null };
  const outC = graph.maps[layer.output].shape.c;
  const groupOut = outC / groups;
  const folded = foldScales(graph, layer, format.scales);
  const { stride, step } = rowLayout(layer, outC);
  const codes = new Int8Array(folded.length);
  const weightScales = new Float64Array(outC);
  const bias = new Float64Array(outC);
  const weights = new Float64Array(groupOut * taps);
  let chosen = damping ?? (groups > 1 ? USUAL_DAMPING : null);
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < groupOut; o++) {
      for (let k = 0; k < taps; k++) weights[o * taps + k] = folded[(g * groupOut + o) * stride + k * step];
    }
    const codesOf = codesRead.subarray(g * taps * rows, (g + 1) * taps * rows);
    const group = {
      taps,
      outputs: groupOut,
      rows,
      codes: codesOf,
      targets: samples.targets.subarray(g * groupOut * rows, (g + 1) * groupOut * rows),
    };
    chosen ??= chooseDamping(group, weights, layer.clamp, samples.pixels.length);
    const fit = fitWeights(group, weights, layer.clamp, chosen);
    const result = roundRows(fit.weights, groupOut, taps, fit.hessian, rounded.weightBits);
    for (let o = 0; o < groupOut; o++) {
      const at = g * groupOut + o;
      let sum = 0;
      for (let k = 0; k < taps; k++) {
        codes[at * stride + k * step] = result.codes[o * taps + k];
        sum += result.codes[o * taps + k] * fit.codeMean[k];
      }
      weightScales[at] = result.scales[o];
      bias[at] = fit.targetMean[o] - result.scales[o] * sum;
    }
  }
  return { parameters: { ...rounded, codes, weightScales, bias }, damping: chosen };
}

/** bias = E[y] − Wq·E[q], the weights as they are. */
function correctMeans(
  rounded: LayerParameters,
  samples: LayerSamples,
  { groups, taps, rows }: LayerTaps,
  codesRead: Int16Array,
): LayerParameters {
  const mean = (values: ArrayLike<number>, first: number): number => {
    let sum = 0;
    for (let i = first; i < first + rows; i++) sum += values[i];
    return sum / rows;
  };
  const means = Float64Array.from({ length: groups * taps }, (_, tap) => mean(codesRead, tap * rows));
  const outC = rounded.bias.length;
  const groupOut = outC / groups;
  const { stride, step } = rowLayout(samples.layer, outC);
  const bias = new Float64Array(outC);
  for (let o = 0; o < outC; o++) {
    const group = Math.floor(o / groupOut) * taps;
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += rounded.codes[o * stride + k * step] * means[group + k];
    bias[o] = mean(samples.targets, o * rows) - rounded.weightScales[o] * sum;
  }
  return { ...rounded, bias };
}
