import { chooseForms } from '../cost/forms';
import { totalInstructions, workInstructions } from '../cost/latency';
import type { Forms } from '../cost/layerForm';
import { scheduleWork, shareOf, type Work } from '../cost/work';
import type { Graph } from '../graph/types';
import type { Plan } from '../plan/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { buildSchedule, type Schedule } from '../schedule/schedule';
import { scheduleRules } from '../schedule/scheduleRules';
import { flashOptions } from '../targets/capacity';
import { coreOf } from '../targets/targets';
import type { Core } from '../targets/types';
import { decisionsOf } from './decisions';
import { outlierShare, resolveStage, resolveTailStages } from './stage';

/** What of a plan its work follows from. */
export type PlannedDecisions = Pick<Plan, 'maps' | 'layers' | 'detection' | 'patchStage' | 'tailStages' | 'target'>;

/** What a plan computes, known from its schedule without weights. */
export interface PlannedWork {
  readonly decisions: BitDecisions;
  readonly schedule: Schedule;
  /** The calls of the schedule, in order. */
  readonly work: readonly Work[];
  /** The forms that weights have in sources of the plan, but where their values forbid it. */
  readonly forms: Forms;
  /** Share of branches of outlier class. */
  readonly share: number;
  readonly core: Core;
}

/** @throws UserError naming `file` where the plan does not match its graph */
export function plannedWork(graph: Graph, plan: PlannedDecisions, file: string): PlannedWork {
  const decisions = decisionsOf(graph, plan, file);
  const stage = resolveStage(graph, plan.patchStage, file);
  const { bits, options } = scheduleRules(graph, stage?.stage.splitMap ?? null, decisions, plan.target.input);
  const schedule = buildSchedule(graph, stage, bits, { ...options, tailStages: resolveTailStages(graph, plan, file) });
  const work = scheduleWork(graph, schedule, bits);
  const { optimize, target } = flashOptions(plan.target);
  return {
    decisions,
    schedule,
    work,
    forms: chooseForms(work, { optimize, ...target }),
    share: plan.patchStage ? outlierShare(plan.patchStage) : 0,
    core: coreOf(plan.target),
  };
}

/** Estimated instructions of one inference, all of them and by layer. */
export function plannedInstructions(
  graph: Graph,
  plan: PlannedDecisions,
  file: string,
): { readonly total: number; readonly layers: readonly number[] } {
  const { work, forms, share, core } = plannedWork(graph, plan, file);
  const layers = graph.layers.map(() => 0);
  workInstructions(work, core, forms).forEach((instructions, i) => {
    layers[work[i].layer] += instructions * shareOf(work[i], share);
  });
  return { total: totalInstructions(work, share, core, forms), layers };
}
