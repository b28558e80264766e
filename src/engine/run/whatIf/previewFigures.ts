import { scheduleInstructions } from '../../cost/scheduleInstructions';
import { layerMacs } from '../../graph/macs';
import { isWeighted, type Graph } from '../../graph/types';
import { buildSchedule, type ScheduleStep } from '../../schedule/schedule';
import { layoutSchedule } from '../../schedule/scheduleArena';
import { decisionsOf } from '../../planned/decisions';
import { isOutside } from '../../graph/bits';
import { outlierShare, resolveStage, resolveTailStages } from '../../planned/stage';
import type { Plan } from '../../plan/types';
import { scheduleRules } from '../../schedule/scheduleRules';
import { instructionsMs } from '../../cost/latency';
import { coreOf } from '../../targets/targets';
import { boardOf, targetOf, type TargetFacts } from '../../targets/targetFacts';

/** Figures that are known at once after a change, from the schedule alone. The exact ones follow with the view. */
export interface PreviewFigures {
  readonly arenaBytes: number;
  readonly macs: number;
  readonly bitOps: number;
  readonly bitOpsInt8: number;
  /** Weight codes without tables and code. */
  readonly weightCodeBytes: number;
  readonly latencyMs: number | null;
  /** Limits of the board, which the change may have changed. */
  readonly target: Pick<TargetFacts, 'name' | 'core' | 'sramBytes' | 'flashBytes'>;
}

/**
 * SRAM, BitOPs and weights of a plan from its schedule alone, without quantizing weights: what the editor shows at once
 * after a change. The arena is laid out with less effort than lowering spends, so it may come out a little larger than
 * what the plan gets in the end.
 *
 * @throws UserError where the plan does not suit its graph
 */
export function previewFigures(graph: Graph, plan: Plan, file: string): PreviewFigures {
  const decisions = decisionsOf(graph, plan, file);
  const stage = resolveStage(graph, plan.patchStage, file);
  const { bits, options } = scheduleRules(graph, stage?.stage.splitMap ?? null, decisions, plan.target.input);
  const schedule = buildSchedule(graph, stage, bits, { ...options, tailStages: resolveTailStages(graph, plan, file) });
  const share = plan.patchStage ? outlierShare(plan.patchStage) : 0;
  let macs = 0;
  let bitOps = 0;
  for (const step of schedule.steps) {
    const work = stepMacs(graph, step) * (step.guard === null ? 1 : step.guard === 'outlier' ? share : 1 - share);
    if (work === 0) continue;
    macs += work;
    bitOps += work * decisions.weightBits(step.layer) * schedule.buffers[step.inputs[0].buffer].bits;
  }
  const weightCodeBytes = graph.layers.reduce(
    (sum, layer) =>
      sum + (isWeighted(layer) ? Math.ceil((layer.weights.length * decisions.weightBits(layer.id)) / 8) : 0),
    0,
  );
  const target = targetOf(plan.target);
  const { name, core, sramBytes, flashBytes } = target;
  return {
    arenaBytes: layoutSchedule(graph, schedule, isOutside(plan.target.input), { effort: 'quick' }).bytes,
    macs,
    bitOps,
    bitOpsInt8: macs * 64,
    weightCodeBytes,
    latencyMs: instructionsMs(scheduleInstructions(graph, schedule, bits, share, coreOf(plan.target)), boardOf(target)),
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
