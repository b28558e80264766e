import Mocha from 'mocha';
import { bundleTests, testFiles } from './bundle.mjs';
import { closingLine, failureLine } from './closingLine.mjs';

/**
 * Bundles test files, runs them with mocha in this process and prints the closing line. The process fails if a test
 * does or if there was none.
 * @param {string} name @param {string[]} roots files and folders
 * @param {{grep?: string, reporter?: string, timeout?: number}} [options]
 */
export async function runSuite(name, roots, { grep, reporter = 'dot', timeout = 300_000 } = {}) {
  process.setSourceMapsEnabled(true);
  const bundle = await bundleTests(name, testFiles(roots));
  try {
    const mocha = new Mocha({ ui: 'bdd', grep, reporter, timeout, color: process.stdout.isTTY });
    mocha.addFile(bundle.file);
    await mocha.loadFilesAsync();
    const failures = [];
    const counts = await new Promise((resolve) => {
      const runner = mocha.run(() =>
        resolve({ passed: runner.stats.passes, failed: runner.stats.failures, skipped: runner.stats.pending }),
      );
      runner.on('fail', (test, error) => failures.push(failureLine(test.fullTitle(), String(error?.message ?? error))));
    });
    for (const failure of failures) console.log(failure);
    console.log(closingLine(counts));
    process.exitCode = counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0;
  } finally {
    bundle.remove();
  }
}
