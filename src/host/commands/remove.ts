import * as vscode from 'vscode';
import { showFailure } from '../log';
import { nameOf } from '../planFiles';
import type { Services } from '../services';
import { confirmChanges, type FileChange } from './changePreview';
import { chooseTrustedPlan } from './plan';
import { askProject } from './projectChoice';

/** Takes a model's generated files and marked blocks out of a firmware project, after showing which. */
export async function remove({ engine, log, memory, previews }: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Remove Generated Source');
  const chosen = await chooseTrustedPlan(argument, title);
  if (!chosen) return;
  const { model, plan } = chosen;
  const project = await askProject(title, model, memory);
  if (!project) return;
  const action = vscode.l10n.t('Remove the sources of {0}', nameOf(model));
  const request = { projectPath: project.fsPath, planPath: plan.fsPath };
  const where = vscode.workspace.asRelativePath(project);
  try {
    const { name, removed, kept, edits } = await engine.run((e) => e.remove({ ...request, dryRun: true }));
    if (removed.length + edits.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Nothing in {0} was generated for {1}.', where, name));
      return;
    }
    const changes = [
      ...edits.map(({ path, after }): FileChange => ({
        label: path,
        file: vscode.Uri.joinPath(project, path),
        exists: true,
        after,
      })),
      ...removed.map((path): FileChange => ({
        label: path,
        file: vscode.Uri.joinPath(project, path),
        exists: true,
        after: undefined,
      })),
    ];
    const notes = kept.map((file) => vscode.l10n.t('{0} was edited and stays as it is.', file));
    if (
      !(await confirmChanges(
        vscode.l10n.t('Remove the sources of {0} from {1}', name, where),
        vscode.l10n.t('Remove'),
        changes,
        notes,
        previews,
      ))
    )
      return;
    await engine.run((e) => e.remove({ ...request, dryRun: false }));
    log.info(`${action}: ${removed.length} files from ${project.fsPath}`);
    void vscode.window.showInformationMessage(
      removed.length === 1
        ? vscode.l10n.t('{0}: 1 file removed from {1}.', name, where)
        : vscode.l10n.t('{0}: {1} files removed from {2}.', name, removed.length, where),
    );
  } catch (error) {
    void showFailure(log, action, error);
  }
}
