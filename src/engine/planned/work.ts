import { chooseForms } from '../cost/forms';
import { totalInstructions, workInstructions } from '../cost/latency';
import type { Forms } from '../cost/layerForm';
import { scheduleWork, shareOf, type Work } from '../cost/work';
import { layerMacs } from '../graph/macs';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
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

/** @throws UserError naming `file` where the plan does not suit its graph */
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

/** MACs of a step that count, and how many bits they multiply. */
export interface StepMacs {
  readonly layer: LayerId;
  readonly macs: number;
  readonly bitOps: number;
}

/** MACs and BitOPs of one inference by step, recomputed halos included; those of a class by its share. */
export function plannedMacs(
  graph: Graph,
  { schedule, decisions, share }: Pick<PlannedWork, 'schedule' | 'decisions' | 'share'>,
): StepMacs[] {
  return schedule.steps.map(({ layer, kind, output, inputs, guard }) => {
    if (kind !== 'layer' || !isWeighted(graph.layers[layer]) || !output) return { layer, macs: 0, bitOps: 0 };
    const { y0, y1, x0, x1 } = output.region;
    const all = layerMacs(graph, graph.layers[layer], (y1 - y0) * (x1 - x0));
    const macs = all * (guard === null ? 1 : guard === 'outlier' ? share : 1 - share);
    return { layer, macs, bitOps: macs * decisions.weightBits(layer) * schedule.buffers[inputs[0].buffer].bits };
  });
}

/** Estimated instructions of one inference, all of them and by layer, and BitOPs by layer. */
export function plannedInstructions(
  graph: Graph,
  plan: PlannedDecisions,
  file: string,
): { readonly total: number; readonly layers: readonly number[]; readonly bitOps: readonly number[] } {
  const planned = plannedWork(graph, plan, file);
  const { work, forms, share, core } = planned;
  const bitOps = graph.layers.map(() => 0);
  for (const step of plannedMacs(graph, planned)) bitOps[step.layer] += step.bitOps;
  const layers = graph.layers.map(() => 0);
  workInstructions(work, core, forms).forEach((instructions, i) => {
    layers[work[i].layer] += instructions * shareOf(work[i], share);
  });
  return { total: totalInstructions(work, share, core, forms), layers, bitOps };
}
