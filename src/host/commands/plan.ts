import * as vscode from 'vscode';
import { exists, nameOf, planUriOf } from '../planFiles';
import { chooseModel, requireTrust } from './model';

export interface PlannedModel {
  readonly model: vscode.Uri;
  readonly plan: vscode.Uri;
}

/**
 * The model that a command is for, with its plan; offers to make one where there is none. Undefined: there is nothing
 * to do.
 */
export async function choosePlannedModel(argument: unknown, title: string): Promise<PlannedModel | undefined> {
  const model = await chooseModel(argument, title);
  if (!model) return undefined;
  const plan = planUriOf(model);
  if (await exists(plan)) return { model, plan };
  const quantize = vscode.l10n.t('Quantize Model…');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('{0} has no plan yet. Quantize it first.', nameOf(model)),
    quantize,
  );
  if (answer === quantize) await vscode.commands.executeCommand('quantmcu.quantize', model);
  return undefined;
}

/** The same for commands that compute or write, which need a trusted workspace. */
export async function chooseTrustedPlan(argument: unknown, title: string): Promise<PlannedModel | undefined> {
  return requireTrust() ? choosePlannedModel(argument, title) : undefined;
}
