import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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

/**
 * Runs parts of a suite in several processes at once, each part whole in a separate process, and prints what each
 * said, in one piece, as it ends. The last line counts all of them; the process fails if a part does.
 * @param {string} runner script that runs the part it is given, and closes as {@link closingLine} does
 * @param {string[]} parts in the order in which they are begun @param {string[]} args further arguments for the
 *   runner
 */
export async function runParts(runner, parts, args = []) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const queue = [...parts];
  const turn = async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const started = Date.now();
      const { code, output } = await run(process.execPath, [runner, part, ...args]);
      const counts = parseClosingLine(output) ?? { passed: 0, failed: 0, skipped: 0 };
      const name = path.relative(projectRoot, part) + (statSync(part).isDirectory() ? path.sep : '');
      process.stdout.write(`\n--- ${name} (${Math.round((Date.now() - started) / 1000)} s)\n${output}`);
      // A part that died counts as one failure.
      if (code !== 0 && counts.failed === 0) {
        counts.failed = 1;
        console.log(failureLine(name, `exit ${code}: ${output.slice(-800)}`));
      }
      for (const key of Object.keys(total)) total[key] += counts[key];
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(availableParallelism(), 1), 4) }, turn));
  console.log(`\n${closingLine(total)}`);
  process.exitCode = total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0;
}

/** @returns {Promise<{code: number, output: string}>} */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
