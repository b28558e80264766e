import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';
import * as path from 'node:path';
import { SafeFolder } from '../common/safeFolder';
import { manifestName, readManifest } from './manifest';
import { changeFolder, MAX_SOURCE_BYTES } from './transaction';
import type { GeneratedFile } from './types';
import { pathsIn, planLibraries, planWrite } from './writePlan';
import type { Library, WriteConflict, WritePlan } from './writePlan';
import type { WriteResult } from './writeResult';

export interface WriteOptions {
  /** Files that may be overwritten although they are edited or not ours: true for all, or their paths in the folder. */
  readonly overwriteEdited?: boolean | readonly string[];
  /** Files in the way that stay as they are while the others are written: their paths in the folder. */
  readonly keepEdited?: readonly string[];
}

/** Files are in the way that we did not write or that were edited since. Nothing was changed. */
export class WriteConflictError extends UserError {
  constructor(
    readonly folder: string,
    readonly conflicts: readonly WriteConflict[],
  ) {
    const list = (reason: WriteConflict['reason'], text: string): string[] => {
      const paths = conflicts.filter((c) => c.reason === reason).map((c) => c.path);
      return paths.length === 0 ? [] : [`${paths.join(', ')} ${text}`];
    };
    const found = [
      ...list('edited', 'edited since they were generated'),
      ...list('foreign', 'not written by QuantMCU'),
    ];
    super(
      `${folder}: ${found.join('; ')}. ` + 'Nothing was changed: move these files away or choose to overwrite them.',
    );
    this.name = 'WriteConflictError';
  }
}

/**
 * Writes generated files into a separate folder, which is made if need be. A manifest with hashes tells what is
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
  options: WriteOptions & { readonly manifest?: Library['manifest'] } = {},
): Promise<WriteResult> {
  let plan: WritePlan | undefined;
  let overwritten: readonly GeneratedFile[] = [];
  try {
    await changeFolder(folder, async () => {
      const { overwriteEdited = false, keepEdited } = options;
      plan = planWrite(folder, files, keepEdited, options.manifest);
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

/**
 * {@link writeSources} into several folders of a project, all or none; paths in the options and the result are relative
 * to the project.
 */
export async function writeLibraries(
  root: string,
  libraries: readonly Library[],
  { overwriteEdited = false, keepEdited = [] }: WriteOptions = {},
): Promise<WriteResult> {
  const { conflicts } = planLibraries(root, libraries, keepEdited);
  const allowed = (file: string): boolean =>
    typeof overwriteEdited === 'boolean' ? overwriteEdited : overwriteEdited.includes(file);
  const refused = conflicts.filter((c) => !c.replaceable || !allowed(c.path));
  if (refused.length > 0) throw new WriteConflictError(path.resolve(root), refused);
  const undo: (() => Promise<void>)[] = [];
  const results: WriteResult[] = [];
  try {
    for (const library of libraries) {
      const { folder, files, manifest } = library;
      const place = new SafeFolder(root, folder);
      const before = keepTexts(place, [...files.map((file) => file.path), ...readManifest(place).keys(), manifestName]);
      const result = await writeSources(place, files, {
        overwriteEdited: typeof overwriteEdited === 'boolean' ? overwriteEdited : pathsIn(folder, overwriteEdited),
        keepEdited: pathsIn(folder, keepEdited),
        manifest,
      });
      undo.push(() => restore(place, before));
      results.push(inProject(result, folder));
    }
  } catch (error) {
    for (const back of undo.reverse()) await back();
    throw error;
  }
  const all = (key: keyof WriteResult): string[] => results.flatMap((result) => result[key]).sort();
  return {
    written: all('written'),
    unchanged: all('unchanged'),
    removed: all('removed'),
    released: all('released'),
    kept: all('kept'),
  };
}

function inProject(result: WriteResult, folder: string): WriteResult {
  const place = (files: readonly string[]): string[] => files.map((file) => `${folder}/${file}`);
  return {
    written: place(result.written),
    unchanged: place(result.unchanged),
    removed: place(result.removed),
    released: place(result.released),
    kept: place(result.kept),
  };
}

/** Texts of files as they are; null where none is. */
function keepTexts(place: SafeFolder, files: readonly string[]): ReadonlyMap<string, string | null> {
  return new Map(
    [...new Set(files)].map((file) => {
      const kind = place.kind(file);
      return [file, kind === 'file' ? (place.read(file, MAX_SOURCE_BYTES)?.toString('utf8') ?? null) : null];
    }),
  );
}

/** Puts the files of a folder back as they were. */
async function restore(place: SafeFolder, before: ReadonlyMap<string, string | null>): Promise<void> {
  await changeFolder(place, () =>
    Promise.resolve({
      write: [...before].flatMap(([file, text]) => (text === null ? [] : [{ path: file, text }])),
      remove: [...before].flatMap(([file, text]) => (text === null && place.kind(file) === 'file' ? [file] : [])),
    }),
  );
  place.removeEmpty('');
}

/** The file system's refusals in words. */
function explain(folder: SafeFolder, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const reason = writeRefusal(error);
  return reason === undefined
    ? error
    : new UserError(`${folder.absolute()}: ${reason}. Nothing was changed.`, { cause: error });
}
