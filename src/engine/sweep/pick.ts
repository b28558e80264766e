import * as path from 'node:path';
import { GENERATOR } from '../common/generator';
import { relativeTo } from '../plan/relativeTo';
import { hashBytes, writePlanWhole } from '../plan/files';
import { encodeParameters } from '../plan/parametersFile';
import { formatPlan, parametersFileName, parsePlan } from '../plan/sidecar';
import type { Plan } from '../plan/types';
import { checkCancelled, type Progress } from '../common/progress';
import type { SweepSession } from './session';
import { sweepsPathOf } from './tableFile';
import type { Sweep, SweepDecisions, SweepSettings } from './types';

/** Settings of a sweep with the varied parameter at one of its values. */
export function settingsAt(
  { parameter, settings }: Pick<Sweep, 'parameter' | 'settings'>,
  value: number,
): SweepSettings {
  switch (parameter) {
    case 'phi':
      return { ...settings, phi: value };
    case 'lambda':
      return { ...settings, lambda: value, bitOpsTarget: undefined, objective: undefined };
    case 'bitops-target':
      return { ...settings, bitOpsTarget: value, objective: undefined };
  }
}

/**
 * Makes a point's decisions a plan: quantizes its weights as they were for the point, and writes sidecar and
 * parameters, both whole or neither.
 *
 * @param settings with the point's value, see {@link settingsAt}
 * @throws UserError when they cannot be written; CancelledError
 */
export async function writePointAsPlan(
  session: SweepSession,
  planPath: string,
  settings: SweepSettings,
  decisions: SweepDecisions,
  progress: Progress,
): Promise<Plan> {
  const { model, graph, calibration } = session;
  const planWith = (sha256: string): Plan => ({
    version: 1,
    generator: GENERATOR,
    model: {
      file: relativeTo(planPath, model.modelPath),
      sha256: session.sha256,
      ...(model.sizes ? { sizes: model.sizes } : {}),
    },
    preprocess: settings.preprocess,
    ...(session.quantizer.sureTask ? { task: session.quantizer.sureTask } : {}),
    ...(session.head ? { detection: session.head.head } : {}),
    target: settings.target,
    search: searchOf(settings),
    calibration: { key: calibration.key, images: calibration.images, folder: relativeTo(planPath, model.imagesPath) },
    ...decisions,
    parameters: { file: parametersFileName(planPath), sha256 },
  });
  // A table is a file that anybody may have written: what it decides is checked like a sidecar before anything is made
  // of it.
  parsePlan(formatPlan(planWith('0'.repeat(64))), sweepsPathOf(planPath));
  const parameters = encodeParameters(
    graph,
    await session.quantizer.parameters(decisions, settings.compensate ?? true, progress),
  );
  const plan = planWith(hashBytes(parameters));
  checkCancelled(progress);
  await writePlanWhole(
    { path: planPath, data: formatPlan(plan) },
    { path: path.join(path.dirname(planPath), plan.parameters.file), data: parameters },
  );
  return plan;
}

/** A plan's record of how it was searched. */
export function searchOf({
  bitOpsTarget,
  objective,
  phi,
  lambda,
  epsilon,
  bits,
  weights,
}: SweepSettings): Plan['search'] {
  return {
    method: bitOpsTarget === undefined ? 'entropy' : 'sensitivity',
    ...(bitOpsTarget === undefined ? {} : { bitOpsTarget }),
    ...(objective === undefined ? {} : { objective }),
    phi,
    lambda,
    epsilon,
    bits,
    weights,
  };
}
