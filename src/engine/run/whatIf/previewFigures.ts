import { estimateFlash } from '../../cost/flashEstimate';
import { layerMacs } from '../../graph/macs';
import { isWeighted, type Graph } from '../../graph/types';
import type { ScheduleStep } from '../../schedule/schedule';
import { layoutScheduleWithin } from '../../schedule/scheduleArena';
import { isOutside } from '../../graph/bits';
import { plannedWork } from '../../planned/work';
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
  /** Limits of the board, which may be different after the change. */
  readonly target: Pick<TargetFacts, 'name' | 'core' | 'sramBytes' | 'flashBytes'>;
}

/**
 * SRAM, BitOPs and weights of a plan from its schedule alone, without quantizing weights: what the editor shows at once
 * after a change. Arena and latency are those of the view that follows; flash is an estimate.
 *
 * @throws UserError where the plan does not match its graph
 */
export function previewFigures(graph: Graph, plan: Plan, file: string): PreviewFigures {
  const { decisions, schedule, work: calls, forms, share, core } = plannedWork(graph, plan, file);
  let macs = 0;
  let bitOps = 0;
  for (const step of schedule.steps) {
    const work = stepMacs(graph, step) * (step.guard === null ? 1 : step.guard === 'outlier' ? share : 1 - share);
    if (work === 0) continue;
    macs += work;
    bitOps += work * decisions.weightBits(step.layer) * schedule.buffers[step.inputs[0].buffer].bits;
  }
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

/** MACs of one step: those of the pixels that it computes. */
function stepMacs(graph: Graph, step: ScheduleStep): number {
  const layer = graph.layers[step.layer];
  if (step.kind !== 'layer' || !isWeighted(layer) || !step.output) return 0;
  const { y0, y1, x0, x1 } = step.output.region;
  return layerMacs(graph, layer, (y1 - y0) * (x1 - x0));
}
