import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';

interface Output {
  readonly path: string;
  readonly data: Uint8Array | string;
}

/** A lock this old belongs to a process that died: it is held for a few renames only. */
const STALE_LOCK_MS = 10_000;
const LOCK_POLL_MS = 20;

/**
 * Writes files of one folder that belong together: all of them or none. Their contents go to temporary names first;
 * only when every one of them is on the disk are they renamed into place, and what was there before is put back if a
 * rename fails. Two writers of the same files take turns, so that the files that are left all come from one of them.
 *
 * @throws UserError if the disk is full, the folder read-only or something other than a file is in the way; nothing
 *   has changed then
 */
export async function writeFilesWhole(files: readonly Output[]): Promise<void> {
  const suffix = randomBytes(6).toString('hex');
  const staged = files.map((file, i) => ({
    target: file.path,
    data: file.data,
    next: hidden(file.path, `${suffix}${i}.tmp`),
    old: hidden(file.path, `${suffix}${i}.old.tmp`),
  }));
  try {
    for (const { next, data } of staged) await writeFlushed(next, data);
    const lock = await takeLock(files[0].path);
    try {
      await swap(staged);
    } finally {
      await fs.rm(lock, { force: true }).catch(() => undefined);
    }
  } catch (error) {
    const reason = writeRefusal(error) ?? (error as Error).message;
    throw new UserError(`${files[files.length - 1].path} cannot be written: ${reason}. Nothing was changed.`, {
      cause: error,
    });
  } finally {
    await Promise.all(
      staged.flatMap(({ next, old }) => [next, old]).map((file) => fs.rm(file, { force: true }).catch(() => undefined)),
    );
  }
}

async function swap(
  files: readonly { readonly target: string; readonly next: string; readonly old: string }[],
): Promise<void> {
  const existed: boolean[] = [];
  for (const { target, old } of files) existed.push(await keep(target, old));
  let done = 0;
  try {
    for (; done < files.length; done++) await fs.rename(files[done].next, files[done].target);
  } catch (error) {
    for (let i = done - 1; i >= 0; i--) {
      if (existed[i]) await fs.rename(files[i].old, files[i].target);
      else await fs.rm(files[i].target, { force: true });
    }
    throw error;
  }
}

/**
 * A second name for a file, so that it can be put back; false when there is none. The file itself stays in place all
 * the time.
 */
async function keep(target: string, old: string): Promise<boolean> {
  const stat = await fs.lstat(target).catch(() => null);
  if (stat === null) return false;
  if (stat.isDirectory()) throw Object.assign(new Error('a folder is in the way'), { code: 'EISDIR' });
  // Not every file system has hard links.
  await fs.link(target, old).catch(() => fs.copyFile(target, old));
  return true;
}

async function writeFlushed(file: string, data: Uint8Array | string): Promise<void> {
  const handle = await fs.open(file, 'wx');
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function takeLock(file: string): Promise<string> {
  const lock = path.join(
    path.dirname(file),
    `.quantmcu-${createHash('sha256').update(path.basename(file)).digest('hex').slice(0, 16)}.lock`,
  );
  for (;;) {
    try {
      await (await fs.open(lock, 'wx')).close();
      return lock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const stat = await fs.stat(lock).catch(() => null);
    if (stat !== null && Math.abs(Date.now() - stat.mtimeMs) > STALE_LOCK_MS) await fs.rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

/**
 * A name beside a file that is short enough whatever the file's own (a name has at most 255 bytes, a character up to
 * 4).
 */
function hidden(file: string, ending: string): string {
  return path.join(path.dirname(file), `.${path.basename(file).slice(0, 40)}.${ending}`);
}
