// Runs the unit tests: `node test/unit/run.mjs [FILE|FOLDER…] [--grep PATTERN] [--reporter NAME]`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { runSuite } from '../support/mocha.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: 'string' }, reporter: { type: 'string' } } });
await runSuite('unit', positionals.length > 0 ? positionals : [path.join(projectRoot, 'test/unit')], values);
