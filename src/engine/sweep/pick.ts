import * as path from 'node:path';
import { assembled } from '../codegen/flash';
import { GENERATOR } from '../common/generator';
import { modelOf } from '../plan/modelOf';
import { relativeTo } from '../plan/relativeTo';
import { hashBytes, writePlanWhole } from '../plan/files';
import { encodeParameters } from '../plan/parametersFile';
import { formatPlan, parametersFileName, parsePlan } from '../plan/sidecar';
import type { Plan, PlanAccount } from '../plan/types';
import { checkCancelled, type Progress } from '../common/progress';
import { orderNotes } from '../program/portOrder';
import type { Program } from '../program/types';
import { flashNotes } from '../run/flashNotes';
import { isMixed } from '../run/isMixed';
import { endNote, lossNotes } from '../run/lossNotes';
import { accountOf } from '../run/planWriter';
import { flashOptions } from '../targets/capacity';
import { figuresOf } from './figures';
import type { SweepSession } from './session';
import { sweepsPathOf } from './tableFile';
import type { Sweep, SweepDecisions, SweepPoint, SweepSettings } from './types';

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

/** What of a point becomes a plan. */
type PickedPoint = Pick<SweepPoint, 'account' | 'notes'> & { readonly decisions: SweepDecisions };

/**
 * Makes a point's decisions a plan: quantizes its weights as they were for the point, and writes sidecar and
 * parameters, both whole or neither.
 *
 * @param settings with the point's value, see {@link settingsAt}
 * @param point    with an account of its decisions, the plan records it beside the loss that is expected of it
 * @throws UserError when they cannot be written; CancelledError
 */
export async function writePointAsPlan(
  session: SweepSession,
  planPath: string,
  settings: SweepSettings,
  point: PickedPoint,
  progress: Progress,
): Promise<Plan> {
  const { decisions, account, notes } = point;
  const { model, graph, calibration } = session;
  const planWith = (sha256: string, told?: PlanAccount): Plan => ({
    version: 1,
    generator: GENERATOR,
    model: modelOf(planPath, { ...model, sha256: session.sha256 }, graph),
    preprocess: settings.preprocess,
    ...(session.quantizer.sureTask ? { task: session.quantizer.sureTask } : {}),
    ...(session.head ? { detection: session.head.head } : {}),
    target: settings.target,
    search: searchOf(settings),
    calibration: { key: calibration.key, images: calibration.images, folder: relativeTo(planPath, model.imagesPath) },
    ...decisions,
    ...(told ? { account: told } : {}),
    parameters: { file: parametersFileName(planPath), sha256 },
  });
  // A table is a file that anybody may have written: what it decides is checked like a sidecar before anything is made
  // of it.
  const unmeasured = account && { ...account, notes };
  parsePlan(formatPlan(planWith('0'.repeat(64), unmeasured)), sweepsPathOf(planPath));
  const quantized = await session.quantizer.parameters(decisions, settings.compensate ?? true, progress);
  const program = session.quantizer.lower(decisions, quantized, settings.target);
  const parameters = encodeParameters(graph, quantized);
  const told = account && (await accountWith(session, settings, { decisions, account, notes }, program, progress));
  const plan = planWith(hashBytes(parameters), told);
  checkCancelled(progress);
  await writePlanWhole(
    { path: planPath, data: formatPlan(plan) },
    { path: path.join(path.dirname(planPath), plan.parameters.file), data: parameters },
  );
  return plan;
}

/** The account of a point that becomes the plan: with what `quantize` would tell of it. */
async function accountWith(
  session: SweepSession,
  settings: SweepSettings,
  { decisions, account: { limitedBy, maps, layers }, notes }: Required<PickedPoint>,
  program: Program,
  progress: Progress,
): Promise<PlanAccount> {
  const { graph } = session;
  const estimator = session.lossEstimator(settings.compensate ?? true);
  const loss = estimator.hasWeights ? await estimator.lossOf(program, null, progress) : null;
  const mixed = isMixed(decisions);
  const { total } = assembled(program, flashOptions(settings.target)).flash;
  const end = endNote({
    limitedBy,
    reduction: settings.bitOpsTarget,
    isAsked: settings.bitOpsTarget !== undefined,
    bitOpsReduction: figuresOf(graph, program, decisions.patchStage, settings.target).reduction,
    mixed,
    isFree: settings.bits.some((bits) => bits < 8),
    objective: settings.objective ?? 'bitops',
    kept: true,
  });
  const all = [
    ...session.notes,
    ...notes,
    ...orderNotes(program.inputs, program.outputs),
    ...flashNotes(total, settings.target),
    ...(loss === null ? [] : lossNotes(loss, mixed, estimator.hasClasses)),
    ...(estimator.basis === null ? [] : [estimator.basis]),
    ...(end === null ? [] : [end]),
  ];
  return accountOf(
    { loss, limitedBy, notes: all },
    { reasons: { maps, layers } },
    { ...decisions, target: settings.target },
  );
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
