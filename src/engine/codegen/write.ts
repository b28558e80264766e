import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';
import type { SafeFolder } from '../common/safeFolder';
import { manifestName } from './manifest';
import { changeFolder } from './transaction';
import type { GeneratedFile } from './types';
import { planWrite } from './writePlan';
import type { WriteConflict, WritePlan } from './writePlan';

export interface WriteOptions {
  /** Files that may be overwritten although they are edited or not ours: true for all, or their paths in the folder. */
  readonly overwriteEdited?: boolean | readonly string[];
  /** Files in the way that stay as they are while the others are written: their paths in the folder. */
  readonly keepEdited?: readonly string[];
}

/** What was done. Paths are relative to the folder and sorted. */
export interface WriteResult {
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
  /** Earlier files of ours that are not needed any more but were edited: they stay. */
  readonly released: readonly string[];
  /** Files in the way that stay as they are, as `keepEdited` says. */
  readonly kept: readonly string[];
}

/** Files stand in the way that we did not write or that were edited since. Nothing was changed. */
export class WriteConflictError extends UserError {
  constructor(
    readonly folder: string,
    readonly conflicts: readonly WriteConflict[],
  ) {
    const list = (reason: WriteConflict['reason'], text: string): string[] => {
      const paths = conflicts.filter((c) => c.reason === reason).map((c) => c.path);
      return paths.length === 0 ? [] : [`${paths.join(', ')} ${text}`];
    };
    super(
      `${folder}: ` +
        `${[...list('edited', 'edited since they were generated'), ...list('foreign', 'not written by QuantMCU')].join('; ')}. ` +
        'Nothing was changed: move these files away or choose to overwrite them.',
    );
    this.name = 'WriteConflictError';
  }
}

/**
 * Writes generated files into a folder of their own, which is made if need be. A manifest with hashes tells what is
 * ours: files that we did not write, or that were edited, are never overwritten unless `overwriteEdited` says so; files
 * with the right content are not touched; files that we wrote earlier and that are not needed any more are removed. All
 * or nothing: after an error the folder is as it was.
 *
 * @throws WriteConflictError naming the files in the way
 * @throws UserError if the folder cannot be written or the disk is full
 */
export async function writeSources(
  folder: SafeFolder,
  files: readonly GeneratedFile[],
  options: WriteOptions = {},
): Promise<WriteResult> {
  let plan: WritePlan | undefined;
  let overwritten: readonly GeneratedFile[] = [];
  try {
    await changeFolder(folder, async () => {
      const { overwriteEdited = false, keepEdited } = options;
      plan = planWrite(folder, files, keepEdited);
      const allowed = (file: string): boolean =>
        typeof overwriteEdited === 'boolean' ? overwriteEdited : overwriteEdited.includes(file);
      const refused = plan.conflicts.filter((c) => !c.replaceable || !allowed(c.path));
      if (refused.length > 0) throw new WriteConflictError(folder.absolute(), refused);
      const conflicting = new Set(plan.conflicts.map((c) => c.path));
      overwritten = files.filter((f) => conflicting.has(f.path));
      const manifest = plan.manifest === null ? [] : [{ path: manifestName, text: plan.manifest }];
      return { write: [...plan.create, ...plan.update, ...overwritten, ...manifest], remove: plan.remove };
    });
  } catch (error) {
    throw explain(folder, error);
  }
  const { create, update, unchanged, remove, released, kept } = plan!;
  return {
    written: [...create, ...update, ...overwritten].map((f) => f.path).sort(),
    unchanged,
    removed: remove,
    released,
    kept,
  };
}

/** The file system's refusals in words. */
function explain(folder: SafeFolder, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const reason = writeRefusal(error);
  return reason === undefined
    ? error
    : new UserError(`${folder.absolute()}: ${reason}. The folder is as it was.`, { cause: error });
}
