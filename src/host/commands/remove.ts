import * as vscode from 'vscode';
import { showFailure } from '../log';
import { exists, nameOf, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { askProject } from './generate';
import { showEdits } from './buildFiles';
import { chooseModel, requireTrust } from './model';

/** Takes a model's generated files and marked blocks out of a firmware project, after showing which. */
export async function remove({ engine, log, memory }: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Remove Generated Source');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const plan = planUriOf(model);
  if (!(await exists(plan))) {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} has no plan, so nothing was generated from it.', nameOf(model)));
    return;
  }
  const project = await askProject(title, model, memory);
  if (!project) return;
  const action = vscode.l10n.t('Remove the sources of {0}', nameOf(model));
  const request = { projectPath: project.fsPath, planPath: plan.fsPath };
  const where = vscode.workspace.asRelativePath(project);
  try {
    const { name, removed, kept, edits } = await engine.run((e) => e.remove({ ...request, dryRun: true }));
    if (removed.length + edits.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('{0} holds nothing that was generated for {1}.', where, name));
      return;
    }
    if (edits.length > 0) await showEdits(project.fsPath, edits);
    const lines = [
      vscode.l10n.t('{0} generated files go.', removed.length),
      ...edits.map((edit) => vscode.l10n.t('{0} loses the block of {1}.', edit.path, name)),
      ...kept.map((file) => vscode.l10n.t('{0} stays: it was edited.', file)),
    ];
    const go = vscode.l10n.t('Remove');
    if ((await vscode.window.showWarningMessage(vscode.l10n.t('Remove the sources of {0} from {1}?', name, where), { modal: true, detail: lines.join('\n') }, go)) !== go) return;
    await engine.run((e) => e.remove({ ...request, dryRun: false }));
    log.info(`${action}: ${removed.length} files from ${project.fsPath}`);
    void vscode.window.showInformationMessage(vscode.l10n.t('{0}: {1} files removed from {2}.', name, removed.length, where));
  } catch (error) {
    void showFailure(log, action, error);
  }
}
