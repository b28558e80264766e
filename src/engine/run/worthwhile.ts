import type { Quantized, Quantizer, Budgeted } from './quantizer';
import { isMixed } from './isMixed';

/** Nobody gives accuracy for less of the time than this. */
const LEAST_TIME_SAVED = 0.02;
/** Nor for less of the BitOPs. */
const LEAST_BITOPS_SAVED = 0.15;

/**
 * The plan within a budget that saves the most time and BitOPs together and is about as fast as 8 bits, where that
 * saves time worth having. On cores, and in flash, where fewer bits save next to none, accuracy buys what else they
 * save, with the smaller maps and weights that go with fewer BitOPs: no more of it than the budget with what 8 bits
 * lose. Where that is not worth having either, the fastest plan is tried, and else everything stays at 8 bits.
 *
 * @param onBetter gets every attempt that is worth its loss
 */
export async function quantizeWorthwhile(
  quantizer: Quantizer,
  budget: number,
  onBetter: (better: Budgeted) => Promise<void>,
): Promise<Budgeted> {
  const eight = quantizer.instructionsAt8;
  const savesTime = ({ decision }: Quantized): boolean =>
    quantizer.instructions(decision) <= (1 - LEAST_TIME_SAVED) * eight;
  const savesBitOps = (found: Quantized): boolean => {
    const { bitOps, bitOpsInt8 } = quantizer.cost(found);
    return bitOps <= (1 - LEAST_BITOPS_SAVED) * bitOpsInt8;
  };
  // What 8 bits lose counts too: BitOPs alone are worth no more.
  const isCheap = ({ loss }: Budgeted): boolean => loss.expected <= budget - loss.at8;
  const isWorth = (found: Budgeted): boolean => savesTime(found) || (savesBitOps(found) && isCheap(found));
  const told = async (better: Budgeted): Promise<void> => {
    if (isWorth(better)) await onBetter(better);
  };
  const search = (most: number): Promise<Budgeted> => quantizer.quantizeWithin(most, undefined, told, 'asFast');
  let found = await search(budget);
  // What exceeds the budget has no fewer bits than the flash requires.
  if (savesTime(found) || found.loss.expected > budget) return found;
  const left = budget - found.loss.at8;
  if (savesBitOps(found) && !isCheap(found) && left > 0) found = await search(left);
  if (isWorth(found))
    return withNote(
      found,
      'The fewest BitOPs in about the time of 8 bits, for what 8 bits leave of the budget: within it, fewer bits ' +
        `save less than ${100 * LEAST_TIME_SAVED} % of the time on this core.`,
    );
  // Time alone may be saved where both together are not.
  const fastest = await quantizer.quantizeWithin(budget, undefined, told);
  if (savesTime(fastest)) return fastest;
  const wide = isMixed(fastest.decision) ? await quantizer.quantizeWithin(budget, 1) : fastest;
  return withNote(
    { ...wide, limitedBy: 'bits' },
    `Within the budget, fewer bits save less than ${100 * LEAST_TIME_SAVED} % of the time and ` +
      `${100 * LEAST_BITOPS_SAVED} % of the BitOPs on this core: they are not worth their loss.`,
  );
}

function withNote(found: Budgeted, note: string): Budgeted {
  return { ...found, decision: { ...found.decision, notes: [...found.decision.notes, note] } };
}
