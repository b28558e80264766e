// The three lines that each file of figures begins with.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

/**
 * What was asked, the answer and the command, as they stand at the head of a file of figures. Somebody wrote the answer
 * down, so who measures again is told to look at it. @param {string} name of the file in test/bench
 */
export function leadOf(name) {
  const file = path.join(projectRoot, 'test/bench', name);
  const [, lead = ''] = existsSync(file) ? readFileSync(file, 'utf8').split('\n\n') : [];
  if (!lead.startsWith('- Asked: ')) throw new Error(`${name} does not begin with "- Asked: ".`);
  console.error(`${name}: read the answer at its head again; it is kept as it was.`);
  return lead;
}
