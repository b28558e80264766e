import type { Graph } from '../graph/types';
import type { LayerParameters, MapFormat } from '../quantize/types';
import { foldScales, rowLayout } from '../quantize/weights';
import { tapsOf, type LayerSamples } from './layerSamples';
import { gatherTaps, groupRanges, groupsOf, tapsIn, type CodesOf, type LayerTaps } from './layerTaps';
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

/** How a layer is to be fitted. */
export interface LayerFitting {
  /** The layer as rounding its float weights gives it. */
  readonly rounded: LayerParameters;
  /** Of the codes that are gathered. */
  readonly stored: MapFormat;
  /** Of the codes that it reads: `stored`, or that of a view. */
  readonly format: MapFormat;
  /**
   * Of the least squares fit, relative to the mean of H's diagonal; null: by {@link chooseDamping}, the usual one for
   * layers of several groups, whose strong channels would choose for the weak ones.
   */
  readonly damping: number | null;
}

/**
 * Weights and bias of one layer, in several ways, for the integer inputs it will really read, so that its output comes
 * close to the float network's: least squares, rounding with error feedback at 4 bits, and the bias that makes the
 * means equal. Fully connected layers have too few samples for a fit: bias only. What it reads is gathered once for all
 * ways, some groups at a time.
 *
 * @param codesOf what the layer reads from on each image, codes of `stored`
 */
export function compensateLayer(
  graph: Graph,
  samples: LayerSamples,
  codesOf: CodesOf,
  fittings: readonly LayerFitting[],
): FittedLayer[] {
  const fits = fittings.map((fitting) => new LayerFit(graph, samples, fitting));
  for (const range of groupRanges(graph, samples)) {
    const read = gatherTaps(graph, samples, range, codesOf);
    for (const fit of fits) fit.add(read);
  }
  return fits.map((fit) => fit.fitted());
}

/** One way to fit a layer, which takes its groups as they come. */
class LayerFit {
  private readonly outC: number;
  private readonly groups: number;
  private readonly folded: Float64Array | Float32Array;
  private readonly codes: Int8Array;
  private readonly weightScales: Float64Array;
  private readonly bias: Float64Array;
  private readonly keepsWeights: boolean;
  private damping: number | null;

  constructor(
    graph: Graph,
    private readonly samples: LayerSamples,
    private readonly fitting: LayerFitting,
  ) {
    const { layer } = samples;
    const { rounded, format, damping } = fitting;
    this.outC = graph.maps[layer.output].shape.c;
    this.keepsWeights = layer.kind === 'fullyConnected' || tapsOf(graph, layer) > MOST_TAPS;
    this.folded = foldScales(graph, layer, format.scales);
    this.codes = this.keepsWeights ? rounded.codes : new Int8Array(this.folded.length);
    this.weightScales = this.keepsWeights ? rounded.weightScales : new Float64Array(this.outC);
    this.bias = new Float64Array(this.outC);
    this.groups = groupsOf(graph, layer);
    this.damping = damping ?? (this.groups > 1 ? USUAL_DAMPING : null);
  }

  add(read: LayerTaps): void {
    const { firstGroup, groups, taps, rows } = read;
    const codes = tapsIn(read, this.fitting.stored, this.fitting.format);
    for (let g = 0; g < groups; g++) {
      const own = codes.subarray(g * taps * rows, (g + 1) * taps * rows);
      if (this.keepsWeights) this.correctMeans(firstGroup + g, read, own);
      else this.fitGroup(firstGroup + g, read, own);
    }
  }

  fitted(): FittedLayer {
    const { codes, weightScales, bias, keepsWeights, damping } = this;
    const parameters = { ...this.fitting.rounded, codes, weightScales, bias };
    return { parameters, damping: keepsWeights ? null : damping };
  }

  private fitGroup(group: number, { taps, rows }: LayerTaps, codes: Int16Array): void {
    const { samples, outC, folded, fitting } = this;
    const { layer } = samples;
    const outputs = this.outputsOf(group);
    const { stride, step } = rowLayout(layer, outC);
    const weights = new Float64Array(outputs.count * taps);
    for (let o = 0; o < outputs.count; o++)
      for (let k = 0; k < taps; k++) weights[o * taps + k] = folded[(outputs.first + o) * stride + k * step];
    const targets = samples.targets.subarray(outputs.first * rows, (outputs.first + outputs.count) * rows);
    const system = { taps, outputs: outputs.count, rows, codes, targets };
    this.damping ??= chooseDamping(system, weights, layer.clamp, samples.pixels.length);
    const fit = fitWeights(system, weights, layer.clamp, this.damping);
    const result = roundRows(fit.weights, outputs.count, taps, fit.hessian, fitting.rounded.weightBits);
    for (let o = 0; o < outputs.count; o++) {
      const at = outputs.first + o;
      let sum = 0;
      for (let k = 0; k < taps; k++) {
        this.codes[at * stride + k * step] = result.codes[o * taps + k];
        sum += result.codes[o * taps + k] * fit.codeMean[k];
      }
      this.weightScales[at] = result.scales[o];
      this.bias[at] = fit.targetMean[o] - result.scales[o] * sum;
    }
  }

  /** bias = E[y] − Wq·E[q], the weights as they are. */
  private correctMeans(group: number, { taps, rows }: LayerTaps, codesRead: Int16Array): void {
    const { samples, outC, codes, weightScales } = this;
    const mean = (values: ArrayLike<number>, first: number): number => {
      let sum = 0;
      for (let i = first; i < first + rows; i++) sum += values[i];
      return sum / rows;
    };
    const means = Float64Array.from({ length: taps }, (_, tap) => mean(codesRead, tap * rows));
    const { stride, step } = rowLayout(samples.layer, outC);
    const { first, count } = this.outputsOf(group);
    for (let o = first; o < first + count; o++) {
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += codes[o * stride + k * step] * means[k];
      this.bias[o] = mean(samples.targets, o * rows) - weightScales[o] * sum;
    }
  }

  private outputsOf(group: number): { readonly first: number; readonly count: number } {
    const count = this.outC / this.groups;
    return { first: group * count, count };
  }
}
