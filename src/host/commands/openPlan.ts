import * as vscode from 'vscode';
import { exists, nameOf, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { chooseModel } from './model';

/** Opens the model's plan as text; offers to make one where there is none. */
export async function openPlan(_services: Services, argument: unknown): Promise<void> {
  const model = await chooseModel(argument, vscode.l10n.t('Open Plan'));
  if (!model) return;
  const plan = planUriOf(model);
  if (await exists(plan)) {
    await vscode.window.showTextDocument(plan, { preview: false });
    return;
  }
  const quantize = vscode.l10n.t('Quantize Model…');
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t('{0} has no plan yet.', nameOf(model)), quantize);
  if (answer === quantize) await vscode.commands.executeCommand('quantmcu.quantize', model);
}
