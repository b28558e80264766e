import type { SampleInput } from '../calibration/inputs';
import { checkCancelled, type Progress } from '../common/progress';
import type { Graph, MapId } from '../graph/types';
import { lower } from '../program/lower';
import { withFinerCodes, type MapRanges } from '../quantize/finerCodes';
import { formatTies } from '../quantize/ties';
import type { QuantizedParameters } from '../quantize/types';
import type { Fitter } from './fitTasks';
import type { ImageOutputs } from './divergence';
import type { OutputLoss } from './loss';
import { programOutputs } from './programOutputs';

/** A quantized network and the 8-bit maps of it that may have 16. */
export interface FinerNetwork {
  readonly parameters: QuantizedParameters;
  readonly ranges: MapRanges;
  /** Representatives of the groups of maps that share their bits. */
  readonly groups: readonly MapId[];
}

/**
 * What the codes of each group cost: how far the outputs move when it alone has 8 bits while all others that may have
 * 16 have them, with the same weights ({@link withFinerCodes}). A difference of two distances from the float network
 * would say the same under the noise of the weights' errors, which is larger.
 *
 * @param images indices of the fitter's images to compare
 * @returns by group, see {@link OutputLoss}; it does not depend on the number of threads
 */
export async function measureCodeNoise(
  network: FinerNetwork,
  images: readonly number[],
  fitter: Fitter,
  progress: Progress,
): Promise<number[]> {
  const { groups } = network;
  const { threads } = fitter;
  const shares = Array.from({ length: Math.min(threads, groups.length) }, (_, t) =>
    groups.filter((_, i) => i % threads === t),
  );
  const measured = await Promise.all(
    shares.map((alone) => fitter.run({ kind: 'codeNoise', network, alone, images }, progress)),
  );
  return groups.map((_, i) => measured[i % threads][Math.floor(i / threads)]);
}

/** {@link measureCodeNoise} of some of the groups. @param images inputs of the network, per image */
export function codeNoise(
  graph: Graph,
  loss: OutputLoss,
  { parameters, ranges, groups }: FinerNetwork,
  alone: readonly MapId[],
  images: readonly (readonly SampleInput[])[],
  progress: Progress,
): number[] {
  const outputs = (raised: readonly MapId[]): ImageOutputs => {
    const finer = withFinerCodes(graph, ranges, formatTies(graph), parameters, new Set(raised));
    return programOutputs(lower(graph, null, finer, { name: 'finer' }), images, () => checkCancelled(progress));
  };
  const reference = outputs(groups);
  return alone.map((group, i) => {
    progress.report('Measuring what 16 bits are worth', i, alone.length);
    return loss.divergence(reference, outputs(groups.filter((other) => other !== group)));
  });
}
