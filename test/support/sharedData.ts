import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { Context } from 'mocha';
import { projectRoot } from './paths';

const root = process.env.QUANTMCU_SHARED_DATA ?? path.resolve(projectRoot, '../shared/data');

/**
 * Absolute path of a file or folder of the reference data (models, images) that lies beside the project, whether it
 * exists or not.
 */
export function sharedData(...parts: string[]): string {
  return path.join(root, ...parts);
}

/** As {@link sharedData}, but skips the calling test or hook with a message where the data is absent. */
export function needSharedData(context: Context, ...parts: string[]): string {
  const file = sharedData(...parts);
  if (!existsSync(file)) {
    console.log(
      `      skipped: ${file} is absent; set QUANTMCU_SHARED_DATA to the folder with the reference models and images`,
    );
    context.skip();
  }
  return file;
}
