// Runs the unit tests: `node test/unit/run.mjs [FILE|FOLDER…] [--grep PATTERN]`.
import Mocha from 'mocha';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot, testFiles } from '../support/bundle.mjs';
import { closingLine } from '../support/closingLine.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: 'string' }, reporter: { type: 'string', default: 'dot' } } });
const files = testFiles(positionals.length > 0 ? positionals : [path.join(projectRoot, 'test/unit')]);
process.setSourceMapsEnabled(true);

const bundle = await bundleTests('unit', files);
try {
  const mocha = new Mocha({ ui: 'bdd', grep: values.grep, reporter: values.reporter, timeout: 60_000, color: process.stdout.isTTY });
  mocha.addFile(bundle.file);
  await mocha.loadFilesAsync();
  const counts = await new Promise((resolve) => {
    const runner = mocha.run(() => resolve({ passed: runner.stats.passes, failed: runner.stats.failures, skipped: runner.stats.pending }));
  });
  console.log(closingLine(counts));
  process.exitCode = counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0;
} finally {
  bundle.remove();
}
