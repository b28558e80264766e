import * as path from 'node:path';
import * as vscode from 'vscode';
import type { OtherPlan } from '../../protocol/editor';
import type { ViewRequest } from '../../protocol/engine';
import type { EngineClient } from '../engineClient/client';
import { isPlan, modelUriOf } from '../planFiles';

/**
 * Another plan of the model, to compare with; null when the user left. Rejects with one line where it cannot be opened.
 */
export async function otherPlan(
  which: 'int8' | 'pick',
  model: vscode.Uri,
  own: ViewRequest,
  engine: EngineClient,
): Promise<OtherPlan | null> {
  if (which === 'int8')
    return { title: vscode.l10n.t('8 bits, layer by layer'), view: await engine.ask((e) => e.baseline(own)) };
  const plan = await pickPlan(model, own.planPath);
  if (!plan) return null;
  const view = await engine.ask((e) => e.view({ modelPath: own.modelPath, planPath: plan.fsPath, sizes: own.sizes }));
  if (view.planProblem !== null) throw new Error(view.planProblem);
  return { title: path.basename(plan.fsPath), view };
}

/** Plans of this model in the workspace, except for its own; others through a dialog. */
async function pickPlan(model: vscode.Uri, own: string): Promise<vscode.Uri | undefined> {
  const found = (await vscode.workspace.findFiles('**/*.quantmcu.json', '**/node_modules/**', 500)).filter(
    ({ fsPath }) => fsPath !== own,
  );
  const models = await Promise.all(found.map(modelUriOf));
  const items: (vscode.QuickPickItem & { uri?: vscode.Uri })[] = found
    .filter((_, i) => models[i]?.toString() === model.toString())
    .map((uri) => ({
      label: path.basename(uri.fsPath),
      description: vscode.workspace.asRelativePath(path.dirname(uri.fsPath)),
      uri,
    }));
  items.push({ label: vscode.l10n.t('Browse…') });
  const item = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Compare'),
    placeHolder: vscode.l10n.t('Which plan of this model?'),
  });
  if (!item) return undefined;
  if (item.uri) return item.uri;
  const [file] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: true,
      defaultUri: vscode.Uri.joinPath(model, '..'),
      filters: { JSON: ['json'] },
      title: vscode.l10n.t('Compare'),
    })) ?? [];
  if (file && !isPlan(file))
    throw new Error(
      vscode.l10n.t('{0} is not a plan: its name does not end in .quantmcu.json.', path.basename(file.fsPath)),
    );
  return file;
}
