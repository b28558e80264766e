import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { buildSync } from 'esbuild';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { nodeBundle } from '../support/nodeBundle.mjs';
import { outRoot, projectRoot } from '../support/paths';

/** What a run of the command line did and what it cost. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Processor time of all its threads; waiting for other programs on the machine does not count. */
  readonly cpuSeconds: number;
  /** Most memory that it held at once. */
  readonly peakBytes: number;
}

/** Longest that a run may take by the clock before it counts as hung; the limit that matters is on `cpuSeconds`. */
const HUNG_MS = 600_000;

interface Programs {
  readonly cli: string;
  /** Answers the editor's question for a model, see viewer.ts. */
  readonly viewer: string;
  readonly meter: string;
}

let built: Programs | undefined;

/**
 * Builds the command line as `npm run build` does, into a file of its own: other test runs may be building at the same
 * time.
 */
function build(): Programs {
  if (built) return built;
  const folder = path.join(outRoot, 'faults', `cli-${process.pid}`);
  const cli = path.join(folder, 'cli.js');
  const viewer = path.join(folder, 'viewer.js');
  for (const [entry, outfile] of [
    ['src/cli/cli.ts', cli],
    ['test/faults/viewer.ts', viewer],
    // Lies beside both, which start it.
    ['src/inference.ts', path.join(folder, 'inference.js')],
  ])
    buildSync({ ...nodeBundle, absWorkingDir: projectRoot, entryPoints: [entry], outfile });
  const meter = path.join(folder, 'meter.cjs');
  fs.writeFileSync(
    meter,
    "process.on('exit', () => { const u = process.resourceUsage(); try { require('node:fs').writeSync(3, " +
      'JSON.stringify([u.userCPUTime + u.systemCPUTime, u.maxRSS])); } catch {} });\n',
  );
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return (built = { cli, viewer, meter });
}

/** The command line as built for these tests. */
export function cliPath(): string {
  return build().cli;
}

/** Runs the command line in a process of its own. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(build().cli, args, options);
}

/** Asks what the editor shows of a model, in a process of its own. */
export function runView(modelPath: string): Promise<Run> {
  return run(build().viewer, [modelPath], {});
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
}

async function run(program: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const child = spawn(process.execPath, ['--require', build().meter, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    uid: options.uid,
    gid: options.uid,
    env: { ...process.env, ...options.env },
  });
  const texts = ['', '', ''];
  [child.stdout!, child.stderr!, child.stdio[3] as NodeJS.ReadableStream].forEach((stream, i) =>
    stream.on('data', (piece: Buffer) => (texts[i] += piece.toString())),
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), HUNG_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearTimeout(timer);
  const [micros, kilobytes] = texts[2] === '' ? [NaN, NaN] : (JSON.parse(texts[2]) as [number, number]);
  return { code, stdout: texts[0], stderr: texts[1], cpuSeconds: micros / 1e6, peakBytes: kilobytes * 1024 };
}

/** What every run owes its user, whatever it was given: a result, or one clear line; no crash, no hang, no waste. */
export function assertSound(run: Run, what: string): void {
  const shown =
    `${what}: exit ${run.code}, ${run.cpuSeconds} s, ${Math.round(run.peakBytes / 1e6)} MB, stderr: ` +
    `${run.stderr.slice(0, 600)}`;
  assert.ok(run.code === 0 || run.code === 1, shown);
  assert.ok(run.cpuSeconds <= 5, shown);
  assert.ok(run.peakBytes <= 1e9, shown);
  if (run.code === 0) {
    assert.equal(run.stderr, '', shown);
    assert.notEqual(run.stdout, '', shown);
  } else {
    assert.equal(run.stdout, '', shown);
    assert.match(run.stderr, /^[^\n]{10,9000}\n$/, shown);
    assert.doesNotMatch(run.stderr, /Internal error|\bat .*\.js:\d+|\bundefined\b|TypeError|RangeError/, shown);
  }
}
