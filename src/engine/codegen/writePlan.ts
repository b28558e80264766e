import { lstat, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { contentHash, isSafePath, manifestName, readManifest, renderManifest } from './manifest';
import type { GeneratedFile } from './types';

/** A file that is not ours to overwrite. */
export interface WriteConflict {
  /** Relative to the folder. */
  readonly path: string;
  /** `edited`: we wrote it and someone changed it since; `foreign`: we did not write it. */
  readonly reason: 'edited' | 'foreign';
  /**
   * False for what is no regular file (a folder, a symbolic link, a path through one): that is not overwritten on
   * request either.
   */
  readonly replaceable: boolean;
}

/** What writing would do. Paths are relative to the folder and sorted. */
export interface WritePlan {
  readonly folder: string;
  readonly create: readonly GeneratedFile[];
  readonly update: readonly GeneratedFile[];
  /** Have the right content already and are left alone. */
  readonly unchanged: readonly string[];
  /** Written by us earlier, not needed any more and not edited. */
  readonly remove: readonly string[];
  /** Written by us earlier, not needed any more, but edited: they stay and are not ours any longer. */
  readonly released: readonly string[];
  readonly conflicts: readonly WriteConflict[];
  /** Would be conflicts, but are to stay as they are. */
  readonly kept: readonly string[];
  /** Text of the new manifest; null when the one on disk is right. */
  readonly manifest: string | null;
}

/**
 * Compares what is to be generated with what is in the folder; changes nothing.
 * @param keep files in the way that are to stay as they are, by their paths
 */
export async function planWrite(
  folder: string,
  files: readonly GeneratedFile[],
  keep: readonly string[] = [],
): Promise<WritePlan> {
  const known = await readManifest(folder);
  const create: GeneratedFile[] = [];
  const update: GeneratedFile[] = [];
  const unchanged: string[] = [];
  const conflicts: WriteConflict[] = [];
  const kept: string[] = [];
  const next = new Map<string, string>();
  for (const file of [...files].sort(byPath)) {
    if (!isSafePath(file.path) || file.path === manifestName || next.has(file.path))
      throw new Error(`'${file.path}' cannot be the path of a generated file.`);
    const wanted = contentHash(Buffer.from(file.text));
    next.set(file.path, wanted);
    const current = await hashOnDisk(folder, file.path);
    if (current === null) create.push(file);
    else if (current === wanted) unchanged.push(file.path);
    else if (current === known.get(file.path)) update.push(file);
    else if (keep.includes(file.path)) {
      kept.push(file.path);
      // One that was ours is still known as an edited one; another one does not become ours.
      if (!known.has(file.path)) next.delete(file.path);
    } else
      conflicts.push({
        path: file.path,
        reason: known.has(file.path) ? 'edited' : 'foreign',
        replaceable: current !== 'other',
      });
  }
  const remove: string[] = [];
  const released: string[] = [];
  for (const [file, hash] of [...known].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (next.has(file)) continue;
    const current = await hashOnDisk(folder, file);
    if (current === hash) remove.push(file);
    else if (current !== null) released.push(file);
  }
  const manifest = renderManifest(next);
  const manifestOnDisk = await hashOnDisk(folder, manifestName);
  if (manifestOnDisk === 'other') conflicts.push({ path: manifestName, reason: 'foreign', replaceable: false });
  const sameManifest = manifestOnDisk === contentHash(Buffer.from(manifest));
  return {
    folder,
    create,
    update,
    unchanged,
    remove,
    released,
    conflicts,
    kept,
    manifest: sameManifest ? null : manifest,
  };
}

function byPath(a: GeneratedFile, b: GeneratedFile): number {
  return a.path < b.path ? -1 : 1;
}

/**
 * Hash of a file; null if there is none; `'other'` for what is no regular file (folder, symbolic link), which is never
 * ours.
 */
async function hashOnDisk(folder: string, file: string): Promise<string | null> {
  // A folder on the way may be a symbolic link or a file, through which nothing of ours must be written.
  const parts = file.split('/');
  for (let i = 1; i <= parts.length; i++) {
    const status = await statusOf(path.join(folder, ...parts.slice(0, i)));
    if (status === null) return null;
    if (i < parts.length ? !status.isDirectory() : !status.isFile()) return 'other';
  }
  return contentHash(await readFile(path.join(folder, ...parts)));
}

async function statusOf(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return null;
    throw error;
  }
}
