import type { Graph, WeightedLayer } from '../graph/types';
import type { LayerParameters, MapFormat } from '../quantize/types';
import { foldScales, rowLayout } from '../quantize/weights';
import { gatherTaps, gatherWhole, tapsOf, type LayerSamples } from './layerSamples';
import { fitWeights } from './leastSquares';
import { roundRows } from './roundRows';

/** Damping of the least squares fit, relative to the mean of H's diagonal. */
export const DAMPING = 2;
/** Layers with more taps are corrected in the mean only: their H would be large and badly determined. */
const MOST_TAPS = 1500;

/** Reads the codes of a layer's input on one image, dense HWC. */
export type CodesOf = (image: number) => Int16Array;

/**
 * Weights and bias of one layer for the integer inputs it will really read, so that its output comes close to the float network's: least squares, rounding
 * with error feedback at 4 bits, and the bias that makes the means equal. Fully connected layers have too few samples for a fit: bias only.
 *
 * @param rounded the layer as rounding its float weights gives it
 * @param format  of the codes it reads
 */
export function compensateLayer(graph: Graph, rounded: LayerParameters, format: MapFormat, samples: LayerSamples, codesOf: CodesOf, damping = DAMPING): LayerParameters {
  const { layer } = samples;
  if (layer.kind === 'fullyConnected' || tapsOf(graph, layer) > MOST_TAPS) return correctMeans(graph, rounded, format, samples, codesOf);
  const outC = graph.maps[layer.output].shape.c;
  const input = graph.maps[layer.inputs[0]].shape;
  const groups = layer.kind === 'depthwise' ? outC : layer.group;
  const groupIn = layer.kind === 'depthwise' ? 1 : input.c / groups;
  const groupOut = outC / groups;
  const taps = tapsOf(graph, layer);
  const { rows } = samples;
  const folded = foldScales(graph, layer, format.scales);
  const { stride, step } = rowLayout(layer, outC);
  const codes = new Int8Array(folded.length);
  const weightScales = new Float64Array(outC);
  const bias = new Float64Array(outC);
  const weights = new Float64Array(groupOut * taps);
  // All taps of all groups, group by group, so that each image is unpacked once.
  const gathered = gatherGroups(graph, layer, format, samples, codesOf, groups, groupIn);
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < groupOut; o++) {
      for (let k = 0; k < taps; k++) weights[o * taps + k] = folded[(g * groupOut + o) * stride + k * step];
    }
    const fit = fitWeights(
      {
        taps,
        outputs: groupOut,
        rows,
        codes: gathered === null ? gatherAll(graph, layer, format, samples, codesOf) : gathered.subarray(g * taps * rows, (g + 1) * taps * rows),
        targets: samples.targets.subarray(g * groupOut * rows, (g + 1) * groupOut * rows),
      },
      weights,
      layer.clamp,
      damping,
    );
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
  return { ...rounded, codes, weightScales, bias };
}

/** Taps of every group, [groups][taps][rows] as 16-bit codes; null for a single group. */
function gatherGroups(graph: Graph, layer: WeightedLayer, format: MapFormat, samples: LayerSamples, codesOf: CodesOf, groups: number, groupIn: number): Int16Array | null {
  if (groups === 1 || layer.kind === 'fullyConnected') return null;
  const taps = tapsOf(graph, layer);
  const { rows } = samples;
  const input = graph.maps[layer.inputs[0]].shape;
  const width = graph.maps[layer.output].shape.w;
  const all = new Int16Array(groups * taps * rows);
  samples.pixels.forEach((pixels, image) => {
    const codes = codesOf(image);
    for (let g = 0; g < groups; g++) {
      gatherTaps(layer, input, width, format, codes, pixels, g * groupIn, groupIn, all.subarray(g * taps * rows, (g + 1) * taps * rows), rows, image * pixels.length);
    }
  });
  return all;
}

function gatherAll(graph: Graph, layer: WeightedLayer, format: MapFormat, samples: LayerSamples, codesOf: CodesOf): Int16Array {
  const { rows } = samples;
  const input = graph.maps[layer.inputs[0]].shape;
  const out = new Int16Array(tapsOf(graph, layer) * rows);
  samples.pixels.forEach((pixels, image) => {
    const codes = codesOf(image);
    if (layer.kind === 'fullyConnected') gatherWhole(input, format, codes, out, rows, image);
    else gatherTaps(layer, input, graph.maps[layer.output].shape.w, format, codes, pixels, 0, input.c, out, rows, image * pixels.length);
  });
  return out;
}

/** bias = E[y] − Wq·E[q], the weights as they are. */
function correctMeans(graph: Graph, rounded: LayerParameters, format: MapFormat, samples: LayerSamples, codesOf: CodesOf): LayerParameters {
  const { layer, rows } = samples;
  if (layer.kind === 'conv' && layer.group > 1) return rounded;
  const outC = graph.maps[layer.output].shape.c;
  const taps = tapsOf(graph, layer);
  const mean = new Float64Array(taps);
  const input = graph.maps[layer.inputs[0]].shape;
  const column = new Int16Array(taps * samples.pixels[0].length);
  samples.pixels.forEach((pixels, image) => {
    const codes = codesOf(image);
    if (layer.kind === 'fullyConnected') gatherWhole(input, format, codes, column, 1, 0);
    else gatherTaps(layer, input, graph.maps[layer.output].shape.w, format, codes, pixels, 0, input.c, column, pixels.length, 0);
    for (let k = 0; k < taps; k++) for (let i = 0; i < pixels.length; i++) mean[k] += column[k * pixels.length + i] / rows;
  });
  const bias = new Float64Array(outC);
  for (let o = 0; o < outC; o++) {
    let target = 0;
    for (let r = 0; r < rows; r++) target += samples.targets[o * rows + r];
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += rounded.codes[o * taps + k] * mean[k];
    bias[o] = target / rows - rounded.weightScales[o] * sum;
  }
  return { ...rounded, bias };
}
