import * as vscode from 'vscode';

/**
 * Watches one file, wherever it is. The folder is watched and the name compared: names may hold characters that mean
 * something in a glob.
 */
export function watchFile(file: vscode.Uri, onChange: () => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(vscode.Uri.joinPath(file, '..'), '*'),
  );
  const notify = (uri: vscode.Uri) => {
    if (uri.path === file.path) onChange();
  };
  return vscode.Disposable.from(
    watcher,
    watcher.onDidChange(notify),
    watcher.onDidCreate(notify),
    watcher.onDidDelete(notify),
  );
}
