import type { Calibration } from '../calibration/types';
import { spread } from '../calibration/samples';
import type { Progress } from '../common/progress';
import { USUAL_DAMPING } from '../compensate/damping';
import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { HeadMaps } from '../quantize/headFormat';
import { quantizeGraph, type InputFormat } from '../quantize/quantizeGraph';
import type { QuantizedParameters } from '../quantize/types';
import { hasFewSamples } from './fewSamples';
import type { Fitter } from './fitTasks';
import type { DecisionUnit } from './units';
import type { VariantChange, VariantKind } from './variants';

/** How much the network's output changes when only one thing has fewer bits. */
export interface Sensitivities {
  /** By index of the decision, then bits (8: 0). */
  readonly units: readonly ReadonlyMap<Bits, number>[];
  /** By layer: with 4-bit weights; 0 for those that keep 8 bits, see {@link hasFewSamples}. */
  readonly weights: ReadonlyMap<LayerId, number>;
  /** The compensated 8-bit network that they are measured against. */
  readonly base: QuantizedParameters;
}

/** Images that the output is compared on. */
export const SENSITIVITY_IMAGES = 16;
/** Images that the layers are fitted on: single layers need fewer than the final fit of all. */
const FIT_IMAGES = 32;

/**
 * Measures every decision by itself, after error compensation: the network runs at 8 bits with compensated weights;
 * then for each decision only the layers that it concerns are replaced by ones that read fewer bits, or have 4-bit
 * weights, and are compensated for that, and what depends on them runs again. The measure is the divergence of the
 * outputs from those at 8 bits, see {@link OutputLoss}, on images that nothing was fitted to where there are
 * enough.
 *
 * Errors of weights are the same for every input, and the layers behind are fitted to make up for them; errors of
 * feature maps are noise that adds up. So each kind is scaled such that the sum over all decisions is what is measured
 * when all are taken at once.
 *
 * @param images how many there are, and how many are compared
 * @param fitter of these images
 * @param heads  outputs of a detector, which have formats by channel
 * @throws CancelledError
 */
export async function measureSensitivities(
  graph: Graph,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  images: { readonly count: number; readonly compared: number },
  fitter: Fitter,
  progress: Progress,
  heads?: HeadMaps,
): Promise<Sensitivities> {
  const low = bits.filter((b) => b < 8);
  const layers = graph.layers.filter(isWeighted);
  const fitted4 = layers.filter(({ id }) => !hasFewSamples(graph, id));
  const kinds: VariantKind[] = [{ read: 8, weights: 4 }, ...low.map((read) => ({ read, weights: 8 }) as const)];
  const rounded = kinds.map(({ read, weights }) => ({
    read,
    weights,
    parameters: quantizeAll(graph, calibration, inputs, units, read, weights, heads),
  }));
  const { fitted, compared } = splitImages(images.count, images.compared);
  const wide = quantizeAll(graph, calibration, inputs, units, 8, 8, heads);
  const read = new Set(units.flatMap((u) => u.readers));
  // What one decision loses alone is what all of its kind lose together.
  const isOne = kinds.map((_, k) => (k === 0 ? fitted4 : units.filter((u) => u.readers.length > 0)).length < 2);
  const [network, ...joint] = await Promise.all([
    fitter.run({ kind: 'variants', wide, kinds: rounded, read, images: fitted }, progress),
    ...rounded
      .filter((_, k) => !isOne[k])
      .map(({ parameters }) =>
        fitter.run({ kind: 'compensate', parameters, images: fitted, damping: USUAL_DAMPING }, progress),
      ),
  ]);
  const changes: VariantChange[] = [
    ...fitted4.map(({ id }) => ({ layers: [id], kind: kinds[0] })),
    ...units.flatMap((u) => (u.readers.length > 0 ? kinds.slice(1).map((kind) => ({ layers: u.readers, kind })) : [])),
  ];
  // Early layers have the most behind them that runs again: every thread gets some of everywhere.
  const shares = Array.from({ length: fitter.threads }, (_, t) => changes.filter((_, i) => i % fitter.threads === t));
  const measured = await Promise.all(
    shares.map((share, t) =>
      fitter.run(
        {
          kind: 'measure',
          network,
          changes: share,
          others: t === 0 ? joint.map((j) => j.parameters) : [],
          images: compared,
        },
        progress,
      ),
    ),
  );
  const loss = (i: number): number => measured[i % fitter.threads][Math.floor(i / fitter.threads)];
  /** What all decisions of a kind lose together, over the sum of what they lose alone. */
  const together = (k: number, alone: readonly number[]): number => {
    const all = isOne[k] ? 0 : measured[0][shares[0].length + isOne.slice(0, k).filter((one) => !one).length];
    const sum = alone.reduce((a, b) => a + b, 0);
    return sum > 0 && all > 0 ? all / sum : 1;
  };
  let next = 0;
  const weights = new Map(layers.map(({ id }) => [id, 0]));
  for (const { id } of fitted4) weights.set(id, loss(next++));
  const byUnit = units.map(
    ({ readers }) =>
      new Map<Bits, number>([[8, 0], ...low.map((b) => [b, readers.length > 0 ? loss(next++) : 0] as const)]),
  );
  const byWeights = together(0, [...weights.values()]);
  const alone = (b: Bits): number[] => byUnit.map((u) => u.get(b)!);
  const byBits = new Map(low.map((b, k) => [b, together(k + 1, alone(b))]));
  return {
    units: byUnit.map((u) => new Map([...u].map(([b, l]) => [b, b === 8 ? 0 : l * byBits.get(b)!]))),
    weights: new Map([...weights].map(([id, l]) => [id, l * byWeights])),
    base: network.base,
  };
}

/**
 * Which images layers are fitted on and which are compared: different ones, both from everywhere in the folder, unless
 * there are too few for that.
 */
function splitImages(count: number, images: number): { fitted: number[]; compared: number[] } {
  const all = Array.from({ length: count }, (_, i) => i);
  const fitted = spread(count, FIT_IMAGES);
  const others = all.filter((i) => !fitted.includes(i));
  return others.length >= images
    ? { fitted, compared: spread(others.length, images).map((i) => others[i]) }
    : { fitted, compared: spread(count, images) };
}

/** The network with all decisions at the same bits: scales of one map hardly depend on the bits of others. */
function quantizeAll(
  graph: Graph,
  calibration: Calibration,
  inputs: ReadonlyMap<MapId, InputFormat>,
  units: readonly DecisionUnit[],
  bits: Bits,
  weights: WeightBits,
  heads: HeadMaps | undefined,
): QuantizedParameters {
  const at = (unit: DecisionUnit): Bits => Math.max(bits, unit.leastBits) as Bits;
  const maps = new Map(units.flatMap((u) => (u.kind === 'stored' ? u.maps.map((m) => [m, at(u)] as const) : [])));
  const views = new Map(units.flatMap((u) => (u.kind === 'view' ? u.readers.map((l) => [l, at(u)] as const) : [])));
  const mapBits = (map: MapId): Bits => maps.get(map) ?? 8;
  return quantizeGraph(graph, calibration, inputs, {
    mapBits,
    weightBits: (layer) => (hasFewSamples(graph, layer) ? 8 : weights),
    inputBits: (layer) => views.get(layer) ?? mapBits(graph.layers[layer].inputs[0]),
    ...(heads ? { heads } : {}),
  });
}
