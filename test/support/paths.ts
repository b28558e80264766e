import { existsSync } from 'node:fs';
import * as path from 'node:path';

function findRoot(from: string): string {
  if (existsSync(path.join(from, 'package.json'))) return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error(`No package.json above ${__dirname}.`);
  return findRoot(parent);
}

/** The project's folder; test bundles live in `out/` inside it. */
export const projectRoot = findRoot(__dirname);

/** A folder for files that a test leaves to be looked at or that are removed by the next run; inside `out/`. */
export const outRoot = path.join(projectRoot, 'out');
