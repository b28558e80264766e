import * as path from 'node:path';
import * as vscode from 'vscode';
import type { SavedFile } from '../../protocol/editor';

/** Pictures and reports are small; more than this is a fault of the page. */
const MAX_BYTES = 64 << 20;

const kinds: Readonly<Record<string, string>> = { svg: 'SVG', png: 'PNG', csv: 'CSV', html: 'HTML' };

/** Asks where to keep a file that the page made. @returns false when the user left */
export async function saveFile(model: vscode.Uri, { name, data }: SavedFile): Promise<boolean> {
  // The name comes from the page: only its last part counts, and only what pages make.
  const base = path.basename(String(name));
  const extension = path.extname(base).slice(1).toLowerCase();
  if (!Object.hasOwn(kinds, extension)) throw new Error(`The page may not save '${base}'.`);
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data);
  if (bytes.length > MAX_BYTES) throw new Error(vscode.l10n.t('Too large to save: {0} bytes.', bytes.length));
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(model, '..', base),
    filters: { [kinds[extension]]: [extension] },
    title: vscode.l10n.t('Export'),
    saveLabel: vscode.l10n.t('Export'),
  });
  if (!target) return false;
  await vscode.workspace.fs.writeFile(target, bytes);
  void offerToOpen(target);
  return true;
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const open = vscode.l10n.t('Open');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Exported to {0}.', vscode.workspace.asRelativePath(file)),
    open,
  );
  if (answer !== open) return;
  // A report is for a browser; pictures and tables open here.
  if (file.path.endsWith('.html')) await vscode.env.openExternal(file);
  else await vscode.commands.executeCommand('vscode.open', file);
}
