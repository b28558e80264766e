import { build } from 'esbuild';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** All test files under the given files and folders, sorted. @param {string[]} roots @returns {string[]} */
export function testFiles(roots) {
  return roots.flatMap((root) => {
    const absolute = path.resolve(root);
    if (statSync(absolute).isFile()) return [absolute];
    return readdirSync(absolute, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => path.join(absolute, name))
      .sort();
  });
}

/**
 * Bundles TypeScript test files into one CommonJS file in `out/tests/`; packages stay external. The name holds the
 * process id, so that runs beside each other do not meet.
 * @param {string} name @param {string[]} files @param {{footer?: string, external?: string[]}} [options]
 * @returns {Promise<{file: string, remove(): void}>}
 */
export async function bundleTests(name, files, options = {}) {
  const folder = path.join(projectRoot, 'out', 'tests');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}-${process.pid}.cjs`);
  await build({
    stdin: {
      contents: files.map((f) => `import ${JSON.stringify(f)};`).join('\n'),
      resolveDir: projectRoot,
      loader: 'ts',
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    loader: { '.c': 'text', '.h': 'text', '.ld': 'text', '.wasm': 'binary' },
    ...options,
  });
  return { file, remove: () => rmSync(file, { force: true }) };
}
