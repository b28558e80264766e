import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { buildSync } from 'esbuild';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { nodeBundle } from '../support/nodeBundle.mjs';
import { outRoot, projectRoot } from '../support/paths';
import type { Question } from './server';

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
  /** Answers the editor's and the command line's questions for many models, see server.ts. */
  readonly server: string;
}

/** Measures a process and saves it from compiling what others have compiled. */
const meter = path.join(projectRoot, 'test/faults/meter.cjs');

let built: Programs | undefined;

/**
 * Builds the command line as `npm run build` does, into a file of its own: other test runs may be building at the same
 * time.
 */
function build(): Programs {
  if (built) return built;
  const folder = path.join(outRoot, 'faults', `cli-${process.pid}`);
  const cli = path.join(folder, 'cli.js');
  const server = path.join(folder, 'server.js');
  for (const [entry, outfile, packages] of [
    ['src/cli/cli.ts', cli, 'bundle'],
    ['test/faults/server.ts', server, 'bundle'],
    // Lies beside both, which start it.
    ['src/inference.ts', path.join(folder, 'inference.js'), 'external'],
  ] as const)
    buildSync({
      ...nodeBundle,
      absWorkingDir: projectRoot,
      entryPoints: [entry],
      outfile,
      packages,
      minifyWhitespace: true,
    });
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return (built = { cli, server });
}

/** The command line as built for these tests. */
export function cliPath(): string {
  return build().cli;
}

/** Runs the command line in a process of its own. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(build().cli, args, options);
}

/** The process that answers for many models; another one after it ended. */
let server: ChildProcess | undefined;

function startServer(): ChildProcess {
  const child = fork(build().server, { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  process.on('exit', () => child.kill('SIGKILL'));
  return child;
}

/** A process and its pipes keep this one alive while they are waited for. */
function hold(child: ChildProcess, isHeld: boolean): void {
  for (const each of [child, child.channel, child.stdout, child.stderr] as const) {
    const handle = each as { ref(): void; unref(): void } | null | undefined;
    if (isHeld) handle?.ref();
    else handle?.unref();
  }
}

/** Asks what the editor shows of a model. */
export function runView(modelPath: string): Promise<Run> {
  return ask({ view: modelPath });
}

/**
 * Runs a command in the process that answers for many models: its start takes longer than to refuse a model. What a
 * process of its own does besides, {@link runCli} tests.
 */
export function runCommand(command: readonly string[]): Promise<Run> {
  return ask({ command });
}

/** One process answers all questions, as the editor's worker does; if it ends, that is what the run came to. */
async function ask(question: Question): Promise<Run> {
  if (server?.connected !== true) server = startServer();
  const child = server;
  hold(child, true);
  const timer = setTimeout(() => child.kill('SIGKILL'), HUNG_MS);
  let printed = '';
  const listen = (piece: Buffer): unknown => (printed += piece.toString());
  child.stdout!.on('data', listen);
  child.stderr!.on('data', listen);
  try {
    const answer = await new Promise<Run>((resolve, reject) => {
      child.once('error', reject);
      child.once('message', (run) => resolve(run as Run));
      child.once('close', (code) => resolve({ code, stdout: '', stderr: '', cpuSeconds: NaN, peakBytes: NaN }));
      child.send(question);
    });
    return { ...answer, stderr: answer.stderr + printed };
  } finally {
    clearTimeout(timer);
    for (const stream of [child.stdout!, child.stderr!]) stream.off('data', listen);
    for (const event of ['error', 'message', 'close']) child.removeAllListeners(event);
    hold(child, false);
  }
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
}

async function run(program: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const child = spawn(process.execPath, ['--require', meter, program, ...args], {
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
