// Runs the firmware tests: generated C and the runtime on this computer and on emulated boards. `node
// test/firmware/run.mjs [FILE|FOLDER…] [--grep PATTERN]`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';
import { closingLine } from '../support/closingLine.mjs';
import { partsOf, runParts } from '../support/parallel.mjs';
import { ensureTools } from '../support/tools.mjs';

/** They take minutes, the longest first; the others, seconds. */
const longest = [
  'models.test.ts',
  'kernels/specials.test.ts',
  'fieldCases.test.ts',
  'emulator',
  'kernels/boardKernels.test.ts',
  'kernels/kernels.test.ts',
  'generated.test.ts',
  'sample.test.ts',
  'detection.test.ts',
  'kernels/stack.test.ts',
  'layouts/build.test.ts',
];

// Without it, equal sources are compiled again and again.
ensureTools(['ccache']);
const missing = ensureTools([
  'gcc',
  'clang',
  'sanitizers',
  'armGcc',
  'newlib',
  'qemu',
  'cmake',
  'riscvGcc',
  'picolibc',
  'qemuRiscv',
]);
if (missing.length > 0) {
  console.error(`The firmware tests need tools that are not installed:\n  ${missing.join('\n  ')}`);
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
} else {
  const given = process.argv.slice(2);
  const root = path.join(projectRoot, 'test/firmware');
  const runner = path.join(projectRoot, 'test/unit/run.mjs');
  if (given.length === 0 || given[0] === '--reporter') {
    await runParts(runner, partsOf(root, { split: ['kernels', 'layouts'], first: longest }), given);
  } else {
    const { status } = spawnSync(process.execPath, [runner, ...(given[0].startsWith('-') ? [root] : []), ...given], {
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
  }
}
