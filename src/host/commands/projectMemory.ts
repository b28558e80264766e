import type * as vscode from 'vscode';

const KEY = 'generate.project';

/** The firmware project that a model's sources last went to. @returns its absolute path */
export function projectOf(memory: vscode.Memento, model: vscode.Uri): string | undefined {
  return memory.get<string>(`${KEY}:${model.toString()}`);
}

/** The one used last for any model. */
export function lastProject(memory: vscode.Memento): string | undefined {
  return memory.get<string>(KEY);
}

export async function rememberProject(memory: vscode.Memento, model: vscode.Uri, project: string): Promise<void> {
  await memory.update(`${KEY}:${model.toString()}`, project);
  await memory.update(KEY, project);
}
