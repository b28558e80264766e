// What the benches in a real VS Code have in common: their options, a packaged extension, and the bench itself.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { requireTools } from '../support/tools.mjs';

/**
 * Reads `--vsix FILE` and `--repeat N`, packages the extension where no file is given, and bundles test/bench/NAME.ts.
 *
 * @param {string} name of the bench
 * @returns {Promise<{bench: Record<string, Function>, out: string, vsix: string, repeat: number}>} `out`: an empty
 *   folder
 */
export async function prepareBench(name) {
  const { values } = parseArgs({ options: { vsix: { type: 'string' }, repeat: { type: 'string', default: '3' } } });
  const out = path.join(projectRoot, `out/bench-${name}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  if (!requireTools(['chromium', 'fonts', 'nativeBuild'])) process.exit(1);
  const vsix = path.resolve(values.vsix ?? path.join(out, 'quantmcu.vsix'));
  if (!values.vsix) {
    const { status } = spawnSync(process.execPath, [path.join(projectRoot, 'package.mjs'), '--out', vsix], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) throw new Error('The extension could not be packaged.');
  }
  const bundle = await bundleTests(`bench-${name}`, [], {
    stdin: { contents: `export * from './test/bench/${name}';`, resolveDir: projectRoot, loader: 'js' },
  });
  const bench = createRequire(import.meta.url)(bundle.file);
  bundle.remove();
  return { bench, out, vsix, repeat: Number(values.repeat) };
}
