import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

/** A folder of its own for the suite that calls this, removed after it. */
export function scratchForAll(label: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `quantmcu-${label}-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
