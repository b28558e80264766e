import { SafeFolder, UnsafePathError } from '../common/safeFolder';
import { contentHash, isSafePath, manifestName, readManifest, renderManifest } from './manifest';
import { MAX_SOURCE_BYTES } from './transaction';
import type { GeneratedFile } from './types';
import type { LeftFiles } from './writeResult';

/** A file that is not ours to overwrite. */
export interface WriteConflict {
  /** Relative to the folder. */
  readonly path: string;
  /** `edited`: we wrote it and someone changed it since; `foreign`: we did not write it. */
  readonly reason: 'edited' | 'foreign';
  /**
   * False for what is not a regular file (a folder, a symbolic link, a path through one): that is not overwritten on
   * request either.
   */
  readonly replaceable: boolean;
}

/** What writing would do. */
export interface WritePlan extends LeftFiles {
  readonly create: readonly GeneratedFile[];
  readonly update: readonly GeneratedFile[];
  /** Written by us earlier, not needed any more and not edited. */
  readonly remove: readonly string[];
  readonly conflicts: readonly WriteConflict[];
  /** Text of the new manifest; null when the one on disk is right. */
  readonly manifest: string | null;
}

/**
 * Compares what is to be generated with what is in the folder; changes nothing.
 * @param keep files in the way that are to stay as they are, by their paths
 * @param manifestMore what the manifest says besides the files
 * @throws UnsafePathError if a link leads to the folder
 */
export function planWrite(
  folder: SafeFolder,
  files: readonly GeneratedFile[],
  keep: readonly string[] = [],
  manifestMore: Readonly<Record<string, unknown>> = {},
): WritePlan {
  const there = folder.kind();
  if (there !== null && there !== 'folder') throw notAFolder(folder);
  const known = readManifest(folder);
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
    const current = hashOnDisk(folder, file.path);
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
    const current = hashOnDisk(folder, file);
    if (current === hash) remove.push(file);
    else if (current !== null) released.push(file);
  }
  const manifest = renderManifest(next, manifestMore);
  const manifestOnDisk = hashOnDisk(folder, manifestName);
  if (manifestOnDisk === 'other') conflicts.push({ path: manifestName, reason: 'foreign', replaceable: false });
  const sameManifest = manifestOnDisk === contentHash(Buffer.from(manifest));
  return {
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

/** Files for one folder of a project, which has its own manifest. */
export interface Library {
  /** Relative to the project, with '/' separators. */
  readonly folder: string;
  readonly files: readonly GeneratedFile[];
  /** What the manifest says besides the files. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/**
 * {@link planWrite} of several folders of a project; paths are relative to the project. Of manifests it says nothing.
 */
export function planLibraries(
  root: string,
  libraries: readonly Library[],
  keep: readonly string[] = [],
): Omit<WritePlan, 'manifest'> {
  const plans = libraries.map(({ folder, files, manifest }) => ({
    prefix: `${folder}/`,
    plan: planWrite(new SafeFolder(root, folder), files, pathsIn(folder, keep), manifest),
  }));
  const joined = <T>(list: (plan: WritePlan) => readonly T[], place: (item: T, prefix: string) => T): T[] =>
    plans.flatMap(({ prefix, plan }) => list(plan).map((item) => place(item, prefix)));
  const file = (item: GeneratedFile, prefix: string): GeneratedFile => ({ ...item, path: prefix + item.path });
  const name = (item: string, prefix: string): string => prefix + item;
  return {
    create: joined((p) => p.create, file),
    update: joined((p) => p.update, file),
    unchanged: joined((p) => p.unchanged, name),
    remove: joined((p) => p.remove, name),
    released: joined((p) => p.released, name),
    conflicts: joined(
      (p) => p.conflicts,
      (item, prefix) => ({ ...item, path: prefix + item.path }),
    ),
    kept: joined((p) => p.kept, name),
  };
}

/** Those of some paths in a project that lie in a folder, as paths from there. */
export function pathsIn(folder: string, files: readonly string[]): string[] {
  return files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1));
}

function notAFolder(folder: SafeFolder): UnsafePathError {
  return new UnsafePathError(
    `${folder.absolute()} is not a plain folder; QuantMCU does not follow links when it writes. Move it away or ` +
      'choose another name.',
  );
}

function byPath(a: GeneratedFile, b: GeneratedFile): number {
  return a.path < b.path ? -1 : 1;
}

/**
 * Hash of a file; null if there is none; `'large'` for one that no generated file can be; `'other'` for what is not a
 * regular file (folder, symbolic link, a path through one), which is never ours.
 */
function hashOnDisk(folder: SafeFolder, file: string): string | null {
  try {
    const stat = folder.stat(file);
    if (stat === null) return null;
    if (!stat.isFile()) return 'other';
    if (stat.size > MAX_SOURCE_BYTES) return 'large';
    const bytes = folder.read(file, MAX_SOURCE_BYTES);
    return bytes && contentHash(bytes);
  } catch (error) {
    if (error instanceof UnsafePathError) return 'other';
    throw error;
  }
}
