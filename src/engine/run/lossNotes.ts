import { counted, timesText } from '../common/wording';
import type { ExpectedLoss, SearchLimit } from '../plan/types';
import type { Objective } from '../vdqs/decisionCost';
import { POINTS_PER_CHANGE } from '../vdqs/accuracyBudget';

/** With fewer samples than this, all are used both for fitting and for estimating the loss. */
export const LEAST_SPLIT = 24;
/** Images a loss is estimated on, if that many were not fitted to. */
export const MOST_CHECKED = 128;
/** A loss that nobody set a budget for is known well enough within this. */
const FINE = 0.5;
/** No loss is known more precisely than this. */
const FINEST = 0.05;
/** Images below which there is no interval. */
const LEAST_INTERVAL = 16;

/**
 * What is expected to be lost, for the user: the loss, how well it is known, and what would make it more certain.
 *
 * @param mixed whether anything has fewer than 8 bits
 * @param classes whether the loss is counted in right answers
 */
export function lossNotes(loss: ExpectedLoss, mixed: boolean, classes: boolean): string[] {
  const { expected, at8, heldOut, budget } = loss;
  const notes = [mixed ? mixedText(loss) : wideText(loss)];
  if (!heldOut)
    notes.push(
      `No image was held back, so this estimate is optimistic: with ${LEAST_SPLIT} or more sample images, some ` +
        'are held back.',
    );
  if (budget !== null && at8 > budget)
    notes.push(
      '8 bits alone are expected to lose more than the budget, and no choice of bits makes up for that: check ' +
        'that the preprocessing is the one the network was trained with, or use more images.',
    );
  if (budget !== null && expected > budget)
    notes.push(
      'The budget is exceeded: flash or SRAM require fewer bits than it allows. Choose a board with more ' +
        'memory, or allow a larger budget.',
    );
  const unsettled = mixed ? unsettledNote(loss, classes) : null;
  return unsettled === null ? notes : [...notes, unsettled];
}

function mixedText({ expected, interval, unit, images, heldOut, budget, at8, at8Interval }: ExpectedLoss): string {
  const allowed = budget === null ? '' : `; ${budget} is allowed`;
  return (
    `Expected loss beyond 8 bits: ${figure(expected)} ${unit}${range(interval)}, ` +
    `${byImages(images, heldOut)}${allowed}. ` +
    `8 bits alone lose ${figure(at8)}${range(at8Interval)}.`
  );
}

function wideText({ at8, at8Interval, unit, images, heldOut }: ExpectedLoss): string {
  return `Expected loss at 8 bits: ${figure(at8)} ${unit}${range(at8Interval)}, ${byImages(images, heldOut)}.`;
}

function byImages(images: number, heldOut: boolean): string {
  return `estimated on ${counted(images, 'image')} that ${heldOut ? 'nothing was' : 'the weights were'} fitted to`;
}

function range(interval: ExpectedLoss['interval']): string {
  return interval ? ` (95 % interval ${figure(interval.low)} to ${figure(interval.high)})` : '';
}

/** Reported if the images do not settle the question; otherwise null. */
function unsettledNote({ expected, interval, images, unit, budget }: ExpectedLoss, classes: boolean): string | null {
  // If the interval reaches across the budget, the images decide whether it is met; without a budget the loss itself is
  // the question.
  const margin =
    budget === null ? Math.max(FINE, expected / 2) : Math.max(Math.abs(budget - expected), budget / 4, FINEST);
  const half = interval ? interval.high - expected : null;
  if (half !== null && half <= margin) return null;
  const needed =
    half === null ? neededWithout(Math.max(expected, margin), margin, classes) : images * (half / margin) ** 2;
  const resolved = figure(Math.max(FINE, expected));
  const many = `${counted(images, 'image')} ${images === 1 ? 'does' : 'do'}`;
  const question =
    budget === null
      ? `${many} not resolve a loss of ${resolved} ${unit}.`
      : `${many} not settle whether the budget of ${budget} is met.`;
  if (needed <= MOST_CHECKED) {
    const samples = Math.max(LEAST_SPLIT, Math.min(4 * needed, needed + MOST_CHECKED));
    return `${question} About ${roundedUp(samples)} sample images would: some of them are held back.`;
  }
  return `${question} About ${roundedUp(needed)} would: evaluate the plan on that many labelled images.`;
}

/**
 * Images needed to know a loss to within a margin, if there are too few for an interval: by how much a share of changed
 * answers varies, at {@link POINTS_PER_CHANGE} points a change.
 */
function neededWithout(loss: number, margin: number, classes: boolean): number {
  if (!classes) return LEAST_INTERVAL;
  return Math.max(LEAST_INTERVAL, (1.96 / margin) ** 2 * POINTS_PER_CHANGE * loss);
}

/** Two digits are enough for a number of images. */
function roundedUp(images: number): number {
  const step = 10 ** Math.max(1, Math.floor(Math.log10(images)) - 1);
  return Math.ceil(images / step) * step;
}

function figure(loss: number): string {
  const text = loss.toFixed(2);
  return text === '-0.00' ? '0.00' : text.replace('-', '−');
}

/** What a search ended with, as far as it is reported. */
export interface SearchEnd {
  readonly limitedBy: SearchLimit;
  /** Reduction that was asked for, or found under a budget; undefined for the entropy score. */
  readonly reduction: number | undefined;
  /** Whether a reduction was set; otherwise the search has a largest one that it tries. */
  readonly isAsked: boolean;
  /** Reduction of BitOPs with recomputed halos and outlier patches. */
  readonly bitOpsReduction: number;
  readonly mixed: boolean;
  /** Whether fewer than 8 bits were allowed. */
  readonly isFree: boolean;
  readonly objective: Objective;
  /** Whether the loss is within what was allowed. */
  readonly kept: boolean;
}

/** Why a search ended where it did; null where another note says so. */
export function endNote(end: SearchEnd): string | null {
  const { limitedBy, reduction, isAsked, bitOpsReduction, mixed, isFree, objective, kept } = end;
  switch (limitedBy) {
    case 'loss':
      if (!kept) return null;
      return mixed
        ? 'The search stopped at these bits: saving more is expected to lose more than is allowed.'
        : 'The search stopped at 8 bits: fewer are expected to lose more than is allowed.';
    case 'reduction': {
      const less =
        objective === 'bitops' && reduction !== undefined && bitOpsReduction < 0.99 * reduction
          ? ` Recomputed halos and outlier patches leave ${timesText(bitOpsReduction)} of it.`
          : '';
      return isAsked
        ? `The search stopped at the reduction of ${timesText(reduction ?? 1)} that was set.${less}`
        : `The search stopped at a reduction of ${timesText(reduction ?? 1)}, the most it tries.${less}`;
    }
    case 'bits':
      if (mixed) return 'The search stopped at these bits: no other allowed choice saves more.';
      return isFree
        ? 'The search ended at 8 bits: no allowed choice saves anything.'
        : 'Everything stays at 8 bits, as the options say.';
    case 'score':
      return 'The search stopped where fewer bits no longer raise the entropy score.';
    case 'time':
      return 'The search stopped where the latency budget is met.';
    case 'person':
      return 'The search was stopped before its end; the plan is the best one found by then.';
  }
}
