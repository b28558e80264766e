import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import type { SafeFolder } from '../common/safeFolder';
import { contentHash, isSafePath, manifestName } from './manifest';
import type { GeneratedFile } from './types';

/** Folder inside the target folder that holds new files before they take their places, and old ones until all have. */
const stagingName = '.quantmcu-staging';

/** The journal and the owner are small; anything larger is not ours. */
const MAX_NOTE_BYTES = 1 << 20;
/** How large a user's text may be before we no longer check whether it is still ours. */
export const MAX_SOURCE_BYTES = 256 << 20;

/** Changes to the files of one folder. Paths are safe (see `isSafePath`) or the manifest's. */
export interface Changes {
  readonly write: readonly GeneratedFile[];
  readonly remove: readonly string[];
}

/**
 * Written when all new files are staged: after that, files change their places, and an interruption has to be undone.
 * No matter who wrote it, it can do no more than its folder's own staging can: see {@link readJournal}.
 */
interface Journal {
  /** Hash of each new file, by path. A file that has another content by now was edited and is left alone. */
  readonly written: Readonly<Record<string, string>>;
  /** Files that had an old content or are removed: it is in `old/` as soon as they were touched. */
  readonly replaced: readonly string[];
}

/** Folders that this process is writing into. */
const busy = new Set<string>();

/**
 * Makes all changes or none. New files are written to a staging folder on the same file system and flushed first, so
 * that a full disk or a missing permission shows before anything is touched; then they are renamed into place. A
 * failure on the way is undone at once, what a killed process left half done when the folder is next written. No link
 * is followed, whatever the folder and the staging folder hold.
 *
 * @param plan reads the folder and decides; called when the folder is ours alone and whole
 * @throws UserError if another process is writing into the folder or a link is in the way; what `plan` throws; the file
 *   system's error otherwise
 */
export async function changeFolder(folder: SafeFolder, plan: () => Promise<Changes>): Promise<void> {
  const key = folder.absolute();
  if (busy.has(key)) throw isBusy(folder);
  busy.add(key);
  try {
    recover(folder);
    const changes = await plan();
    if (changes.write.length + changes.remove.length > 0) apply(folder, changes);
  } finally {
    busy.delete(key);
  }
}

function apply(folder: SafeFolder, changes: Changes): void {
  const made = folder.makeFolder();
  try {
    claim(folder);
    try {
      stage(folder, changes);
      commit(folder, changes);
    } catch (error) {
      try {
        undo(folder);
      } catch {
        // The journal stays and the next run undoes.
      }
      throw error;
    }
  } catch (error) {
    folder.removeEmpty('', made);
    throw error;
  }
}

/** Takes back what an interrupted process did in a folder. */
function recover(folder: SafeFolder): void {
  for (const staging of folder.list().filter((n) => n.startsWith(stagingName))) {
    assertOurs(folder, staging);
    const owner = readNote(folder, `${staging}/owner.json`) as { pid?: unknown; host?: unknown } | null;
    if (owner && owner.host === hostname() && owner.pid !== process.pid && isAlive(owner.pid)) throw isBusy(folder);
    // One with another name was never claimed: its process died before it could do anything.
    if (staging === stagingName) undo(folder);
    else folder.removeTree(staging);
  }
}

/** We stage regular files in folders: anything else was made by somebody else. */
function assertOurs(folder: SafeFolder, staging: string): void {
  const strange =
    folder.kind(staging) !== 'folder' ? staging : [...folder.walk(staging)].find(({ kind }) => kind === 'other')?.path;
  if (strange !== undefined)
    throw new UserError(
      `${folder.absolute(strange)} was not made by QuantMCU, which puts only plain files there. Nothing was ` +
        `changed: check ${folder.absolute(staging)} and remove it.`,
    );
}

/** Takes the staging folder: it appears complete with its owner or not at all. */
function claim(folder: SafeFolder): void {
  const own = `${stagingName}-${randomBytes(6).toString('hex')}`;
  folder.makeFolder(own);
  try {
    folder.create(`${own}/owner.json`, JSON.stringify({ pid: process.pid, host: hostname() }));
    folder.rename(own, stagingName);
  } catch (error) {
    folder.removeTree(own);
    throw folder.kind(stagingName) !== null ? isBusy(folder) : error;
  }
}

function stage(folder: SafeFolder, { write, remove }: Changes): void {
  const replaced = [...remove];
  for (const { path: file, text } of write) {
    if (folder.kind(file) !== null) replaced.push(file);
    folder.makeFolder(path.posix.dirname(newOf(file)));
    folder.create(newOf(file), text);
  }
  for (const file of replaced) folder.makeFolder(path.posix.dirname(oldOf(file)));
  const journal: Journal = {
    written: Object.fromEntries(write.map((f) => [f.path, contentHash(Buffer.from(f.text))])),
    replaced,
  };
  folder.create(`${stagingName}/journal.tmp`, JSON.stringify(journal));
  folder.rename(`${stagingName}/journal.tmp`, journalName);
}

function commit(folder: SafeFolder, { write, remove }: Changes): void {
  for (const { path: file } of write) {
    folder.makeFolder(path.posix.dirname(file));
    if (folder.kind(file) !== null) folder.rename(file, oldOf(file));
    folder.rename(newOf(file), file);
  }
  for (const file of remove) folder.rename(file, oldOf(file));
  // What is complete must not be undone.
  folder.remove(journalName);
  for (const file of remove) removeEmptyAbove(folder, file);
  try {
    folder.removeTree(stagingName);
  } catch {
    // The work is done; what cannot be cleaned up now is by the next run.
  }
}

/** Removes new files, puts old ones back, then removes the staging folder. */
function undo(folder: SafeFolder): void {
  const { written, replaced } = readJournal(folder);
  for (const [file, hash] of Object.entries(written)) {
    if (folder.kind(newOf(file)) === null && hashOf(folder, file) === hash) folder.remove(file);
    removeEmptyAbove(folder, file);
  }
  for (const file of replaced) {
    if (folder.kind(oldOf(file)) !== 'file' || folder.kind(file) !== null) continue;
    folder.makeFolder(path.posix.dirname(file));
    folder.rename(oldOf(file), file);
  }
  folder.removeTree(stagingName);
}

const journalName = `${stagingName}/journal.json`;
const newOf = (file: string): string => `${stagingName}/new/${file}`;
const oldOf = (file: string): string => `${stagingName}/old/${file}`;

/**
 * The journal, or an empty one where none is or it is damaged. A repository may bring one of its own, so each line is
 * believed only as far as it names a file that could be ours.
 */
function readJournal(folder: SafeFolder): Journal {
  const { written, replaced } = (readNote(folder, journalName) ?? {}) as { written?: unknown; replaced?: unknown };
  const mayBeOurs = (file: unknown): file is string =>
    typeof file === 'string' && (isSafePath(file) || file === manifestName);
  return {
    written: Object.fromEntries(
      Object.entries(typeof written === 'object' ? (written ?? {}) : {}).filter(
        ([file, hash]) => mayBeOurs(file) && typeof hash === 'string',
      ),
    ),
    replaced: Array.isArray(replaced) ? replaced.filter(mayBeOurs) : [],
  };
}

/** A small JSON object; null if the file is absent or damaged. */
function readNote(folder: SafeFolder, file: string): object | null {
  try {
    const value: unknown = JSON.parse(folder.read(file, MAX_NOTE_BYTES)?.toString('utf8') ?? 'null');
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** Hash of a regular file no link leads to; null for anything else. */
function hashOf(folder: SafeFolder, file: string): string | null {
  try {
    const bytes = folder.read(file, MAX_SOURCE_BYTES);
    return bytes && contentHash(bytes);
  } catch {
    return null;
  }
}

/** Removes the folders that a file was in, inside of `folder`, as long as they are empty. */
function removeEmptyAbove(folder: SafeFolder, file: string): void {
  const parts = file.split('/').slice(0, -1);
  folder.removeEmpty(parts.join('/'), parts.length);
}

function isAlive(pid: unknown): boolean {
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isBusy(folder: SafeFolder): UserError {
  return new UserError(
    `${folder.absolute()}: another run is generating into this folder; wait for it to finish. If there is ` +
      `none, remove ${folder.absolute(stagingName)}.`,
  );
}
