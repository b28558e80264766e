import { copyFile, link, lstat, open, readFile, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';
import type { ProjectEdit } from './layouts';

/** New texts lie beside the files that they replace until all of them are written, old ones until the work is done. */
const newSuffix = '.quantmcu-new';
const oldSuffix = '.quantmcu-old';

/**
 * Changes build files around some work: the new texts are written beside the old ones first, so that a full disk or a
 * missing permission shows before anything is touched, then they take their places. If that or the work fails, the old
 * files come back, the same as they were.
 *
 * @throws UserError if a file is not any more as it was read, or cannot be written; what `work` throws
 */
export async function withEdits<T>(
  projectFolder: string,
  edits: readonly ProjectEdit[],
  work: () => Promise<T>,
): Promise<T> {
  const targets = edits.map((edit) => ({
    ...edit,
    file: path.join(path.resolve(projectFolder), ...edit.path.split('/')),
  }));
  const moved: string[] = [];
  try {
    for (const { file, before, after } of targets) await stage(file, before, after);
    for (const { file } of targets) {
      await keepOld(file);
      await rename(file + newSuffix, file);
      moved.push(file);
    }
    const result = await work();
    await Promise.all(moved.map((file) => rm(file + oldSuffix, { force: true })));
    return result;
  } catch (error) {
    // What cannot be put back keeps its second name, so that nothing is lost.
    for (const file of [...moved].reverse()) await rename(file + oldSuffix, file).catch(() => undefined);
    const spare = targets.flatMap(({ file }) =>
      moved.includes(file) ? [file + newSuffix] : [file + newSuffix, file + oldSuffix],
    );
    await Promise.all(spare.map((file) => rm(file, { force: true }).catch(() => undefined)));
    const reason = error instanceof UserError ? undefined : writeRefusal(error);
    throw reason === undefined
      ? error
      : new UserError(`${projectFolder}: ${reason}. The project is as it was.`, { cause: error });
  }
}

/**
 * A second name for the old file, so that at every moment one whole file stands under its name, even if the process is
 * killed.
 */
async function keepOld(file: string): Promise<void> {
  await rm(file + oldSuffix, { force: true });
  // Some file systems have no links.
  await link(file, file + oldSuffix).catch(() => copyFile(file, file + oldSuffix));
}

async function stage(file: string, before: string, after: string): Promise<void> {
  const status = await lstat(file).catch(() => null);
  if (!status?.isFile() || (await readFile(file, 'utf8')) !== before)
    throw new UserError(`${file} has changed in the meantime. Nothing was changed; try again.`);
  await rm(file + newSuffix, { force: true });
  const handle = await open(file + newSuffix, 'wx', status.mode & 0o777);
  try {
    await handle.writeFile(after);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
