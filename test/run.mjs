// `npm test`: checks beside each other, then every suite in order; the last line counts them all.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './support/bundle.mjs';
import { closingLine, parseClosingLine } from './support/closingLine.mjs';
import { ensureTools } from './support/tools.mjs';

/** Suites whose command has no tests to count: each counts as one test. */
const checks = ['typecheck', 'lint', 'build'];
/** Suites that run one after the other, each on all cores. */
const suites = ['unit', 'faults', 'firmware'];

/**
 * @param {boolean} shown whether its output is printed as it comes
 * @returns {Promise<{code: number, output: string}>}
 */
function run(command, args, shown) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const tee = (stream) => (chunk) => {
      if (shown) stream.write(chunk);
      output += chunk;
    };
    child.stdout.on('data', tee(process.stdout));
    child.stderr.on('data', tee(process.stderr));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const total = { passed: 0, failed: 0, skipped: 0 };
const summary = [];
function count(suite, counts, started) {
  for (const key of ['passed', 'failed', 'skipped']) total[key] += counts[key];
  summary.push(`${suite.padEnd(12)} ${closingLine(counts)} (${Math.round((Date.now() - started) / 1000)} s)`);
}

async function check(name) {
  const started = Date.now();
  const { code, output } = await run('npm', ['run', '--silent', name], false);
  console.log(`\n=== ${name}\n${output}`);
  count(name, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }, started);
}

/** @param {boolean} shown whether its output is printed as it comes; else in one piece at its end */
async function runSuite(suite, args = [], shown = true) {
  const started = Date.now();
  if (shown) console.log(`\n=== ${suite}`);
  const runner = path.join(projectRoot, 'test', suite, 'run.mjs');
  const { code, output } = await run(process.execPath, [runner, ...args], shown);
  if (!shown) console.log(`\n=== ${suite}\n${output}`);
  const counts = parseClosingLine(output) ?? { passed: 0, failed: 0, skipped: 0 };
  // A runner that died, or says that it failed without a failed test, counts as one failure.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  count(suite, counts, started);
}

/** Both wait for VS Code most of the time, so they go on beside each other. What both need is there before. */
async function runInVsCode() {
  ensureTools(['chromium', 'fonts', 'nativeBuild', 'gcc']);
  const vsix = path.join(projectRoot, 'out/quantmcu.vsix');
  const { code, output } = await run(process.execPath, [path.join(projectRoot, 'package.mjs'), '--out', vsix], false);
  if (code !== 0) console.log(output);
  await Promise.all([runSuite('e2e', ['--vsix', vsix], false), runSuite('integration', [], false)]);
}

await Promise.all(checks.map(check));
for (const suite of suites) await runSuite(suite);
await runInVsCode();

console.log(`\n${summary.join('\n')}\n`);
console.log(closingLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
