import type { Quantized, Quantizer, Budgeted } from './quantizer';
import { isMixed } from './isMixed';

/** Nobody gives accuracy for less of the time than this. */
const LEAST_TIME_SAVED = 0.02;
/** Nor for less of the BitOPs. */
const LEAST_BITOPS_SAVED = 0.15;

/**
 * The fastest plan within a budget, where that saves time worth having. On cores, and in flash, where fewer bits save
 * next to none, accuracy buys what else they save: the plan of the fewest BitOPs, with the smaller maps and weights
 * that go with them, of those that are about as fast as 8 bits and lose no more than the budget with what 8 bits lose.
 * Where that is not worth having either, everything stays at 8 bits.
 *
 * @param onBetter gets every attempt that is worth its loss
 */
export async function quantizeWorthwhile(
  quantizer: Quantizer,
  budget: number,
  onBetter: (better: Budgeted) => Promise<void>,
): Promise<Budgeted> {
  const eight = quantizer.instructions(quantizer.wideDecision());
  const savesTime = ({ decision }: Quantized): boolean =>
    quantizer.instructions(decision) <= (1 - LEAST_TIME_SAVED) * eight;
  const savesBitOps = (found: Quantized): boolean => {
    const { bitOps, bitOpsInt8 } = quantizer.cost(found);
    return bitOps <= (1 - LEAST_BITOPS_SAVED) * bitOpsInt8;
  };
  const told =
    (isWorth: (found: Quantized) => boolean) =>
    async (better: Budgeted): Promise<void> => {
      if (isWorth(better)) await onBetter(better);
    };
  const fastest = await quantizer.quantizeWithin(budget, undefined, told(savesTime));
  // What exceeds the budget has no fewer bits than the flash requires.
  if (savesTime(fastest) || fastest.loss.expected > budget) return fastest;
  // What 8 bits lose counts too: BitOPs alone are worth no more.
  const left = budget - fastest.loss.at8;
  const fewest = left > 0 ? await quantizer.quantizeWithin(left, undefined, told(savesBitOps), 'asFast') : null;
  if (fewest !== null && savesBitOps(fewest))
    return withNote(
      fewest,
      'The fewest BitOPs in about the time of 8 bits, for what 8 bits leave of the budget: minimizing time alone ' +
        `saves less than ${100 * LEAST_TIME_SAVED} % of it on this core.`,
    );
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
