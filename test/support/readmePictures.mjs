// The pictures of README.md, on the plan of `npm run demo`: `node test/support/readmePictures.mjs [FOLDER]`; the folder
// is out/demo if not given.
import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from './bundle.mjs';

const file = path.join(projectRoot, `out/readme-${process.pid}.cjs`);
await build({
  entryPoints: [path.join(projectRoot, 'test/support/webviewHarness/readme.ts')],
  outfile: file,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  loader: { '.c': 'text', '.h': 'text', '.ld': 'text', '.wasm': 'binary' },
  logLevel: 'warning',
});
try {
  await createRequire(import.meta.url)(file).takeReadmePictures(
    path.resolve(process.argv[2] ?? path.join(projectRoot, 'out/demo')),
    path.join(projectRoot, 'media/readme'),
  );
} finally {
  rmSync(file, { force: true });
}
