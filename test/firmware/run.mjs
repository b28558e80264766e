// Runs the firmware tests: generated C and the runtime on this computer and on emulated boards. `node
// test/firmware/run.mjs [FILE|FOLDER…] [--grep PATTERN]`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';
import { closingLine } from '../support/closingLine.mjs';
import { runParts } from '../support/parallel.mjs';
import { prepareSuite } from '../support/suites.mjs';

const { runner, parts, missing } = prepareSuite('firmware');
if (missing.length > 0) {
  console.error(`The firmware tests need tools that are not installed:\n  ${missing.join('\n  ')}`);
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
} else {
  const given = process.argv.slice(2);
  const root = path.join(projectRoot, 'test/firmware');
  if (given.length === 0 || given[0] === '--reporter') {
    await runParts(runner, parts, given);
  } else {
    const { status } = spawnSync(process.execPath, [runner, ...(given[0].startsWith('-') ? [root] : []), ...given], {
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
  }
}
