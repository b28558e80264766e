// Runs the firmware tests: generated C and the runtime on this computer and on emulated boards. `node test/firmware/run.mjs [FILE|FOLDER…] [--grep PATTERN]`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';
import { closingLine } from '../support/closingLine.mjs';
import { ensureTools } from '../support/tools.mjs';

const missing = ensureTools(['gcc', 'clang', 'sanitizers', 'armGcc', 'newlib', 'qemu', 'cmake']);
if (missing.length > 0) {
  console.error(`The firmware tests need tools that are not installed:\n  ${missing.join('\n  ')}`);
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
} else {
  const given = process.argv.slice(2);
  const files = given.length > 0 && !given[0].startsWith('-') ? given : [path.join(projectRoot, 'test/firmware'), ...given];
  const { status } = spawnSync(process.execPath, [path.join(projectRoot, 'test/unit/run.mjs'), ...files], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
