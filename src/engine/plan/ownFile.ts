import { promises as fs } from 'node:fs';
import { UserError } from '../common/errors';

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
 * Refuses to write over what is not ours: a file of somebody else's, or a link, which would be replaced by a file.
 * @param force write over another file all the same
 * @throws UserError that names the file and what to do
 */
export async function assertReplaceable(file: string, kind: keyof typeof OWN_FILES, force = false): Promise<void> {
  const stat = await fs.lstat(file).catch(() => null);
  if (stat === null) return;
  if (stat.isSymbolicLink())
    throw new UserError(`${file} is a link, and links are not written through. Remove it or choose another name.`);
  // Writing refuses folders and devices.
  if (!stat.isFile() || force || stat.size === 0) return;
  const { what, begins } = OWN_FILES[kind];
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
