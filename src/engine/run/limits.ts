import { UserError } from '../common/errors';
import { instructionsMs, latencyMs } from '../cost/latency';
import { int8Instructions } from '../cost/scheduleInstructions';
import type { Graph } from '../graph/types';
import { outlierShare } from '../planned/stage';
import { targets } from '../targets/targets';
import { DEFAULTS, type QuantizeOptions } from './options';
import type { MeasuredLimits } from './planWriter';
import type { Quantized, Quantizer } from './quantizer';
import type { ExpectedLoss } from './quantizeSummary';

/** What a run found, and how. */
export type Found = Quantized & {
  readonly reduction?: number;
  readonly loss?: ExpectedLoss;
  readonly limitedBy?: 'loss' | 'reduction';
  /** The run was ended before its time, and what it had reached was to be kept. */
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
  if (bitOpsTarget !== undefined || accuracyBudget !== undefined)
    return { objective: wanted, latencyBudget, bitOpsTarget, accuracyBudget };
  if (latencyBudget !== undefined) return { objective: wanted, latencyBudget };
  const free = (bits ?? DEFAULTS.bits).some((b) => b < 8);
  return free ? { objective: wanted, accuracyBudget: DEFAULTS.accuracyBudget } : null;
}

/** Quantizes as the limits ask. */
export async function quantizeTo(
  graph: Graph,
  quantizer: Quantizer,
  { target }: QuantizeOptions,
  limits: MeasuredLimits | null,
  notes: string[],
  onBetter: (better: Found) => Promise<void>,
): Promise<Found> {
  if (limits === null) return quantizer.quantize();
  const { bitOpsTarget, accuracyBudget } = limits;
  if (limits.latencyBudget !== undefined) return quantizeInTime(graph, quantizer, target, limits, notes, onBetter);
  if (accuracyBudget !== undefined) return quantizer.quantizeWithin(accuracyBudget, bitOpsTarget, notes, onBetter);
  return { ...(await quantizer.quantize(bitOpsTarget)), reduction: bitOpsTarget, limitedBy: 'reduction' };
}

/** More is not tried: 4-bit weights and maps everywhere save less. */
const MOST_SPEEDUP = 4;
/** Attempts at a time: each quantizes for real, and halos are known then only. */
const TIME_ATTEMPTS = 3;

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
      'A latency budget needs a board whose clock rate is known: name one by --target, and its sizes by --sram and ' +
        '--flash.',
    );
  const { weighted, others } = int8Instructions(graph, board.core);
  const allowed = latencyBudget / instructionsMs(1, board)!;
  let reduction = Math.min(MOST_SPEEDUP, Math.max(1, allowed > others ? weighted / (allowed - others) : MOST_SPEEDUP));
  for (let attempt = 1; ; attempt++) {
    const found: Found =
      accuracyBudget === undefined
        ? { ...(await quantizer.quantize(reduction)), reduction, limitedBy: 'reduction' }
        : await quantizer.quantizeWithin(accuracyBudget, reduction, notes, onBetter);
    const stage = found.decision.patchStage;
    const taken = latencyMs(found.program, board, stage ? outlierShare(stage) : 0)!;
    if (taken <= latencyBudget) return found;
    const next = Math.min(MOST_SPEEDUP, reduction * (taken / latencyBudget));
    // An accuracy budget has tried what it allows.
    if (attempt === TIME_ATTEMPTS || next <= reduction || accuracyBudget !== undefined) {
      notes.push(
        `Over the latency budget: ${taken.toFixed(1)} ms of ${latencyBudget} ms are expected` +
          `${accuracyBudget === undefined ? '' : ' within the accuracy budget'}.`,
      );
      return found;
    }
    reduction = next;
  }
}
