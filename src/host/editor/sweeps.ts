import * as vscode from 'vscode';
import type { SweepView } from '../../protocol/sweeps';
import { askImagesPath } from '../commands/quantizeChoices';
import { nameOf } from '../planFiles';
import type { Services } from '../services';
import { pick, runSteps, type Choice, type Step } from '../steps';
import type { ModelDocument } from './document';

type Parameter = SweepView['parameter'];

/** Values that a sweep goes through. */
const VALUES: Readonly<Record<Parameter, readonly number[]>> = {
  phi: [0.5, 0.8, 0.9, 0.96, 0.99, 0.999, 0.9999],
  lambda: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  'bitops-target': [1.2, 1.5, 1.8, 2.2, 2.6, 3],
};

/** Asks for the images to measure on and runs a sweep with progress. @returns false when the user left */
export async function runSweep(
  document: ModelDocument,
  { engine, jobs, memory }: Pick<Services, 'engine' | 'jobs' | 'memory'>,
  parameter: Parameter,
): Promise<boolean> {
  if (!Object.hasOwn(VALUES, parameter)) throw new Error(`The page may not sweep '${String(parameter)}'.`);
  if (!vscode.workspace.isTrusted)
    throw new Error(vscode.l10n.t('Quantizing and generating sources need a trusted workspace.'));
  const title = vscode.l10n.t('Run Sweep');
  const key = `evaluate.images:${document.uri.toString()}`;
  let imagesPath = memory.get<string>(key);
  let limit = 0;
  const askLimit: Step = async (place) => {
    limit = await pick(
      place,
      vscode.l10n.t('On how many images should the accuracy of each point be measured?'),
      limits(),
    );
  };
  if (!(await runSteps(title, [askLimit]))) return false;
  if (limit >= 0) {
    const askImages: Step = async (place) => {
      imagesPath = await askImagesPath(
        place,
        document.uri,
        imagesPath,
        vscode.l10n.t('Which folder has the images to evaluate on, in one folder per class or with a labels.csv?'),
      );
    };
    if (!(await runSteps(title, [askImages]))) return false;
    await memory.update(key, imagesPath);
  }
  await jobs.run(document.uri, vscode.l10n.t('Sweep {0}', nameOf(document.uri)), (options) =>
    engine.run(
      (e) =>
        e.sweep({
          planPath: document.plan.fsPath,
          parameter,
          values: VALUES[parameter],
          ...(limit >= 0 ? { evaluate: { imagesPath: imagesPath!, limit } } : {}),
        }),
      options,
    ),
  );
  return true;
}

function limits(): Choice<number>[] {
  return [
    ...[50, 100, 500].map((value) => ({ label: String(value), description: vscode.l10n.t('evenly spread'), value })),
    { label: vscode.l10n.t('All'), value: 0 },
    { label: vscode.l10n.t('None'), description: vscode.l10n.t('figures only, in seconds'), value: -1 },
  ];
}

/**
 * Fits the weights to the plan's bits, as one step that can be undone. Rejects with one line where that is not
 * possible.
 */
export async function fitWeights(
  document: ModelDocument,
  { engine, jobs }: Pick<Services, 'engine' | 'jobs'>,
): Promise<void> {
  if (!vscode.workspace.isTrusted)
    throw new Error(vscode.l10n.t('Quantizing and generating sources need a trusted workspace.'));
  await document.history.replacedBy(() =>
    jobs.run(document.uri, vscode.l10n.t('Fit the weights of {0}', nameOf(document.uri)), (options) =>
      engine.run((e) => e.fitWeights(document.plan.fsPath), options),
    ),
  );
}

/**
 * Makes a point of a sweep the plan, as one step that can be undone. Rejects with one line where that is not possible.
 */
export async function pickSweepPoint(
  document: ModelDocument,
  { engine, jobs }: Pick<Services, 'engine' | 'jobs'>,
  parameter: Parameter,
  value: number,
): Promise<void> {
  if (!vscode.workspace.isTrusted)
    throw new Error(vscode.l10n.t('Quantizing and generating sources need a trusted workspace.'));
  await document.history.replacedBy(() =>
    jobs.run(document.uri, vscode.l10n.t('Take a point of the sweep of {0}', nameOf(document.uri)), (options) =>
      engine.run((e) => e.pickSweepPoint({ planPath: document.plan.fsPath, parameter, value }), options),
    ),
  );
}
