import type { Graph } from '../graph/types';
import { readFiner } from '../quantize/finerCodes';
import type { LayerParameters, MapFormat } from '../quantize/types';
import { rowLayout } from '../quantize/weights';
import { compensateLayer, type FittedLayer, type LayerFitting } from './compensateLayer';
import type { LayerSamples } from './layerSamples';
import { gatherTaps, groupRanges, groupsOf, tapsIn, type CodesOf } from './layerTaps';

/** Largest magnitude of the codes that a layer is fitted on. */
const LARGEST = 128;

/**
 * {@link compensateLayer} for a layer that reads 16 bits: weights and their rounding are fitted on the upper 8 bits of
 * the codes, rounded. How codes vary together is the same in both, but for noise of a 255th of their range, and the
 * weights that suit the one suit the other. The means are those of all 16: of a map that hardly varies, they are not
 * what is left of the upper 8.
 *
 * @param output format of what the layer writes
 */
export function fitWide(
  graph: Graph,
  samples: LayerSamples,
  codesOf: CodesOf,
  { rounded, format, damping }: Omit<LayerFitting, 'stored'>,
  output: MapFormat,
): FittedLayer {
  const shift = Math.max(0, Math.ceil(Math.log2((format.reach ?? 1) / LARGEST)));
  const steps = 2 ** shift;
  const upper = (code: number): number => (code + steps / 2) >> shift;
  const coarse = eightBits(format.scales.map((scale) => scale * steps));
  const inSteps = { ...rounded, weightScales: rounded.weightScales.map((scale) => scale * steps) };
  const fitting = { rounded: inSteps, stored: coarse, format: coarse, damping };
  const [fitted] = compensateLayer(graph, samples, (image) => codesOf(image).map(upper), [fitting]);
  const parameters = readFiner(graph, fitted.parameters, output, 1 / steps);
  const lower = (image: number): Int16Array => codesOf(image).map((code) => code - steps * upper(code));
  return { ...fitted, parameters: withoutMeansOf(graph, samples, lower, eightBits(format.scales), parameters) };
}

function eightBits(scales: Float64Array): MapFormat {
  return { bits: 8, signed: true, scales, zeroPoints: new Int32Array(1) };
}

/** A layer whose bias takes away what it makes of these codes on average. */
function withoutMeansOf(
  graph: Graph,
  samples: LayerSamples,
  codesOf: CodesOf,
  format: MapFormat,
  parameters: LayerParameters,
): LayerParameters {
  const { layer } = samples;
  const { codes: weights, weightScales } = parameters;
  const { stride, step } = rowLayout(layer, weightScales.length);
  const perGroup = weightScales.length / groupsOf(graph, layer);
  const bias = parameters.bias.slice();
  for (const range of groupRanges(graph, samples)) {
    const read = gatherTaps(graph, samples, range, codesOf);
    const codes = tapsIn(read, format, format);
    const { firstGroup, groups, taps, rows } = read;
    for (let g = 0; g < groups; g++) {
      for (let k = 0; k < taps; k++) {
        const first = (g * taps + k) * rows;
        let sum = 0;
        for (let i = first; i < first + rows; i++) sum += codes[i];
        for (let o = (firstGroup + g) * perGroup; o < (firstGroup + g + 1) * perGroup; o++)
          bias[o] -= (weightScales[o] * weights[o * stride + k * step] * sum) / rows;
      }
    }
  }
  return { ...parameters, bias };
}
