// Pictures of the editor's page in all themes: `node test/support/screenshots.mjs [--size WxH] [FOLDER] [PICTURE…]`;
// the folder is out/screenshots if not given. A zoom of 200 % is half the size.
import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from './bundle.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { size: { type: 'string' } } });
const [folder = path.join(projectRoot, 'out/screenshots'), ...names] = positionals;
const [width, height] = (values.size ?? '').split('x').map(Number);
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
  await createRequire(import.meta.url)(file).takeScreenshots(
    folder,
    names,
    values.size ? { width, height } : undefined,
  );
} finally {
  rmSync(file, { force: true });
}
