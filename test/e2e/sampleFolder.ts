import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from '../support/paths';

/**
 * Puts a fresh copy of the sample at `folder`, without what its model was trained by.
 * @param settings of the workspace, by their whole names
 */
export function copySample(folder: string, settings?: Readonly<Record<string, unknown>>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(projectRoot, 'media/sample'), folder, {
    recursive: true,
    filter: (file) => path.basename(file) !== 'training',
  });
  if (settings === undefined) return;
  mkdirSync(path.join(folder, '.vscode'), { recursive: true });
  writeFileSync(path.join(folder, '.vscode/settings.json'), JSON.stringify(settings));
}
