// Builds what ships: the extension, the worker, the command line and the editor's page. `--watch` rebuilds on change,
// `--minify` for the package.
import { context } from 'esbuild';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';

const watch = process.argv.includes('--watch');
const minify = process.argv.includes('--minify');

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  metafile: true,
  minify,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  legalComments: 'none',
  loader: { '.c': 'text', '.h': 'text', '.ld': 'text', '.wasm': 'binary' },
};
/** @type {import('esbuild').BuildOptions} */
const node = { ...common, platform: 'node', target: 'node20', format: 'cjs' };

/** @type {import('esbuild').BuildOptions[]} */
const bundles = [
  // jsonc-parser's main file hides its parts from bundlers; its module does not.
  {
    ...node,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
    mainFields: ['module', 'main'],
  },
  { ...node, entryPoints: ['src/worker.ts'], outfile: 'dist/worker.js' },
  { ...node, entryPoints: ['src/evaluator.ts'], outfile: 'dist/evaluator.js' },
  { ...node, entryPoints: ['src/fitter.ts'], outfile: 'dist/fitter.js' },
  { ...node, entryPoints: ['src/inference.ts'], outfile: 'dist/inference.js', external: ['onnxruntime-node'] },
  { ...node, entryPoints: ['src/cli/cli.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env node' } },
  {
    ...common,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    entryPoints: ['webview/main.ts'],
    outfile: 'dist/webview/main.js',
  },
];

const contexts = await Promise.all(bundles.filter((b) => existsSync(b.entryPoints[0])).map((b) => context(b)));
if (watch) {
  await Promise.all(contexts.map((c) => c.watch()));
} else {
  // Let every bundle finish, so that one run lists the errors of all of them (esbuild has printed them already).
  const results = await Promise.allSettled(contexts.map((c) => c.rebuild()));
  await Promise.all(contexts.map((c) => c.dispose()));
  if (results.some((r) => r.status === 'rejected')) process.exitCode = 1;
  // For notices.mjs: all files that went into the bundles.
  const inputs = results.flatMap((r) => (r.status === 'fulfilled' ? Object.keys(r.value.metafile?.inputs ?? {}) : []));
  mkdirSync('out', { recursive: true });
  writeFileSync('out/bundled.json', JSON.stringify([...new Set(inputs)].sort(), null, 1));
}
