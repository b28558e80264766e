import type { FloatResult } from '../calibration/float';
import type { ImageOutputs } from '../vdqs/divergence';
import type { OutputLoss } from '../vdqs/loss';
import { lossInterval } from '../vdqs/lossInterval';
import type { ExpectedLoss } from '../plan/types';

/**
 * What a plan is expected to lose beyond what 8 bits lose on the same images, and how certain that is.
 *
 * @param wide    outputs of the 8-bit network
 * @param outputs of the plan's
 */
export function lossBeyond(
  loss: OutputLoss,
  images: readonly FloatResult[],
  wide: ImageOutputs,
  outputs: ImageOutputs,
): Omit<ExpectedLoss, 'budget' | 'heldOut'> {
  const float = images.map((i) => i.outputs);
  const pairs = outputs.map((o, i) => [...o, ...wide[i]]);
  const count = outputs[0]?.length ?? 0;
  const beyond = (some: ImageOutputs, both: ImageOutputs): number =>
    loss.expected(
      some,
      both.map((o) => o.slice(0, count)),
    ) -
    loss.expected(
      some,
      both.map((o) => o.slice(count)),
    );
  return {
    expected: beyond(float, pairs),
    interval: lossInterval(beyond, float, pairs, -Infinity),
    at8: loss.expected(float, wide),
    at8Interval: lossInterval((some, outputs) => loss.expected(some, outputs), float, wide),
    unit: loss.unit,
    images: images.length,
  };
}
