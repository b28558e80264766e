import { cpSync, mkdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from '../support/paths';

/** Puts a fresh copy of the sample at `folder`, without what its model was trained by. */
export function copySample(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(projectRoot, 'media/sample'), folder, {
    recursive: true,
    filter: (file) => path.basename(file) !== 'training',
  });
}
