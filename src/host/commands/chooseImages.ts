import * as path from 'node:path';
import * as vscode from 'vscode';
import { placeInText } from '../plans/planText';
import { rangeOf } from '../plans/ranges';
import { isPlan, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { chooseModel } from './model';
import { askedFolder } from './askedFolder';

/**
 * Lets a plan name another folder of sample images, for when they were moved. It is an edit of the plan's text, which
 * undo takes back.
 * @param folder given by callers that know it; else it is asked for
 */
export async function chooseImages(_services: Services, argument: unknown, folder: unknown): Promise<void> {
  const title = vscode.l10n.t('Folder with sample images');
  const plan =
    argument instanceof vscode.Uri && isPlan(argument)
      ? argument
      : await chooseModel(argument, title).then((model) => model && planUriOf(model));
  if (!plan) return;
  const chosen = await askedFolder(folder, {
    defaultUri: vscode.Uri.joinPath(plan, '..'),
    title,
    openLabel: vscode.l10n.t('Use Folder'),
  });
  if (!chosen) return;
  const document = await vscode.workspace.openTextDocument(plan);
  const span = placeInText(document.getText(), ['calibration', 'folder']);
  if (!span) throw new Error(vscode.l10n.t('The plan cannot be edited: {0}', plan.fsPath));
  // As the plan itself is written: relative to it, with '/' on all systems.
  const relative = path.relative(path.dirname(plan.fsPath), chosen.fsPath).split(path.sep).join('/') || '.';
  const wasDirty = document.isDirty;
  const edit = new vscode.WorkspaceEdit();
  edit.replace(plan, rangeOf(document, span), JSON.stringify(relative));
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new Error(vscode.l10n.t('The plan cannot be edited: {0}', plan.fsPath));
  if (!wasDirty) await document.save();
}
