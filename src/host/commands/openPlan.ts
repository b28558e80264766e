import * as vscode from 'vscode';
import type { Services } from '../services';
import { choosePlannedModel } from './plan';

/** Opens the model's plan as text; offers to make one where there is none. */
export async function openPlan(_services: Services, argument: unknown): Promise<void> {
  const chosen = await choosePlannedModel(argument, vscode.l10n.t('Open Plan'));
  if (chosen) await vscode.window.showTextDocument(chosen.plan, { preview: false });
}
