import * as path from 'node:path';
import { defaultCachePath } from '../engine/calibration/cache';
import { UserError } from '../engine/common/errors';
import { GENERATOR } from '../engine/common/generator';
import { relativeTo } from '../engine/plan/relativeTo';
import { hashBytes, hashModel, modelPathOf, readPlan, writeFilesWhole, writePlanWhole } from '../engine/plan/files';
import { searchedBits } from '../engine/graph/bits';
import { encodeParameters } from '../engine/plan/parametersFile';
import { formatPlan, parametersFileName, parsePlan } from '../engine/plan/sidecar';
import { toldOf } from '../engine/plan/toldOf';
import type { Plan, PlanAccount } from '../engine/plan/types';
import { checkCancelled, type Progress } from '../engine/common/progress';
import { settingsAt, writePointAsPlan } from '../engine/sweep/pick';
import { SweepSession } from '../engine/sweep/session';
import { runSweep, sweepValues } from '../engine/sweep/sweep';
import { readSweeps, sweepsPathOf, writeSweep } from '../engine/sweep/tableFile';
import type { Sweep, SweepDecisions, SweepPoint, SweepSettings } from '../engine/sweep/types';
import type { OpenedPlan } from '../engine/planned/open';
import type { SweepRequest, SweepService, SweepView } from '../protocol/sweeps';

/**
 * Sweeps of the plans that the host shows.
 * @param open opens a plan, with what is kept of its model
 */
export function sweepService(open: (planPath: string) => Promise<OpenedPlan>, progress: Progress): SweepService {
  return {
    sweep: async (request) => {
      sweepValues(request.parameter, request.values);
      const opened = await open(request.planPath);
      const { plan, planPath } = opened;
      const session = await sessionOf(plan, planPath, progress);
      const settings = settingsOf(plan, planPath, session, request);
      const sweep = await runSweep(
        session,
        {
          parameter: request.parameter,
          values: request.values,
          settings,
          imagesPath: request.evaluate?.imagesPath ?? null,
          locked: plan,
          base: { decisions: decisionsIn(plan), account: plan.account, parameters: opened.parameters },
        },
        progress,
      );
      await writeSweep(planPath, { generator: GENERATOR, model: plan.model }, sweep);
      return viewOf(sweep, plan, true);
    },

    sweeps: async (planPath) => {
      const table = await readSweeps(planPath);
      if (!table) return [];
      const plan = await readPlan(planPath);
      const sameModel = table.model.sha256 === (await hashModel(modelPathOf(planPath, plan)));
      return table.sweeps.map((sweep) =>
        viewOf(sweep, plan, sameModel && sweep.settings.calibration.key === plan.calibration.key),
      );
    },

    pickSweepPoint: async ({ planPath, parameter, value }) => {
      const table = await readSweeps(planPath);
      const sweep = table?.sweeps.find((s) => s.parameter === parameter);
      const point = sweep?.points.find((p) => p.value === value);
      const decisions = point?.decisions;
      if (!table || !sweep || !point || !decisions)
        throw new UserError(`The sweeps beside ${planPath} have no such point. Run the sweep again.`);
      const plan = await readPlan(planPath);
      if (table.model.sha256 !== plan.model.sha256 || sweep.settings.calibration.key !== plan.calibration.key) {
        throw new UserError(
          `The model of ${planPath} or its calibration has changed since the sweep. Run the sweep again.`,
        );
      }
      const settings = settingsAt(sweep, value);
      if (parameter === 'phi' && sameBits(plan, decisions)) {
        // Weights know nothing of patches, so the plan's own serve.
        const picked = { ...plan, search: { ...plan.search, phi: value }, patchStage: decisions.patchStage };
        const text = formatPlan({ ...picked, account: accountAt(point, picked) });
        parsePlan(text, sweepsPathOf(planPath));
        await writeFilesWhole([{ path: planPath, data: text }]);
        return;
      }
      const session = await sessionOf(plan, planPath, progress);
      await writePointAsPlan(session, planPath, settings, { ...point, decisions }, progress);
    },

    fitWeights: async (planPath) => {
      const plan = await readPlan(planPath);
      const { graph, quantizer } = await sessionOf(plan, planPath, progress);
      const data = encodeParameters(graph, await quantizer.parameters(plan, true, progress));
      checkCancelled(progress);
      const file = parametersFileName(planPath);
      await writePlanWhole(
        { path: planPath, data: formatPlan({ ...plan, parameters: { file, sha256: hashBytes(data) } }) },
        { path: path.join(path.dirname(planPath), file), data },
      );
    },
  };
}

/**
 * The account of a plan with the classes that a point of φ gives its patches. Its loss and notes refer to others;
 * without the samples nothing is estimated again.
 */
function accountAt({ account, notes }: SweepPoint, plan: Plan): PlanAccount | undefined {
  const told = toldOf(plan);
  if (!account || plan.account?.toldOf === told) return plan.account;
  const { limitedBy, maps, layers } = account;
  return { limitedBy, notes: [...notes, UNESTIMATED], toldOf: told, maps, layers };
}

const UNESTIMATED = 'What these classes of patches lose was not estimated: evaluate the plan, or quantize with this φ.';

/** Opens the plan's samples again. @throws UserError when they are not those that the plan was calibrated on */
async function sessionOf(plan: Plan, planPath: string, progress: Progress): Promise<SweepSession> {
  const model = {
    modelPath: modelPathOf(planPath, plan),
    sizes: plan.model.sizes,
    imagesPath: path.resolve(path.dirname(planPath), plan.calibration.folder),
    preprocess: plan.preprocess,
    task: plan.task,
    head: plan.detection ?? 'none',
    cachePath: defaultCachePath(),
    file: planPath,
  };
  // A plan tells how many samples there were, not whether that was asked for or all that could be used.
  for (const limit of [plan.calibration.images, 0]) {
    const session = await SweepSession.open({ ...model, limit }, progress);
    if (session.calibration.key === plan.calibration.key) return session;
  }
  throw new UserError(
    `The sample images in ${model.imagesPath} or the model have changed since ${planPath} was made with them. ` +
      'Quantize the model again.',
  );
}

function settingsOf(
  plan: Plan,
  planPath: string,
  session: SweepSession,
  { evaluate, grid }: SweepRequest,
): SweepSettings {
  const { phi, lambda, epsilon, bits, weights, bitOpsTarget, objective } = plan.search;
  return {
    target: plan.target,
    preprocess: plan.preprocess,
    grid: grid ?? (plan.patchStage ? 'auto' : 'none'),
    bits: searchedBits(bits),
    weights,
    classes: plan.patchStage?.classMode ?? 'static',
    phi,
    lambda,
    epsilon,
    ...(bitOpsTarget === undefined ? {} : { bitOpsTarget }),
    ...(objective === undefined ? {} : { objective }),
    calibration: {
      key: plan.calibration.key,
      images: plan.calibration.images,
      folder: plan.calibration.folder,
      limit: session.model.limit,
    },
    evaluation: evaluate ? { folder: relativeTo(planPath, evaluate.imagesPath), limit: evaluate.limit } : null,
  };
}

function decisionsIn({ patchStage, tailStages, maps, layers }: Plan): SweepDecisions {
  return { patchStage, ...(tailStages?.length ? { tailStages } : {}), maps, layers };
}

function viewOf({ parameter, points, finished }: Sweep, plan: Plan, current: boolean): SweepView {
  const own = canonical(decisionsIn(plan));
  return {
    parameter,
    finished,
    current,
    // Several values may decide the same: of φ only the plan's own is meant.
    points: points.map(({ decisions, ...point }) => ({
      ...point,
      isPlan:
        current &&
        decisions !== null &&
        canonical(decisions) === own &&
        (parameter !== 'phi' || point.value === plan.search.phi),
    })),
  };
}

function sameBits(plan: Plan, decisions: SweepDecisions): boolean {
  return (
    canonical({ ...decisions, patchStage: null, tailStages: [] }) ===
    canonical({ maps: plan.maps, layers: plan.layers, patchStage: null })
  );
}

/**
 * Decisions as text that is equal for equal ones: locks, the order of names and entries that only repeat the default do
 * not matter.
 */
function canonical({ patchStage, tailStages, maps, layers }: SweepDecisions): string {
  const rows = (record: Readonly<Record<string, object>>): unknown[] =>
    Object.keys(record)
      .sort()
      .map((name) => [
        name,
        Object.entries({ ...record[name], locked: undefined })
          .filter(([key, v]) => v !== undefined && !(key !== 'inputBits' && v === 8))
          .sort(),
      ])
      .filter(([, row]) => (row as unknown[]).length > 0);
  return JSON.stringify([patchStage, tailStages ?? [], rows(maps), rows(layers)]);
}
