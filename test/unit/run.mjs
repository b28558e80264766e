// Runs the unit tests: `node test/unit/run.mjs [FILE|FOLDER…] [--grep PATTERN] [--reporter NAME]`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { runSuite } from '../support/mocha.mjs';
import { runParts } from '../support/parallel.mjs';
import { prepareSuite } from '../support/suites.mjs';

const root = path.join(projectRoot, 'test/unit');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string' }, reporter: { type: 'string' } },
});
if (positionals.length === 0 && values.grep === undefined) {
  const { runner, parts } = prepareSuite('unit');
  await runParts(runner, parts, process.argv.slice(2));
} else {
  await runSuite('unit', positionals.length > 0 ? positionals : [root], values);
}
