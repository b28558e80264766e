import { openPlan, type OpenedPlan } from '../engine/planned/open';
import { modelPathOf, readPlan } from '../engine/plan/files';
import { parsePlan } from '../engine/plan/sidecar';
import type { Plan } from '../engine/plan/types';
import type { ModelStore } from './models';

/**
 * Opens a plan; a calibration cached on this machine serves one whose bits were edited by hand.
 *
 * @param plan where it is not the file's
 */
export function open(models: ModelStore, planPath: string, plan?: Plan): Promise<OpenedPlan> {
  return openPlan(planPath, {
    ...(plan === undefined ? {} : { plan }),
    model: (modelPath, model) => models.model(modelPath, model),
    calibration: (key, graph) => models.calibration(key, graph),
  });
}

/**
 * {@link open} for what is only looked at: the plan that was opened last is not opened again as long as its text and
 * its model are the same.
 */
export async function openKept(models: ModelStore, planPath: string, text?: string): Promise<OpenedPlan> {
  const plan = text === undefined ? await readPlan(planPath) : parsePlan(text, planPath);
  const { graph } = await models.model(modelPathOf(planPath, plan), plan.model);
  return models.opened(graph, JSON.stringify([planPath, plan]), () => open(models, planPath, plan));
}
