import type * as vscode from 'vscode';

/** Called by VS Code when one of the extension's commands or editors is first used. */
export function activate(_context: vscode.ExtensionContext): void {
  // Nothing to wire yet.
}
