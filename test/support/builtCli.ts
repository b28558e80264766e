import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { projectRoot } from './paths';

/** Runs the command line that `npm run build` makes. @throws Error with what it says where it fails */
export function runBuiltCli(args: readonly string[], cwd?: string): void {
  const cli = path.join(projectRoot, 'dist/cli.js');
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}
