import { createHash } from 'node:crypto';
import { UnsafePathError, type SafeFolder } from '../common/safeFolder';

/** Name of the file that lists what we wrote. */
export const manifestName = '.quantmcu-manifest.json';

/** A manifest is a few kilobytes; anything larger is not ours. */
const maxManifestBytes = 1 << 20;

/** Generated file → hash of the text that we wrote. */
export type Manifest = ReadonlyMap<string, string>;

/** SHA-256 of a file's bytes, hexadecimal. Line ends do not count: version control may turn them into CRLF. */
export function contentHash(bytes: Buffer): string {
  // Latin-1 keeps every byte, whatever the encoding.
  const normalized = bytes.includes('\r\n')
    ? Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : bytes;
  return createHash('sha256').update(normalized).digest('hex');
}

/** Text of a manifest, with sorted paths. `more` is stored with them. */
export function renderManifest(manifest: Manifest, more: Readonly<Record<string, unknown>> = {}): string {
  const files = Object.fromEntries([...manifest].sort(([a], [b]) => (a < b ? -1 : 1)));
  const comment = 'What QuantMCU wrote into this folder: SHA-256 of each file, line ends as LF.';
  return `${JSON.stringify({ version: 1, comment, files, ...more }, null, 2)}\n`;
}

/** The manifest of a folder; empty if there is none or it is damaged, so that nothing there counts as ours. */
export function readManifest(folder: SafeFolder): Manifest {
  const { version, files } = readManifestJson(folder) as { version?: unknown; files?: unknown };
  if (version !== 1 || typeof files !== 'object' || files === null) return new Map();
  return new Map(
    Object.entries(files).filter(
      (entry): entry is [string, string] =>
        isSafePath(entry[0]) && typeof entry[1] === 'string' && /^[0-9a-f]{64}$/.test(entry[1]),
    ),
  );
}

/** What a folder's manifest says, an empty object where there is none or it is damaged. Nothing of it is checked. */
export function readManifestJson(folder: SafeFolder): object {
  let parsed: unknown;
  try {
    const bytes = folder.read(manifestName, maxManifestBytes);
    if (bytes === null) return {};
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UnsafePathError) return {};
    throw error;
  }
  return typeof parsed === 'object' && parsed !== null ? parsed : {};
}

/**
 * Whether a path with '/' separators stays inside its folder on every system and is not one of our files with a special
 * meaning.
 */
export function isSafePath(file: string): boolean {
  const parts = file.split('/');
  return file.length <= 240 && parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(part) && !part.endsWith('.'));
}
