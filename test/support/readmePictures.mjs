// The pictures of README.md, on the plan of `npm run demo`: `node test/support/readmePictures.mjs [FOLDER]`; the folder
// is out/demo if not given.
import path from 'node:path';
import { bundleAndRun, projectRoot } from './bundle.mjs';

await bundleAndRun('test/support/webviewHarness/readme.ts', ({ takeReadmePictures }) =>
  takeReadmePictures(
    path.resolve(process.argv[2] ?? path.join(projectRoot, 'out/demo')),
    path.join(projectRoot, 'media/readme'),
  ),
);
