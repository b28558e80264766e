import * as path from 'node:path';
import * as vscode from 'vscode';

const PLAN_SUFFIX = '.quantmcu.json';

/** `net.onnx` → `net.quantmcu.json` beside it. */
export function planUriOf(model: vscode.Uri): vscode.Uri {
  const name = path.posix.basename(model.path).replace(/\.onnx$/i, '');
  return vscode.Uri.joinPath(model, '..', name + PLAN_SUFFIX);
}

/** The file next to a model's plan that stores what was measured. */
export function resultsUriOf(model: vscode.Uri): vscode.Uri {
  const plan = planUriOf(model);
  return plan.with({ path: plan.path.replace(/\.json$/, '.results.json') });
}

/** The table of sweeps beside a model's plan. */
export function sweepsUriOf(model: vscode.Uri): vscode.Uri {
  const plan = planUriOf(model);
  return plan.with({ path: plan.path.replace(/\.json$/, '.sweeps.json') });
}

/** The file next to a model's plan that stores its quantized weights and scales. */
export function parametersUriOf(model: vscode.Uri): vscode.Uri {
  const plan = planUriOf(model);
  return plan.with({ path: plan.path.replace(/\.json$/, '.params') });
}

export function isPlan(uri: vscode.Uri): boolean {
  return uri.path.endsWith(PLAN_SUFFIX);
}

export function isModel(uri: vscode.Uri): boolean {
  return /\.onnx$/i.test(uri.path);
}

/**
 * The model that a plan says it is for; undefined if the file is not a plan or names a file outside its own folder
 * tree.
 */
export async function modelUriOf(plan: vscode.Uri): Promise<vscode.Uri | undefined> {
  try {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(plan));
    const file = (JSON.parse(text) as { model?: { file?: unknown } }).model?.file;
    if (typeof file !== 'string' || path.posix.isAbsolute(file) || file.split(/[\\/]/).includes('..')) return undefined;
    return vscode.Uri.joinPath(plan, '..', file);
  } catch {
    return undefined;
  }
}

export async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

/** Short name for messages. */
export function nameOf(uri: vscode.Uri): string {
  return path.posix.basename(uri.path);
}
