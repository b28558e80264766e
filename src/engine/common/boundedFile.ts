import { constants, promises as fs } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file. Pipes and devices, which may never end and may do something when they are read, are looked at
 * and not opened.
 * @throws Error that says so; the file system's
 */
export async function openRegular(file: string): Promise<FileHandle> {
  if (!(await fs.stat(file)).isFile()) throw new Error('it is not a file');
  const handle = await fs.open(file, WITHOUT_WAITING);
  // It may have become something else since.
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('it is not a file');
}

/** Reads a regular file whole. @throws Error that says why not: no file, or more than `maxBytes` */
export async function readBounded(file: string, maxBytes: number): Promise<Buffer> {
  const handle = await openRegular(file);
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`it has ${size} bytes, more than the limit of ${maxBytes}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
