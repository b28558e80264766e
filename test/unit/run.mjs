// Runs the unit tests: `node test/unit/run.mjs [FILE|FOLDER…] [--grep PATTERN] [--reporter NAME]`.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { runSuite } from '../support/mocha.mjs';
import { partsOf, runParts } from '../support/parallel.mjs';
import { ensureTools } from '../support/tools.mjs';

const root = path.join(projectRoot, 'test/unit');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string' }, reporter: { type: 'string' } },
});
if (positionals.length === 0 && values.grep === undefined) {
  for (const line of ensureTools(['jpeg'])) console.log(`Missing: ${line}`);
  await runParts(
    fileURLToPath(import.meta.url),
    partsOf(root, { split: ['webview'], first: ['run', 'sweep', 'worker'] }),
    process.argv.slice(2),
  );
} else {
  await runSuite('unit', positionals.length > 0 ? positionals : [root], values);
}
