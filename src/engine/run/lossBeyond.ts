import type { FloatResult } from '../calibration/float';
import type { ImageOutputs } from '../vdqs/divergence';
import type { OutputLoss } from '../vdqs/loss';
import { lossInterval } from '../vdqs/lossInterval';
import type { ExpectedLoss } from './quantizeSummary';

/**
 * What a plan is expected to lose beyond what 8 bits lose on the same images, and how well that is known.
 *
 * @param wide    outputs of the 8-bit network
 * @param outputs of the plan's
 */
export function lossBeyond(
  loss: OutputLoss,
  images: readonly FloatResult[],
  wide: ImageOutputs,
  outputs: ImageOutputs,
): Omit<ExpectedLoss, 'budget'> {
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
    interval: lossInterval(beyond, float, pairs),
    at8: loss.expected(float, wide),
    unit: loss.unit,
    images: images.length,
  };
}

/** What a search for a budget found, for the user. @param most reduction that was wanted */
export function budgetNotes(loss: ExpectedLoss, reduction: number, most: number): string[] {
  const { expected, interval, at8, unit, images, budget } = loss;
  const notes: string[] = [];
  const range = interval ? ` (95 %: ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})` : '';
  notes.push(
    `Expected loss beyond 8 bits: ${expected.toFixed(2)}${range} ${unit} by ${images} images, of ${budget} allowed; ` +
      `8 bits lose ${at8.toFixed(2)}.` +
      (expected <= budget && reduction < most ? ' Saving more is expected to lose more.' : ''),
  );
  if (expected > budget && at8 <= budget)
    notes.push(
      'The budget is not kept: flash or SRAM demand fewer bits than it allows. A board with more memory, or a larger ' +
        'budget, would settle it.',
    );
  if (at8 > budget)
    notes.push(
      `At 8 bits ${at8.toFixed(2)} ${unit} are expected to be lost already, which no choice of bits brings back: ` +
        'give more images, or check that the preprocessing is the one that the network was trained with.',
    );
  // Whether the budget is kept hangs on the images where the interval reaches beyond it; its width falls with their
  // root.
  const half = interval ? interval.high - expected : Infinity;
  if (Number.isFinite(half) && expected + half > budget && half > budget / 4) {
    const needed = Math.ceil(images * Math.min(64, (half / Math.max(budget - expected, budget / 4)) ** 2));
    notes.push(
      `${images} images do not settle whether the budget is kept. With about ${4 * needed} sample images, a ` +
        'quarter of ' +
        'which are kept back, they would.',
    );
  }
  return notes;
}
