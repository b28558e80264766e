// `npm test`: the build, then two things beside each other. Checks and the parts of the suites that keep processors
// busy take turns at them; the suites in VS Code, which mostly wait for its window, run one after the other and go
// first wherever they want a processor. The end names what failed, and the last line counts all tests.
import path from 'node:path';
import { projectRoot } from './support/bundle.mjs';
import { closingLine, failureLine, failureLines } from './support/closingLine.mjs';
import { report, run, runPart, takeTurns } from './support/parallel.mjs';
import { busySuites, prepareSuite } from './support/suites.mjs';
import { ensureTools } from './support/tools.mjs';

/** Commands without tests to count: each counts as one test. */
const checks = ['lint', 'typecheck'];
const windowSuites = ['integration', 'e2e'];

/** @type {Map<string, {passed: number, failed: number, skipped: number, seconds: number}>} in order of the summary */
const results = new Map(
  ['build', ...checks, 'unit', 'faults', 'firmware', ...windowSuites].map((name) => [
    name,
    { passed: 0, failed: 0, skipped: 0, seconds: 0 },
  ]),
);
/** @type {string[]} */
const failures = [];

/** Adds up counts and seconds of a suite; a failure that nobody named gets a line. */
function count(suite, counts, { code, output, seconds }) {
  const result = results.get(suite);
  for (const key of ['passed', 'failed', 'skipped']) result[key] += counts[key];
  result.seconds += seconds;
  const lines = failureLines(output);
  if (counts.failed > 0 && lines.length === 0) lines.push(failureLine(suite, `exit ${code}: ${output.slice(-800)}`));
  failures.push(...lines);
}

async function check(name, yields = true) {
  const outcome = await run('npm', ['run', '--silent', name], { yields });
  console.log(`\n--- ${name} (${Math.round(outcome.seconds)} s)\n${outcome.output}`);
  const failed = outcome.code === 0 ? 0 : 1;
  count(name, { passed: 1 - failed, failed, skipped: 0 }, outcome);
}

/** The parts of a suite that keeps processors busy. */
function jobsOf(suite) {
  const { runner, parts, missing } = prepareSuite(suite);
  if (missing.length > 0) {
    failures.push(failureLine(suite, `tools are not installed: ${missing.join('; ')}`));
    results.get(suite).failed++;
    return [];
  }
  return parts.map((part) => async () => {
    const { counts, ...outcome } = await runPart(runner, part, { yields: true });
    count(suite, counts, outcome);
  });
}

async function runInWindow(suite) {
  const outcome = await run(process.execPath, [path.join(projectRoot, 'test', suite, 'run.mjs')]);
  count(suite, report(suite, outcome), outcome);
}

const started = Date.now();
// All at once, and here: installing while tests run would disturb them.
ensureTools(['chromium', 'fonts', 'nativeBuild']);
const jobs = [...checks.map((name) => () => check(name)), ...busySuites.flatMap(jobsOf)];
await check('build', false);
await Promise.all([
  takeTurns(jobs),
  (async () => {
    for (const suite of windowSuites) await runInWindow(suite);
  })(),
]);

const summary = [...results].map(
  ([name, { seconds, ...counts }]) => `${name.padEnd(12)} ${closingLine(counts)} (${Math.round(seconds)} s)`,
);
console.log(`\n${[...summary, ...failures].join('\n')}\n`);
console.log(`${Math.round((Date.now() - started) / 1000)} s; seconds above are those of processes beside each other.`);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const result of results.values()) for (const key of Object.keys(total)) total[key] += result[key];
console.log(closingLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
