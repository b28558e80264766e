// Runs the integration suite inside a real VS Code: `node test/integration/run.mjs [--electron] [--grep PATTERN]
// [--verbose]`. Without --electron it is VS Code's server in front of a headless browser, which needs nothing but npm
// and the system's packages.
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot, testFiles } from '../support/bundle.mjs';
import { closingLine, failureLine } from '../support/closingLine.mjs';
import { requireTools } from '../support/tools.mjs';
import { runInCodeServer } from './inCodeServer.mjs';
import { runInElectron } from './inElectron.mjs';

const { values } = parseArgs({
  options: { electron: { type: 'boolean' }, grep: { type: 'string' }, verbose: { type: 'boolean' } },
});
const here = path.join(projectRoot, 'test/integration');
const out = path.join(projectRoot, 'out/integration');
const resultFile = path.join(out, 'result.json');
if (values.electron || requireTools(['chromium', 'fonts', 'nativeBuild'])) await main();

async function main() {
  const workspace = path.join(out, 'workspace');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  cpSync(path.join(here, 'workspace'), workspace, { recursive: true });

  const suite = await bundleTests('integration', testFiles([here]), { external: ['vscode'] });
  const environment = {
    QUANTMCU_TEST_SUITE: suite.file,
    QUANTMCU_TEST_RESULT: resultFile,
    QUANTMCU_TEST_GREP: values.grep ?? '',
  };
  try {
    const run = values.electron ? runInElectron : runInCodeServer;
    const { code, log } = await run({
      extension: projectRoot,
      entry: path.join(here, 'suite.cjs'),
      workspace,
      out,
      environment,
      verbose: values.verbose ?? false,
    });
    const result = readResult();
    if (!result || (code !== 0 && result.failed === 0)) {
      console.log(log);
      throw new Error(`VS Code ended with code ${code}${result ? '' : ' and left no result'}; see ${out}.`);
    }
    for (const test of result.tests) {
      console.log(
        `  ${{ passed: '✔', failed: '✖', skipped: '-' }[test.state]} ${test.title} (${test.milliseconds} ms)`,
      );
      if (test.error) console.log(test.error.replace(/^/gm, '      '));
    }
    for (const test of result.tests)
      if (test.state === 'failed') console.log(failureLine(test.title, test.error ?? ''));
    console.log(closingLine(result));
    process.exitCode = result.failed > 0 || result.passed === 0 ? 1 : 0;
  } finally {
    suite.remove();
  }
}

function readResult() {
  try {
    return JSON.parse(readFileSync(resultFile, 'utf8'));
  } catch {
    return undefined;
  }
}
