// Runs the fault tests: bad models, sidecars, images and disks. `node test/faults/run.mjs [FILE|FOLDER…] [--grep PATTERN] [--reporter NAME]`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { runSuite } from '../support/mocha.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: 'string' }, reporter: { type: 'string' } } });
await runSuite('faults', positionals.length > 0 ? positionals : [path.join(projectRoot, 'test/faults')], { reporter: 'spec', ...values });
