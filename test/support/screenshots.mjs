// Pictures of the editor's page in all themes: `node test/support/screenshots.mjs [--size WxH] [FOLDER] [PICTURE…]`;
// the folder is out/screenshots if not given. A zoom of 200 % is half the size.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleAndRun, projectRoot } from './bundle.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { size: { type: 'string' } } });
const [folder = path.join(projectRoot, 'out/screenshots'), ...names] = positionals;
const [width, height] = (values.size ?? '').split('x').map(Number);
await bundleAndRun('test/support/webviewHarness/screenshots.ts', ({ takeScreenshots }) =>
  takeScreenshots(folder, names, values.size ? { width, height } : undefined),
);
