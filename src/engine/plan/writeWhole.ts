import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { hostname } from 'node:os';
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
  const suffix = `${WRITER}-${randomBytes(6).toString('hex')}`;
  const staged = files.map((file, i) => ({
    target: file.path,
    data: file.data,
    next: hidden(file.path, `${suffix}${i}.tmp`),
    old: hidden(file.path, `${suffix}${i}.old.tmp`),
  }));
  try {
    await refuseLinks(files);
    await removeLeftovers(files);
    for (const { next, data } of staged) await writeFlushed(next, data);
    await locked(files[0].path, () => swap(staged));
  } catch (error) {
    throw notWritten(files[files.length - 1].path, error);
  } finally {
    await Promise.all(
      staged.flatMap(({ next, old }) => [next, old]).map((file) => fs.rm(file, { force: true }).catch(() => undefined)),
    );
  }
}

/**
 * Writes a plan and its parameters, of which the plan's rename decides: until then, the parameters are next to it under
 * a name made from their hash, and take their own name after it. Whoever opens the plan looks for both names, so that a
 * process may be killed at any moment.
 *
 * @param parameters their file, next to the plan
 * @throws UserError as {@link writeFilesWhole}
 */
export async function writePlanWhole(plan: Output, parameters: Output): Promise<void> {
  const files = [parameters, plan];
  const next = hidden(plan.path, `${WRITER}-${randomBytes(6).toString('hex')}.tmp`);
  const pending = pendingParameters(parameters.path, createHash('sha256').update(parameters.data).digest('hex'));
  try {
    await refuseLinks(files);
    await removeLeftovers(files);
    await locked(parameters.path, async () => {
      await assertNoFolder(plan.path);
      await assertNoFolder(parameters.path);
      // One that a killed process left may be cut short.
      await fs.rm(pending, { force: true });
      await writeFlushed(pending, parameters.data);
      await writeFlushed(next, plan.data);
      await fs.rename(next, plan.path);
    });
  } catch (error) {
    await Promise.all([next, pending].map((file) => fs.rm(file, { force: true }).catch(() => undefined)));
    throw notWritten(plan.path, error);
  }
  // What fails from here on leaves parameters that are found all the same.
  await locked(parameters.path, async () => {
    await fs.rename(pending, parameters.path);
    await removePending(parameters.path);
  }).catch(() => undefined);
}

/** Where parameters with a hash lie until they have their own name. */
export function pendingParameters(file: string, sha256: string): string {
  return hidden(file, `${sha256.slice(0, 32)}.pending`);
}

/** Parameters of plans that were replaced before theirs got their name. */
async function removePending(file: string): Promise<void> {
  const begin = path.basename(hidden(file, ''));
  for (const name of await fs.readdir(path.dirname(file)))
    if (name.startsWith(begin) && /^[0-9a-f]{32}\.pending$/.test(name.slice(begin.length)))
      await fs.rm(path.join(path.dirname(file), name), { force: true });
}

/** Says which process writes a temporary file, so that the next one knows whether anybody still does. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const WRITER = `${HOST}-${process.pid}`;
/** Older ones of other computers are abandoned. */
const LEFTOVER_MS = 24 * 3600 * 1000;

/** Removes the temporary files that killed processes left next to these files. */
async function removeLeftovers(files: readonly Output[]): Promise<void> {
  for (const { path: file } of files) {
    const begin = path.basename(hidden(file, ''));
    const folder = path.dirname(file);
    for (const name of await fs.readdir(folder)) {
      const owner = name.startsWith(begin)
        ? /^([0-9a-f]{8})-(\d+)-[0-9a-f]+(?:\.old)?\.tmp$/.exec(name.slice(begin.length))
        : null;
      if (owner && (await isNobodys(path.join(folder, name), owner[1], Number(owner[2]))))
        await fs.rm(path.join(folder, name), { force: true }).catch(() => undefined);
    }
  }
}

async function isNobodys(file: string, host: string, pid: number): Promise<boolean> {
  if (host === HOST) return pid !== process.pid && !isAlive(pid);
  const stat = await fs.lstat(file).catch(() => null);
  return stat !== null && Date.now() - stat.mtimeMs > LEFTOVER_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A rename would put a file in the place of a link, which somebody made for a reason. */
async function refuseLinks(files: readonly Output[]): Promise<void> {
  for (const { path: file } of files) {
    const stat = await fs.lstat(file).catch(() => null);
    if (stat?.isSymbolicLink()) throw new Error(`${path.basename(file)} is a link, and links are not written through`);
  }
}

async function assertNoFolder(file: string): Promise<void> {
  const stat = await fs.lstat(file).catch(() => null);
  if (stat?.isDirectory()) throw Object.assign(new Error('a folder is in the way'), { code: 'EISDIR' });
}

function notWritten(file: string, error: unknown): UserError {
  const reason = writeRefusal(error) ?? (error as Error).message;
  return new UserError(`${file} cannot be written: ${reason}. Nothing was changed.`, { cause: error });
}

/** Does something while no other process writes a file. */
async function locked(file: string, work: () => Promise<void>): Promise<void> {
  const lock = await takeLock(file);
  try {
    await work();
  } finally {
    await fs.rm(lock, { force: true }).catch(() => undefined);
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
