import * as path from 'node:path';
import * as vscode from 'vscode';

export interface SampleFolder {
  readonly folder: string;
  readonly files: number;
}

/**
 * Folders of the workspace that look like sample images or arrays, those near the model first. Class subfolders count
 * as their parent: `photos/cat`, `photos/dog` → `photos`.
 */
export async function findSampleFolders(model: vscode.Uri): Promise<SampleFolder[]> {
  const files = await vscode.workspace.findFiles(
    '**/*.{jpg,jpeg,png,npy,npz,JPG,JPEG,PNG}',
    '**/{node_modules,.git,build,out,dist}/**',
    2000,
  );
  const near = path.dirname(model.fsPath);
  return groupSamples(
    files.map((file) => file.fsPath),
    (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
  )
    .sort(
      (a, b) =>
        distance(near, a.folder) - distance(near, b.folder) || looksMeant(a) - looksMeant(b) || b.files - a.files,
    )
    .slice(0, 20);
}

/** Folders that are called what people call such folders come before others that are as near. */
function looksMeant({ folder }: SampleFolder): number {
  return /calib|sample|image|photo|train|data/i.test(path.basename(folder)) ? 0 : 1;
}

/** Folders of the files, class subfolders joined; folders directly below one of `roots` stand for themselves. */
function groupSamples(files: readonly string[], roots: readonly string[]): SampleFolder[] {
  const direct = new Map<string, number>();
  for (const file of files) direct.set(path.dirname(file), (direct.get(path.dirname(file)) ?? 0) + 1);
  const children = new Map<string, number>();
  for (const folder of direct.keys()) children.set(path.dirname(folder), (children.get(path.dirname(folder)) ?? 0) + 1);
  const grouped = new Map<string, number>();
  for (const [folder, count] of direct) {
    const parent = path.dirname(folder);
    const isClass = (children.get(parent) ?? 0) > 1 && !direct.has(parent) && !roots.includes(parent);
    const key = isClass ? parent : folder;
    grouped.set(key, (grouped.get(key) ?? 0) + count);
  }
  return [...grouped].map(([folder, count]) => ({ folder, files: count }));
}

/** Steps through the folder tree from one to the other. */
function distance(from: string, to: string): number {
  return path
    .relative(from, to)
    .split(path.sep)
    .filter((part) => part !== '').length;
}
