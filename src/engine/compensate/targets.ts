import type { SampleInput } from '../calibration/inputs';
import type { Graph, LayerId } from '../graph/types';
import { LayerSamples, type LayerSamplesData } from './layerSamples';

/** Images that a network is fitted on, and what the float network does on them. */
export interface FittedImages {
  /** Inputs of the network, per image. */
  readonly images: readonly (readonly SampleInput[])[];
  readonly layers: Pick<ReadonlyMap<LayerId, LayerSamples>, 'get'>;
}

/** What the float network does on a few calibration images: the targets of error compensation. */
export interface FloatTargets extends FittedImages {
  readonly layers: ReadonlyMap<LayerId, LayerSamples>;
}

/** {@link FloatTargets} as threads are given them. */
export interface FloatTargetsData {
  readonly images: FloatTargets['images'];
  readonly layers: readonly LayerSamplesData[];
}

/** The targets for another thread; what is large is shared, not copied. */
export function targetsData({ images, layers }: FloatTargets): FloatTargetsData {
  // The integer network takes codes; real values are for those that have none.
  const light = images.map((inputs) =>
    inputs.map(({ codes, real }) => ({ codes, real: codes === null ? real : new Float32Array(0) })),
  );
  return { images: light, layers: [...layers.values()].map((samples) => samples.data()) };
}

/** What {@link targetsData} gave. */
export function targetsOf(graph: Graph, { images, layers }: FloatTargetsData): FloatTargets {
  return { images, layers: new Map(layers.map((data) => [data.layer, LayerSamples.from(graph, data)])) };
}

/** The same for some of the images; samples of a layer are picked out when they are asked for, and not kept. */
export function selectTargets({ images, layers }: FloatTargets, chosen: readonly number[]): FittedImages {
  return {
    images: chosen.map((i) => images[i]),
    layers: { get: (id) => layers.get(id)?.select(chosen) },
  };
}
