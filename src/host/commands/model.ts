import * as vscode from 'vscode';
import { VIEW_TYPE } from '../editor/provider';
import { isModel, isPlan, modelUriOf } from '../planFiles';
import type { Choice } from '../steps';

/**
 * The model that a command is for: the file it was called on, the active editor's, or one that the user picks.
 * Undefined: the user left.
 */
export async function chooseModel(argument: unknown, title: string): Promise<vscode.Uri | undefined> {
  const uri = argument instanceof vscode.Uri ? argument : activeFile();
  if (uri && isModel(uri)) return requireLocal(uri);
  if (uri && isPlan(uri)) {
    const model = await modelUriOf(uri);
    if (model) return requireLocal(model);
  }
  const found = await vscode.workspace.findFiles('**/*.{onnx,ONNX}', '**/node_modules/**', 500);
  if (found.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no .onnx file in this workspace. Open a folder that has one, or open the file itself.'),
    );
    return undefined;
  }
  const items = found
    .map((value): Choice<vscode.Uri> => ({ label: vscode.workspace.asRelativePath(value), value }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const item = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Choose a model') });
  return item && requireLocal(item.value);
}

/** The file of the active editor, ours or a text editor. */
export function activeFile(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (input instanceof vscode.TabInputCustom && input.viewType === VIEW_TYPE) return input.uri;
  return input instanceof vscode.TabInputText ? input.uri : undefined;
}

/** The engine reads files by path, so the model must lie on the disk of the machine that the extension runs on. */
function requireLocal(uri: vscode.Uri): vscode.Uri | undefined {
  if (uri.scheme === 'file') return uri;
  void vscode.window.showErrorMessage(
    vscode.l10n.t('QuantMCU needs the model on disk; "{0}" is not. Save it to a folder first.', uri.toString(true)),
  );
  return undefined;
}

/**
 * Computing and writing need a trusted workspace; viewing does not. Tells the user and gives false where trust is
 * missing.
 */
export function requireTrust(): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t('Manage Workspace Trust');
  void vscode.window
    .showWarningMessage(vscode.l10n.t('Quantizing and generating sources need a trusted workspace.'), manage)
    .then((answer) => {
      if (answer === manage) void vscode.commands.executeCommand('workbench.trust.manage');
    });
  return false;
}
