import { UserError } from '../common/errors';
import { instructionsMs } from '../cost/latency';
import { int8Instructions } from '../cost/scheduleInstructions';
import type { Bits } from '../graph/bits';
import type { Graph } from '../graph/types';
import type { ExpectedLoss, SearchLimit } from '../plan/types';
import { targets } from '../targets/targets';
import { expectedMs } from './expectedMs';
import { DEFAULTS, type QuantizeOptions } from './options';
import type { MeasuredLimits, Searched } from './planWriter';
import type { Quantized, Quantizer } from './quantizer';
import { quantizeWorthwhile } from './worthwhile';

/** What a run found, and how. */
export type Found = Searched & {
  readonly loss?: ExpectedLoss | null;
  readonly limitedBy?: SearchLimit;
  /** The run was stopped early, and what it had reached was kept. */
  readonly keptEarly?: boolean;
};

/**
 * The limits that were given, or the default ones; none where everything stays at 8 bits, and for the entropy score.
 */
export function measuredLimits({
  search,
  bits,
  objective,
  latencyBudget,
  bitOpsTarget,
  accuracyBudget,
}: QuantizeOptions): MeasuredLimits | null {
  if (search === 'entropy') return null;
  // A reduction that is asked for is one of BitOPs, unless something else is named.
  const wanted = objective ?? (bitOpsTarget === undefined ? 'latency' : 'bitops');
  const worthwhile = objective === undefined && bitOpsTarget === undefined && latencyBudget === undefined;
  if (bitOpsTarget !== undefined || accuracyBudget !== undefined)
    return { objective: wanted, latencyBudget, bitOpsTarget, accuracyBudget, worthwhile };
  if (latencyBudget !== undefined) return { objective: wanted, latencyBudget };
  const free = (bits ?? DEFAULTS.bits).some((b) => b < 8);
  return free ? { objective: wanted, accuracyBudget: DEFAULTS.accuracyBudget, worthwhile } : null;
}

/** Quantizes as the limits ask. */
export async function quantizeTo(
  graph: Graph,
  quantizer: Quantizer,
  { target, search, bits = DEFAULTS.bits }: QuantizeOptions,
  limits: MeasuredLimits | null,
  notes: string[],
  onBetter: (better: Found) => Promise<void>,
): Promise<Found> {
  if (limits === null) {
    const found = await quantizer.quantize();
    return { ...found, limitedBy: search === 'entropy' ? endedBy(found.decision, bits) : 'bits' };
  }
  const { bitOpsTarget, accuracyBudget } = limits;
  if (limits.latencyBudget !== undefined) return quantizeInTime(graph, quantizer, target, limits, notes, onBetter);
  if (accuracyBudget !== undefined && limits.worthwhile === true)
    return quantizeWorthwhile(quantizer, accuracyBudget, onBetter);
  if (accuracyBudget !== undefined) return quantizer.quantizeWithin(accuracyBudget, bitOpsTarget, onBetter);
  const found = await quantizer.quantize(bitOpsTarget, null, true);
  return { ...found, reduction: bitOpsTarget, limitedBy: endedBy(found.decision, bits, bitOpsTarget) };
}

/** What ended a single decision: by a reduction that was asked for, or by the entropy score. */
export function endedBy(
  { reduction }: Pick<Quantized['decision'], 'reduction'>,
  bits: readonly Bits[],
  wanted?: number,
): SearchLimit {
  if (wanted !== undefined) return isReached(reduction, wanted) ? 'reduction' : 'bits';
  return bits.some((b) => b < 8) ? 'score' : 'bits';
}

/** Whether the choice of bits has the reduction that was asked for. */
function isReached(reduction = 1, wanted: number): boolean {
  return reduction >= 0.999 * wanted;
}

/** More is not tried: 4-bit weights and maps everywhere save less. */
const MOST_SPEEDUP = 4;
/** Attempts to meet a time: each quantizes for real, because only then are halos known. The last tries the most. */
const TIME_ATTEMPTS = 4;

/**
 * The smallest reduction whose inference is expected to take no longer than the budget; within the accuracy budget,
 * where there is one.
 */
async function quantizeInTime(
  graph: Graph,
  quantizer: Quantizer,
  target: QuantizeOptions['target'],
  { latencyBudget = Infinity, accuracyBudget }: MeasuredLimits,
  notes: string[],
  onBetter: (better: Found) => Promise<void>,
): Promise<Found> {
  const board = targets.find(({ id }) => id === target.id);
  if (!board)
    throw new UserError(
      'A latency budget needs a board with a known clock rate: choose one with --target, and set its sizes ' +
        'with --sram and --flash.',
    );
  const { weighted, others } = int8Instructions(graph, board.core);
  const allowed = latencyBudget / instructionsMs(1, board)!;
  let reduction = Math.min(MOST_SPEEDUP, Math.max(1, allowed > others ? weighted / (allowed - others) : MOST_SPEEDUP));
  for (let attempt = 1; ; attempt++) {
    const found: Found =
      accuracyBudget === undefined
        ? { ...(await quantizer.quantize(reduction)), reduction, limitedBy: 'bits' }
        : await quantizer.quantizeWithin(accuracyBudget, reduction, onBetter);
    const taken = expectedMs(found.program, target, found.decision.patchStage)!;
    if (taken <= latencyBudget) return { ...found, limitedBy: 'time' };
    const next =
      attempt >= TIME_ATTEMPTS - 1 ? MOST_SPEEDUP : Math.min(MOST_SPEEDUP, (reduction * taken) / latencyBudget);
    const ended = attempt === TIME_ATTEMPTS || next <= reduction || !isReached(found.decision.reduction, reduction);
    if (ended || found.limitedBy === 'loss') {
      const within = found.limitedBy === 'loss' ? ' within the accuracy budget' : ' with these bits';
      notes.push(`Over the latency budget: ${taken.toFixed(1)} ms expected${within}, ${latencyBudget} ms allowed.`);
      return { ...found, limitedBy: found.limitedBy === 'loss' ? 'loss' : 'bits' };
    }
    reduction = next;
  }
}
