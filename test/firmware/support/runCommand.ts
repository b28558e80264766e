import { spawnSync } from 'node:child_process';

/**
 * Runs a command; throws with everything it printed if it fails or, with `silent`, prints anything. @returns its stdout
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string; silent?: boolean; timeout?: number; env?: Readonly<Record<string, string>> } = {},
): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: options.timeout ?? 300_000,
  });
  if (error) throw error;
  if (status !== 0 || (options.silent && stdout + stderr !== '')) {
    throw new Error(
      `${command} ${args.join(' ')}\nended with ${signal ?? status}:\n${stdout.slice(-6000)}${stderr.slice(-6000)}`,
    );
  }
  return stdout;
}
