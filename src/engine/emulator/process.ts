import { spawn } from 'node:child_process';
import { CancelledError, UserError } from '../common/errors';
import type { Progress } from '../common/progress';

export interface ToolResult {
  /** Null after a signal. */
  readonly exitCode: number | null;
  /** What it printed on both streams, the end of it where that is long. */
  readonly output: string;
}

const maxOutput = 64 * 1024;
const pollMs = 100;

/**
 * Runs a tool with words as they are, without a shell, until it ends or the user cancels.
 * @param hint what to do where the tool is not installed
 * @throws UserError if the tool is not there or takes longer than `seconds`
 * @throws CancelledError
 */
export function runTool(
  command: string,
  args: readonly string[],
  options: { cwd: string; seconds: number; hint: string },
  progress: Progress,
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    let stopped: Error | undefined;
    const stop = (error: Error): void => {
      stopped ??= error;
      child.kill('SIGKILL');
    };
    const poll = setInterval(() => {
      if (progress.isCancelled()) stop(new CancelledError());
    }, pollMs);
    const limit = setTimeout(
      () => stop(new UserError(`${command} did not finish within ${options.seconds} s and was stopped.`)),
      options.seconds * 1000,
    );
    const settle = (): void => {
      clearInterval(poll);
      clearTimeout(limit);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-maxOutput);
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(error.code === 'ENOENT' ? new UserError(`${command} was not found. ${options.hint}`) : error);
    });
    child.on('close', (exitCode) => {
      settle();
      if (stopped) reject(stopped);
      else resolve({ exitCode, output });
    });
  });
}
