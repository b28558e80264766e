import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { writeRefusal } from '../common/fileErrors';

/** What we write where people say; `begins` tells a file of ours by its first bytes. */
const OWN_FILES = {
  plan: { what: 'plan', begins: /^\ufeff?\s*\{[^]{0,400}"generator"\s*:\s*"QuantMCU/ },
  parameters: { what: 'parameter file', begins: /^QMCUPAR1/ },
  predictions: { what: 'table of predictions', begins: /^file,label,float,quantized[,\r\n]/ },
  results: { what: 'table of results', begins: /^\s*\{\s*"version"\s*:\s*1,\s*"results"/ },
  sweeps: { what: 'table of sweeps', begins: /^\s*\{[^]{0,400}"generator"\s*:\s*"QuantMCU/ },
  sweepRows: { what: 'table of sweeps', begins: /^parameter,value,macs,/ },
  qdq: { what: 'exported model', begins: /^[^]{0,64}QuantMCU/ },
} as const;

const HEAD_BYTES = 1024;

/**
 * Refuses, before anything is computed, to write where nothing can be, and over what is not ours: a file of somebody
 * else's, or a link, which would be replaced by a file.
 * @param force write over another file all the same
 * @throws UserError that names the file and what to do
 */
export async function assertReplaceable(file: string, kind: keyof typeof OWN_FILES, force = false): Promise<void> {
  const { what, begins } = OWN_FILES[kind];
  if (file === '') throw new UserError(`The ${what} has no name. Name the file to write.`);
  const stat = await fs.lstat(file).catch(() => null);
  const refused = (code: string): UserError =>
    new UserError(`${file} cannot be written: ${writeRefusal({ code })}. Nothing was changed.`);
  if (stat === null) {
    const folder = await fs.stat(path.dirname(file)).catch((error: unknown) => error as NodeJS.ErrnoException);
    if (folder instanceof Error && folder.code === 'ENOENT') throw refused('ENOENT');
    if (!(folder instanceof Error) && !folder.isDirectory()) throw refused('ENOTDIR');
    return;
  }
  if (stat.isDirectory()) throw refused('EISDIR');
  if (stat.isSymbolicLink())
    throw new UserError(`${file} is a link, and links are not written through. Remove it or choose another name.`);
  // Writing refuses devices.
  if (!stat.isFile() || force || stat.size === 0) return;
  if (!begins.test(await headOf(file)))
    throw new UserError(
      `${file} exists and is not a QuantMCU ${what}. Nothing was changed: choose another name, move it away, or ` +
        'give --force to overwrite it.',
    );
}

async function headOf(file: string): Promise<string> {
  const handle = await fs.open(file, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
