// `npm test`: every suite in order, cheapest first; the last line counts them all.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './support/bundle.mjs';
import { closingLine, parseClosingLine } from './support/closingLine.mjs';

/** Suites whose command has no tests to count: each counts as one test. */
const checks = [
  ['typecheck', 'npm', ['run', '--silent', 'typecheck']],
  ['lint', 'npm', ['run', '--silent', 'lint']],
  ['build', 'npm', ['run', '--silent', 'build']],
];
const runners = ['unit', 'faults', 'firmware', 'integration', 'e2e'];

/** @returns {Promise<{code: number, output: string}>} */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const tee = (stream) => (chunk) => {
      stream.write(chunk);
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

for (const [suite, command, args] of checks) {
  const started = Date.now();
  console.log(`\n=== ${suite}`);
  const { code } = await run(command, args);
  count(suite, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }, started);
}
for (const suite of runners) {
  const runner = path.join(projectRoot, 'test', suite, 'run.mjs');
  if (!existsSync(runner)) continue;
  const started = Date.now();
  console.log(`\n=== ${suite}`);
  const { code, output } = await run(process.execPath, [runner]);
  const counts = parseClosingLine(output) ?? { passed: 0, failed: 0, skipped: 0 };
  // A runner that died, or says that it failed without a failed test, counts as one failure.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  count(suite, counts, started);
}

console.log(`\n${summary.join('\n')}\n`);
console.log(closingLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
