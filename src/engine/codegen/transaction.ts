import { lstat, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { contentHash, isSafePath } from './manifest';
import type { GeneratedFile } from './types';

/** Folder inside the target folder that holds new files before they take their places, and old ones until all have. */
const stagingName = '.quantmcu-staging';

/** Changes to the files of one folder. Paths are safe (see `isSafePath`) or the manifest's. */
export interface Changes {
  readonly write: readonly GeneratedFile[];
  readonly remove: readonly string[];
}

/**
 * Written when all new files are staged: from then on files change their places, and an interruption has to be undone.
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
 * failure on the way is undone at once, what a killed process left half done when the folder is next written.
 *
 * @param plan reads the folder and decides; called when the folder is ours alone and whole
 * @throws UserError if another process is writing into the folder; what `plan` throws; the file system's error
 *   otherwise
 */
export async function changeFolder(folder: string, plan: () => Promise<Changes>): Promise<void> {
  const key = path.resolve(folder);
  if (busy.has(key)) throw isBusy(folder);
  busy.add(key);
  try {
    await recover(folder);
    const changes = await plan();
    if (changes.write.length + changes.remove.length > 0) await apply(folder, changes);
  } finally {
    busy.delete(key);
  }
}

async function apply(folder: string, changes: Changes): Promise<void> {
  const created = await mkdir(folder, { recursive: true });
  const staging = path.join(folder, stagingName);
  try {
    await claim(folder, staging);
    try {
      await stage(folder, staging, changes);
      await commit(folder, staging, changes);
    } catch (error) {
      // If undoing fails too, the journal stays and the next run undoes.
      await undo(folder, staging).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    if (created !== undefined) await removeEmptyFolders(path.dirname(created), folder);
    throw error;
  }
}

/** Takes back what an interrupted process did in a folder. */
async function recover(folder: string): Promise<void> {
  if (!(await exists(folder))) return;
  for (const name of (await readdir(folder)).filter((n) => n.startsWith(stagingName))) {
    const staging = path.join(folder, name);
    const owner = await readJson<{ pid: number; host: string }>(path.join(staging, 'owner.json'));
    if (owner && owner.host === hostname() && owner.pid !== process.pid && isAlive(owner.pid)) throw isBusy(folder);
    // One with another name was never claimed: its process died before it could do anything.
    if (name === stagingName) await undo(folder, staging);
    else await rm(staging, { recursive: true, force: true });
  }
}

/** Takes the staging folder: it appears complete with its owner or not at all. */
async function claim(folder: string, staging: string): Promise<void> {
  const own = await mkdtemp(`${staging}-`);
  try {
    await writeFlushed(path.join(own, 'owner.json'), JSON.stringify({ pid: process.pid, host: hostname() }));
    await rename(own, staging);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw (await exists(staging)) ? isBusy(folder) : error;
  }
}

async function stage(folder: string, staging: string, { write, remove }: Changes): Promise<void> {
  const replaced = [...remove];
  for (const { path: file, text } of write) {
    if (await exists(path.join(folder, file))) replaced.push(file);
    const staged = path.join(staging, 'new', file);
    await mkdir(path.dirname(staged), { recursive: true });
    await writeFlushed(staged, text);
  }
  for (const file of replaced) await mkdir(path.dirname(path.join(staging, 'old', file)), { recursive: true });
  const journal: Journal = {
    written: Object.fromEntries(write.map((f) => [f.path, contentHash(Buffer.from(f.text))])),
    replaced,
  };
  await writeFlushed(path.join(staging, 'journal.tmp'), JSON.stringify(journal));
  await rename(path.join(staging, 'journal.tmp'), path.join(staging, 'journal.json'));
}

async function commit(folder: string, staging: string, { write, remove }: Changes): Promise<void> {
  for (const { path: file } of write) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    if (await exists(target)) await rename(target, path.join(staging, 'old', file));
    await rename(path.join(staging, 'new', file), target);
  }
  for (const file of remove) await rename(path.join(folder, file), path.join(staging, 'old', file));
  // What is complete must not be undone.
  await rm(path.join(staging, 'journal.json'));
  for (const file of remove) await removeEmptyFolders(folder, path.dirname(path.join(folder, file)));
  // The work is done; what cannot be cleaned up now is by the next run.
  await rm(staging, { recursive: true, force: true }).catch(() => undefined);
}

/** Removes new files, puts old ones back, then removes the staging folder. */
async function undo(folder: string, staging: string): Promise<void> {
  const journal = await readJson<Journal>(path.join(staging, 'journal.json'));
  if (journal) {
    const valid = (file: string): boolean => isSafePath(file) || isSafePath(file.replace(/^\./, ''));
    for (const [file, hash] of Object.entries(journal.written)) {
      const target = path.join(folder, file);
      if (!valid(file)) continue;
      const inPlace = !(await exists(path.join(staging, 'new', file))) && (await exists(target));
      if (inPlace && contentHash(await readFile(target)) === hash) await rm(target);
      await removeEmptyFolders(folder, path.dirname(target));
    }
    for (const file of journal.replaced) {
      const old = path.join(staging, 'old', file);
      const target = path.join(folder, file);
      if (!valid(file) || !(await exists(old)) || (await exists(target))) continue;
      await mkdir(path.dirname(target), { recursive: true });
      await rename(old, target);
    }
  }
  await rm(staging, { recursive: true, force: true });
}

/** A JSON object of ours; null if the file is absent or damaged. */
async function readJson<T>(file: string): Promise<T | null> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as T;
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

async function writeFlushed(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return false;
    throw error;
  }
}

/** Removes `from` and its parents below `root` as long as they are empty. */
async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let at = from; at !== root && at.startsWith(root); at = path.dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isBusy(folder: string): UserError {
  return new UserError(`${folder}: another generation into this folder is under way; wait for it to end.`);
}
