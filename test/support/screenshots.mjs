// Pictures of the editor's page in all themes: `node test/support/screenshots.mjs [FOLDER] [PICTURE…]`; the folder is
// out/screenshots if not given.
import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from './bundle.mjs';

const [folder = path.join(projectRoot, 'out/screenshots'), ...names] = process.argv.slice(2);
const file = path.join(projectRoot, `out/screenshots-${process.pid}.cjs`);
await build({
  entryPoints: [path.join(projectRoot, 'test/support/webviewHarness/screenshots.ts')],
  outfile: file,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  logLevel: 'warning',
});
try {
  await createRequire(import.meta.url)(file).takeScreenshots(folder, names);
} finally {
  rmSync(file, { force: true });
}
