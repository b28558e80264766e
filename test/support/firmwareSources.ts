import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from './paths';

const folders = ['common', 'dsp', 'mve', 'plain'].map((folder) => path.join(projectRoot, 'src/firmware', folder));

/** Absolute paths of the runtime's C files, those of all cores. */
export function firmwareSources(): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.c'))
      .map((file) => path.join(folder, file)),
  );
}

/** Compiler options under which the runtime finds its headers where they lie in `src/firmware/`. */
export const firmwareIncludes: readonly string[] = folders.map((folder) => `-I${folder}`);
