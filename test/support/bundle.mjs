import { build } from 'esbuild';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBundle } from './nodeBundle.mjs';

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
 * Bundles a script, loads it, and runs what is to be done with what it exports. @template T
 * @param {string} script relative to the project @param {(exported: any) => Promise<T>} run @returns {Promise<T>}
 */
export async function bundleAndRun(script, run) {
  const file = path.join(projectRoot, 'out', `${path.basename(script, '.ts')}-${process.pid}.cjs`);
  await build({ ...nodeBundle, entryPoints: [path.join(projectRoot, script)], outfile: file });
  try {
    return await run(createRequire(import.meta.url)(file));
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * The process that runs onnxruntime lies beside what starts it. Other runs may be starting it just now: it is replaced
 * by a rename.
 * @param {string} folder
 */
async function buildInference(folder) {
  const own = path.join(folder, `inference-${process.pid}.js`);
  await build({ ...nodeBundle, entryPoints: [path.join(projectRoot, 'src/inference.ts')], outfile: own });
  renameSync(own, path.join(folder, 'inference.js'));
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
  await buildInference(folder);
  await build({
    ...nodeBundle,
    stdin: {
      contents: files.map((f) => `import ${JSON.stringify(f)};`).join('\n'),
      resolveDir: projectRoot,
      loader: 'js',
    },
    outfile: file,
    sourcemap: 'inline',
    ...options,
  });
  return { file, remove: () => rmSync(file, { force: true }) };
}
