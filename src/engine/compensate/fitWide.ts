import type { Graph } from '../graph/types';
import { readFiner } from '../quantize/finerCodes';
import type { MapFormat } from '../quantize/types';
import { compensateLayer, type FittedLayer, type LayerFitting } from './compensateLayer';
import type { LayerSamples } from './layerSamples';
import type { CodesOf } from './layerTaps';

/** Largest magnitude of the codes that a layer is fitted on. */
const LARGEST = 128;

/**
 * {@link compensateLayer} for a layer that reads 16 bits: weights, their rounding and the means are fitted on the upper
 * 8 bits of the codes, rounded. How codes vary together is the same in both, but for noise of a 255th of their range,
 * and the weights that suit the one suit the other.
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
  const coarse: MapFormat = {
    bits: 8,
    signed: true,
    scales: format.scales.map((scale) => scale * steps),
    zeroPoints: format.zeroPoints,
  };
  const upper = (image: number): Int16Array => codesOf(image).map((code) => (code + steps / 2) >> shift);
  const inSteps = { ...rounded, weightScales: rounded.weightScales.map((scale) => scale * steps) };
  const fitting = { rounded: inSteps, stored: coarse, format: coarse, damping };
  const [fitted] = compensateLayer(graph, samples, upper, [fitting]);
  return { ...fitted, parameters: readFiner(graph, fitted.parameters, output, 1 / steps) };
}
