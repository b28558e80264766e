import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot, testFiles } from './bundle.mjs';
import { closingLine, failureLine, parseClosingLine } from './closingLine.mjs';

/**
 * The parts of a suite that processes take turns at: its test files and its folders of them, each of `split` by its
 * files.
 * @param {string} root @param {{first?: string[], split?: string[]}} [options] relative to the root; `first`: parts
 *   that take longest, which are begun with, so that no process is left alone with one at the end
 * @returns {string[]} paths
 */
export function partsOf(root, { first = [], split = [] } = {}) {
  const parts = readdirSync(root, { withFileTypes: true })
    .flatMap((entry) => {
      const whole = path.join(root, entry.name);
      if (entry.isDirectory() && split.includes(entry.name)) return testFiles([whole]);
      return entry.isDirectory()
        ? testFiles([whole]).length > 0
          ? [whole]
          : []
        : entry.name.endsWith('.test.ts')
          ? [whole]
          : [];
    })
    .sort();
  const early = first.map((name) => path.join(root, name));
  for (const part of early)
    if (!parts.includes(part)) throw new Error(`${part} is no part of the suite: see its run.mjs.`);
  return [...early, ...parts.filter((part) => !early.includes(part))];
}

/** @typedef {{code: number, output: string, seconds: number}} Outcome what a process came to and printed */

/** How many processes take turns: one more than processors, for each waits a third of its time for others it began. */
const TURNS = Math.min(Math.max(availableParallelism(), 1), 4) + 1;

/**
 * Does jobs in order, a few at once.
 * @param {readonly (() => Promise<void>)[]} jobs
 */
export async function takeTurns(jobs) {
  const queue = [...jobs];
  const turn = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: TURNS }, turn));
}

/**
 * Runs a part of a suite in a process with its own folder for temporary files, and prints what it said, in one piece,
 * when it has ended.
 * @param {string} runner script that runs the part it is given, and closes as {@link closingLine} does
 * @param {string} part path @param {{args?: string[], yields?: boolean}} [options] `args`: further arguments for the
 *   runner; `yields`: see {@link run}
 * @returns {Promise<Outcome & {counts: import('./closingLine.mjs').Counts}>}
 */
export async function runPart(runner, part, { args = [], yields = false } = {}) {
  const temporary = mkdtempSync(path.join(tmpdir(), 'quantmcu-part-'));
  // As open as the folder that it stands for: tests run commands as other users.
  chmodSync(temporary, 0o1777);
  const env = { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary };
  const outcome = await run(process.execPath, [runner, part, ...args], { env, yields });
  rmSync(temporary, { recursive: true, force: true });
  const name = path.relative(projectRoot, part) + (statSync(part).isDirectory() ? path.sep : '');
  return { ...outcome, counts: report(name, outcome) };
}

/**
 * Prints what a process of a suite said, and a failure line when it died without one.
 * @param {string} name @param {Outcome} outcome @returns {import('./closingLine.mjs').Counts}
 */
export function report(name, { code, output, seconds }) {
  const counts = parseClosingLine(output) ?? { passed: 0, failed: 0, skipped: 0 };
  process.stdout.write(`\n--- ${name} (${Math.round(seconds)} s)\n${output}`);
  // A process that died, or says that it failed without a failed test, counts as one failure.
  if (code !== 0 && counts.failed === 0) {
    counts.failed = 1;
    console.log(failureLine(name, `exit ${code}: ${output.slice(-800)}`));
  }
  return counts;
}

/**
 * Runs parts of a suite in several processes at once, each part whole in a separate process. The last line counts all
 * of them; the process fails if a part does.
 * @param {string} runner see {@link runPart} @param {string[]} parts in the order in which they are begun
 * @param {string[]} args further arguments for the runner
 */
export async function runParts(runner, parts, args = []) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  await takeTurns(
    parts.map((part) => async () => {
      const { counts } = await runPart(runner, part, { args });
      for (const key of Object.keys(total)) total[key] += counts[key];
    }),
  );
  console.log(`\n${closingLine(total)}`);
  process.exitCode = total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0;
}

/**
 * Runs a command in the project's folder.
 * @param {string} command @param {string[]} args @param {{env?: NodeJS.ProcessEnv, yields?: boolean}} [options]
 *   `yields`: it and what it starts leave the processors to everything else that wants them
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { env, yields = false } = {}) {
  const [file, ...words] =
    yields && process.platform !== 'win32' ? ['nice', '-n', '19', command, ...args] : [command, ...args];
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const child = spawn(file, words, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output, seconds: (Date.now() - started) / 1000 }));
  });
}
