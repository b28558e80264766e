import { estimateFlash } from '../../cost/flashEstimate';
import type { Graph } from '../../graph/types';
import { layoutScheduleWithin } from '../../schedule/scheduleArena';
import { isOutside } from '../../graph/bits';
import { plannedMacs, plannedWork } from '../../planned/work';
import type { Plan } from '../../plan/types';
import { instructionsMs, totalInstructions } from '../../cost/latency';
import { boardOf, targetOf, type TargetFacts } from '../../targets/targetFacts';

/** Figures that are known at once after a change, from the schedule alone. The exact ones follow with the view. */
export interface PreviewFigures {
  readonly arenaBytes: number;
  readonly macs: number;
  readonly bitOps: number;
  readonly bitOpsInt8: number;
  /** Weights, tables and code before the weights are quantized: to be compared with the view's own estimate. */
  readonly flashEstimate: number;
  readonly latencyMs: number | null;
  /** Limits of the board, which the change may have changed. */
  readonly target: Pick<TargetFacts, 'name' | 'core' | 'sramBytes' | 'flashBytes'>;
}

/**
 * SRAM, BitOPs and weights of a plan from its schedule alone, without quantizing weights: what the editor shows at once
 * after a change. Arena and latency are those of the view that follows; flash is an estimate.
 *
 * @throws UserError where the plan does not suit its graph
 */
export function previewFigures(graph: Graph, plan: Plan, file: string): PreviewFigures {
  const planned = plannedWork(graph, plan, file);
  const { schedule, work: calls, forms, share, core } = planned;
  const steps = plannedMacs(graph, planned);
  const macs = steps.reduce((sum, s) => sum + s.macs, 0);
  const bitOps = steps.reduce((sum, s) => sum + s.bitOps, 0);
  const target = targetOf(plan.target);
  const { name, sramBytes, flashBytes } = target;
  return {
    arenaBytes: layoutScheduleWithin(graph, schedule, isOutside(plan.target.input), plan.target.sramBytes).bytes,
    macs,
    bitOps,
    bitOpsInt8: macs * 64,
    flashEstimate: estimateFlash(calls, forms, core),
    latencyMs: instructionsMs(totalInstructions(calls, share, core, forms), boardOf(target)),
    target: { name, core, sramBytes, flashBytes },
  };
}
