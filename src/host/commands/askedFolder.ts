import * as vscode from 'vscode';

/** The folder that a caller gives, else the one that the user chooses; undefined where none is chosen. */
export async function askedFolder(
  given: unknown,
  question: Pick<vscode.OpenDialogOptions, 'title' | 'openLabel' | 'defaultUri'>,
): Promise<vscode.Uri | undefined> {
  if (given instanceof vscode.Uri) return given;
  const chosen = await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, ...question });
  return chosen?.[0];
}
