import * as vscode from 'vscode';
import { activeFile } from './model';
import type { Services } from '../services';

/**
 * Cancels the job of the given model, else that of the active editor's, else the only one; with several, asks which.
 */
export async function cancel({ jobs }: Services, argument: unknown): Promise<void> {
  const model = await runningModel(jobs, argument);
  if (model) jobs.cancel(model);
}

/** Ends a job, chosen as {@link cancel} does, with what it has reached. */
export async function keep({ jobs }: Services, argument: unknown): Promise<void> {
  const model = await runningModel(jobs, argument);
  if (model) jobs.keep(model);
}

async function runningModel(jobs: Services['jobs'], argument: unknown): Promise<vscode.Uri | undefined> {
  const running = jobs.running;
  const wanted = (argument instanceof vscode.Uri ? argument : activeFile())?.toString();
  const job =
    running.find(({ model }) => model.toString() === wanted) ?? (running.length === 1 ? running[0] : undefined);
  if (job) return job.model;
  if (running.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('QuantMCU has nothing to cancel.'));
    return undefined;
  }
  const items = running.map(({ model, title }) => ({
    label: title,
    description: vscode.workspace.asRelativePath(model),
    model,
  }));
  const item = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('What should be canceled?') });
  return item?.model;
}
