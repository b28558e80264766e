// Runs the fault tests: bad models, sidecars, images and disks. `node test/faults/run.mjs [FILE|FOLDER…] [--grep
// PATTERN] [--reporter NAME]`.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { runSuite } from '../support/mocha.mjs';
import { partsOf, runParts } from '../support/parallel.mjs';

const root = path.join(projectRoot, 'test/faults');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string' }, reporter: { type: 'string' } },
});
if (positionals.length === 0 && values.grep === undefined) {
  await runParts(
    fileURLToPath(import.meta.url),
    partsOf(root, { first: ['hostileModels.test.ts', 'strangeModels.test.ts'] }),
    process.argv.slice(2),
  );
} else {
  await runSuite('faults', positionals.length > 0 ? positionals : [root], { reporter: 'spec', ...values });
}
