import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from './bundle.mjs';
import { runSuite } from './mocha.mjs';
import { runParts } from './parallel.mjs';
import { prepareSuite } from './suites.mjs';

/**
 * Runs a suite of mocha as the command line says: files and folders, `--grep PATTERN` and `--reporter NAME`; without
 * any, all its parts in several processes.
 * @param {string} suite folder under test/
 * @param {{reporter?: string}} [defaults] for files and folders
 */
export async function suiteCommand(suite, defaults = {}) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { grep: { type: 'string' }, reporter: { type: 'string' } },
  });
  if (positionals.length === 0 && values.grep === undefined) {
    const { runner, parts } = prepareSuite(suite);
    return runParts(runner, parts, process.argv.slice(2));
  }
  const roots = positionals.length > 0 ? positionals : [path.join(projectRoot, 'test', suite)];
  return runSuite(suite, roots, { ...defaults, ...values });
}
