import * as path from 'node:path';
import * as vscode from 'vscode';
import type { BuildFileEdit } from '../../protocol/engine';

/** Shows what would change in build files, as diffs of the files on disk against unsaved documents. */
export async function showEdits(projectFolder: string, edits: readonly BuildFileEdit[]): Promise<void> {
  for (const { path: file, after } of edits) {
    const current = vscode.Uri.file(path.join(projectFolder, ...file.split('/')));
    const { languageId } = await vscode.workspace.openTextDocument(current);
    const proposed = await vscode.workspace.openTextDocument({ content: after, language: languageId });
    await vscode.commands.executeCommand('vscode.diff', current, proposed.uri, vscode.l10n.t('{0}: now ↔ after', file), { preview: false });
  }
}
