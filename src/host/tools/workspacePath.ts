import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

/**
 * A path that a language model gave, as a file or folder of the workspace: relative to one of its folders or absolute,
 * and inside of one, links followed.
 * @throws Error with one line for the model where there is no such thing
 */
export async function workspacePath(given: unknown, what: string): Promise<vscode.Uri> {
  if (typeof given !== 'string' || given.trim() === '') throw new Error(`${what} is missing.`);
  const roots = (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ uri }) => uri.fsPath);
  for (const root of roots) {
    const file = path.resolve(root, given);
    const real = await fs.realpath(file).catch(() => undefined);
    if (real === undefined) continue;
    const homes = await Promise.all(roots.map((folder) => fs.realpath(folder).catch(() => folder)));
    if (homes.some((home) => real === home || real.startsWith(home + path.sep))) return vscode.Uri.file(file);
    throw new Error(`${given} is outside the workspace, where this tool does not look.`);
  }
  throw new Error(`${given} does not exist. Give ${what} as a path in the workspace.`);
}
