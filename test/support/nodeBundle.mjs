/** How everything that runs in Node is bundled. @type {import('esbuild').BuildOptions} */
export const nodeBundle = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  logLevel: 'warning',
  loader: { '.c': 'text', '.h': 'text', '.ld': 'text', '.wasm': 'binary' },
};
