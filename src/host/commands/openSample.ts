import * as vscode from 'vscode';
import { tickStep } from '../firstSteps';
import { exists } from '../planFiles';
import type { Services } from '../services';
import { askedFolder } from './askedFolder';

const NAME = 'quantmcu-sample';
/** What the sample is made of; how it was trained and what was built there stays behind. */
const PARTS = ['README.md', 'gauge.onnx', 'labels.txt', 'images', 'fresh', 'firmware', '.vscode'];

/**
 * Copies the sample project to a folder of the user's choice, under a name that is free there, and offers to open it.
 * @param argument the folder, for callers that know it; else it is asked for
 * @param open false: only copy
 */
export async function openSample(
  { extensionUri, log }: Services,
  argument: unknown,
  open: unknown,
): Promise<vscode.Uri | undefined> {
  const parent = await askedFolder(argument, {
    defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    title: vscode.l10n.t('Where should the sample project be copied?'),
    openLabel: vscode.l10n.t('Copy Here'),
  });
  if (!parent) return undefined;
  const folder = await freeFolder(parent);
  const sample = vscode.Uri.joinPath(extensionUri, 'media', 'sample');
  try {
    await vscode.workspace.fs.createDirectory(folder);
    for (const part of PARTS)
      await vscode.workspace.fs.copy(vscode.Uri.joinPath(sample, part), vscode.Uri.joinPath(folder, part), {
        overwrite: false,
      });
    // What somebody built inside the extension's own folder.
    for (const built of ['lib', 'build'])
      await vscode.workspace.fs
        .delete(vscode.Uri.joinPath(folder, 'firmware', built), { recursive: true })
        .then(undefined, () => undefined);
  } catch (error) {
    await vscode.workspace.fs.delete(folder, { recursive: true }).then(undefined, () => undefined);
    throw error;
  }
  log.info(`Sample copied to ${folder.fsPath}`);
  tickStep('sample');
  if (open !== false) void offerToOpen(folder);
  return folder;
}

async function freeFolder(parent: vscode.Uri): Promise<vscode.Uri> {
  for (let n = 1; ; n++) {
    const folder = vscode.Uri.joinPath(parent, n === 1 ? NAME : `${NAME}-${n}`);
    if (!(await exists(folder))) return folder;
  }
}

async function offerToOpen(folder: vscode.Uri): Promise<void> {
  // Inside the open folder it is in the explorer already.
  if (vscode.workspace.getWorkspaceFolder(folder)) {
    const model = vscode.Uri.joinPath(folder, 'gauge.onnx');
    await vscode.commands.executeCommand('revealInExplorer', model);
    await vscode.commands.executeCommand('quantmcu.showLayer', model);
    return;
  }
  const here = vscode.l10n.t('Open Folder');
  const other = vscode.l10n.t('Open in New Window');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('The sample was copied to {0}.', folder.fsPath),
    here,
    other,
  );
  if (answer !== undefined)
    await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: answer === other });
}
