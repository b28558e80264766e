import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { outRoot, projectRoot } from '../../support/paths';
import { runCommand } from './runCommand';

/** One inference's sources are compiled by many tests: ccache, where it is installed, compiles equal ones once. */
let launcher: readonly string[] | undefined;

function compilerLauncher(): readonly string[] {
  launcher ??= spawnSync('ccache', ['--version']).status === 0 ? ['ccache'] : [];
  return launcher;
}

/** Equal sources are found again in every scratch folder: paths count as seen from there. */
const cacheEnvironment = {
  CCACHE_DIR: path.join(outRoot, 'ccache'),
  CCACHE_BASEDIR: projectRoot,
  CCACHE_NOHASHDIR: '1',
  CCACHE_MAXSIZE: '1G',
};

/**
 * Clang's start takes as long as most files of a network: their preprocessed text is not asked for first.
 */
const dependEnvironment = {
  ...cacheEnvironment,
  CCACHE_DEPEND: '1',
  CCACHE_SLOPPINESS: 'include_file_ctime,include_file_mtime',
};

/**
 * A compiler's command that finds equal sources again, and its environment. Paths count as seen from the folder that
 * it runs in.
 */
export function cached(compiler: string): { command: string; first: readonly string[]; env: Record<string, string> } {
  const [command, ...first] = [...compilerLauncher(), compiler];
  return { command, first, env: cacheEnvironment };
}

/** Many inlined kernels in one file take GCC with sanitizers minutes, on a loaded machine many. */
const TIMEOUT_MS = 1_200_000;

/**
 * Compiles each source to an object of its own; any warning fails.
 * @param folder where objects are put, `PREFIX.N.o`, and which the compiler runs in
 * @returns the objects, in the order of the sources
 */
export function compileObjects(
  compiler: string,
  flags: readonly string[],
  sources: readonly string[],
  folder: string,
  prefix: string,
): string[] {
  mkdirSync(folder, { recursive: true });
  const isInside = (source: string): boolean => path.dirname(source) === folder;
  // Sources elsewhere are the runtime's. To ask the cache for each starts Clang twice: 18 s of processor time for all
  // of them with the flags of one build, 10.6 s in one call.
  const together = compiler === 'clang' ? sources.filter((source) => !isInside(source)) : [];
  const runtime = path.join(folder, `${prefix}.runtime`);
  if (together.length > 0) {
    mkdirSync(runtime, { recursive: true });
    runCommand(compiler, [...flags, '-c', ...together], { silent: true, cwd: runtime, timeout: TIMEOUT_MS });
  }
  return sources.map((source, i) => {
    if (together.includes(source)) return path.join(runtime, path.basename(source).replace(/c$/, 'o'));
    const object = path.join(folder, `${prefix}.${i}.o`);
    const { command, first } = cached(compiler);
    const depends = compiler === 'clang';
    const args = [...first, ...flags, ...(depends ? ['-MMD', '-MF', `${object}.d`] : []), '-c', source, '-o', object];
    const env = depends ? dependEnvironment : cacheEnvironment;
    runCommand(command, args, { silent: true, cwd: folder, env, timeout: TIMEOUT_MS });
    return object;
  });
}
