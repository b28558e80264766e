import type { SampleInput } from '../calibration/inputs';
import type { Graph, LayerId } from '../graph/types';
import { LayerSamples, type LayerSamplesData } from './layerSamples';

/** Images that a network is fitted on, and what the float network does on them. */
export interface FittedImages {
  /** Inputs of the network, per image, as {@link integerInputs} leaves them. */
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

/** A sample as the integer network takes it: without the real values of inputs that have codes, which are large. */
export function integerInputs(inputs: readonly SampleInput[]): SampleInput[] {
  return inputs.map((input) => (input.codes === null ? input : { ...input, real: new Float32Array(0) }));
}

/** The targets for another thread; what is large is shared, not copied. */
export function targetsData({ images, layers }: FloatTargets): FloatTargetsData {
  return { images, layers: [...layers.values()].map((samples) => samples.data()) };
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
