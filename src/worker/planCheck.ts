import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../engine/common/errors';
import { hashBytes, modelPathOf, readParameters, readPlan } from '../engine/plan/files';
import { openPlan } from '../engine/planned/open';
import { parsePlan } from '../engine/plan/sidecar';
import type { Plan } from '../engine/plan/types';
import type { PlanProblem, ViewRequest } from '../protocol/engine';
import type { ModelStore } from './models';

/** Looks at a plan, at the files that it names, and whether it can be opened. Reads only. */
export async function planProblems({ planPath, planText }: ViewRequest, models: ModelStore): Promise<PlanProblem[]> {
  let plan: Plan;
  let modelPath: string;
  try {
    plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
    modelPath = modelPathOf(planPath, plan);
  } catch (error) {
    return [invalid(error, planPath, undefined)];
  }
  const problems: PlanProblem[] = [];
  const images = await imagesProblem(plan, planPath);
  if (images) problems.push(images);
  if (
    !(await fs.stat(modelPath).then(
      (stat) => stat.isFile(),
      () => false,
    ))
  ) {
    return [
      {
        code: 'model-missing',
        severity: 'error',
        place: ['model', 'file'],
        message: `The model ${plan.model.file} does not exist.`,
      },
      ...problems,
    ];
  }
  try {
    const { sha256, graph } = await models.model(modelPath, plan.model);
    if (sha256 !== plan.model.sha256) {
      return [
        {
          code: 'model-changed',
          severity: 'error',
          place: ['model', 'sha256'],
          message: `${plan.model.file} has changed since this plan was made. Quantize it again.`,
        },
        ...problems,
      ];
    }
    const calibration = await models.calibration(plan.calibration.key, graph);
    const parameters = await parametersProblem(plan, planPath, calibration !== null);
    if (parameters) problems.unshift(parameters);
    if (parameters?.severity !== 'error') {
      await openPlan(planPath, {
        plan,
        model: () => Promise.resolve({ sha256, graph }),
        calibration: () => Promise.resolve(calibration),
      });
    }
  } catch (error) {
    problems.unshift(invalid(error, planPath, plan));
  }
  return problems;
}

async function imagesProblem(plan: Plan, planPath: string): Promise<PlanProblem | null> {
  const { folder } = plan.calibration;
  // A server that a plan names is not asked for anything.
  const isRemote = /^[/\\]{2}/.test(folder);
  const found =
    !isRemote &&
    (await fs.stat(path.resolve(path.dirname(planPath), folder)).then(
      () => true,
      () => false,
    ));
  if (found) return null;
  return {
    code: 'images-missing',
    severity: 'warning',
    place: ['calibration', 'folder'],
    message: `The sample images ${folder} do not exist: quantizing again needs them.`,
  };
}

/** The parameter file is compared by its hash; with a cached calibration its content can be computed again. */
async function parametersProblem(plan: Plan, planPath: string, calibrated: boolean): Promise<PlanProblem | null> {
  const { file, sha256 } = plan.parameters;
  const bytes = await readParameters(planPath, plan.parameters);
  if (bytes && hashBytes(bytes) === sha256) return null;
  const what = bytes ? `${file} does not belong to this plan` : `${file} is missing`;
  const then = calibrated
    ? 'its content is computed from the calibration that is cached on this machine. Commit it together with the ' +
      'plan, or quantize again.'
    : 'quantize again.';
  return {
    code: bytes ? 'parameters-other' : 'parameters-missing',
    severity: calibrated ? 'warning' : 'error',
    place: ['parameters', 'file'],
    message: `${what}: ${then}`,
  };
}

/** An error of reading or opening, at the value that its message names. */
function invalid(error: unknown, planPath: string, plan: Plan | undefined): PlanProblem {
  if (!(error instanceof UserError)) throw error;
  const message = error.message.startsWith(`${planPath}: `) ? error.message.slice(planPath.length + 2) : error.message;
  return { code: 'invalid', severity: 'error', place: placeIn(message, plan), message };
}

function placeIn(message: string, plan: Plan | undefined): string[] {
  // The schema's check names a JSON pointer.
  const pointer = /^(\/\S+) /.exec(message)?.[1];
  if (pointer)
    return pointer
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const names = [...message.matchAll(/["'“]([^"'”]+)["'”]/g)].map(([, name]) => name);
  for (const name of names) {
    if (plan && Object.hasOwn(plan.maps, name)) return ['maps', name];
    if (plan && Object.hasOwn(plan.layers, name)) return ['layers', name];
  }
  return [];
}
