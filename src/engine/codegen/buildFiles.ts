import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';
import type { SafeFolder } from '../common/safeFolder';
import { MAX_BUILD_FILE_BYTES, type ProjectEdit } from './layouts';

/** New texts are kept next to the files they replace until all of them are written, old ones until the work is done. */
const newSuffix = '.quantmcu-new';
const oldSuffix = '.quantmcu-old';

/**
 * Changes build files around some work: the new texts are first written next to the old ones, so that a full disk or a
 * missing permission shows before anything is touched, then they take their places. If that or the work fails, the old
 * files come back, the same as they were.
 *
 * @throws UserError if a file is not any more as it was read, or cannot be written; what `work` throws
 */
export async function withEdits<T>(
  project: SafeFolder,
  edits: readonly ProjectEdit[],
  work: () => Promise<T>,
): Promise<T> {
  const moved: string[] = [];
  try {
    for (const edit of edits) stage(project, edit);
    for (const { path: file } of edits) {
      keepOld(project, file);
      project.rename(file + newSuffix, file);
      moved.push(file);
    }
    const result = await work();
    for (const file of moved) project.remove(file + oldSuffix);
    return result;
  } catch (error) {
    // What cannot be put back keeps its second name, so that nothing is lost.
    for (const file of [...moved].reverse()) quietly(() => project.rename(file + oldSuffix, file));
    for (const { path: file } of edits) {
      quietly(() => project.remove(file + newSuffix));
      if (!moved.includes(file)) quietly(() => project.remove(file + oldSuffix));
    }
    const reason = error instanceof UserError ? undefined : writeRefusal(error);
    throw reason === undefined
      ? error
      : new UserError(`${project.absolute()}: ${reason}. Nothing was changed.`, { cause: error });
  }
}

function quietly(undo: () => void): void {
  try {
    undo();
  } catch {
    // The error that made us undo is the one to tell.
  }
}

/**
 * A second name for the old file, so that at every moment there is one whole file under its name, even if the process
 * is killed.
 */
function keepOld(project: SafeFolder, file: string): void {
  project.remove(file + oldSuffix);
  project.secondName(file, file + oldSuffix);
}

function stage(project: SafeFolder, { path: file, before, after }: ProjectEdit): void {
  const bytes = project.read(file, MAX_BUILD_FILE_BYTES);
  if (bytes?.toString('utf8') !== before)
    throw new UserError(`${project.absolute(file)} has changed since it was read. Nothing was written; try again.`);
  project.remove(file + newSuffix);
  project.create(file + newSuffix, after, project.stat(file)!.mode & 0o777);
}
