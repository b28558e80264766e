// `npm test`: checks beside each other, then every suite in order. The end names what failed, and the last line
// counts all tests.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './support/bundle.mjs';
import { closingLine, failureLine, failureLines, parseClosingLine } from './support/closingLine.mjs';

/** Suites whose command has no tests to count: each counts as one test. */
const checks = ['typecheck', 'lint', 'build'];
const suites = ['unit', 'faults', 'firmware', 'integration', 'e2e'];

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
/** @type {string[]} */
const failures = [];
function count(suite, counts, started) {
  for (const key of ['passed', 'failed', 'skipped']) total[key] += counts[key];
  summary.push(`${suite.padEnd(12)} ${closingLine(counts)} (${Math.round((Date.now() - started) / 1000)} s)`);
}

async function check(name) {
  const started = Date.now();
  const { code, output } = await run('npm', ['run', '--silent', name], false);
  console.log(`\n=== ${name}\n${output}`);
  if (code !== 0) failures.push(failureLine(name, output.slice(-800)));
  count(name, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }, started);
}

async function runSuite(suite) {
  const started = Date.now();
  console.log(`\n=== ${suite}`);
  const { code, output } = await run(process.execPath, [path.join(projectRoot, 'test', suite, 'run.mjs')], true);
  const counts = parseClosingLine(output) ?? { passed: 0, failed: 0, skipped: 0 };
  // A runner that died, or says that it failed without a failed test, counts as one failure.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  const lines = failureLines(output);
  if (counts.failed > 0 && lines.length === 0) lines.push(failureLine(suite, `exit ${code}: ${output.slice(-800)}`));
  failures.push(...lines);
  count(suite, counts, started);
}

await Promise.all(checks.map(check));
for (const suite of suites) await runSuite(suite);

console.log(`\n${[...summary, ...failures].join('\n')}\n`);
console.log(closingLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
