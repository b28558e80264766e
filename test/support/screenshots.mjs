// Pictures of the editor's page in all themes: `node test/support/screenshots.mjs [--size WxH] [--sheet] [FOLDER]
// [PICTURE…]`; the folder is out/screenshots if not given. A zoom of 200 % is half the size. --sheet puts all pictures
// of the folder on contact sheets (sheet-1.png …), twelve on each.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { launchBrowser } from './browser.mjs';
import { bundleAndRun, projectRoot } from './bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { size: { type: 'string' }, sheet: { type: 'boolean' } },
});
const [folder = path.join(projectRoot, 'out/screenshots'), ...names] = positionals;
const [width, height] = (values.size ?? '').split('x').map(Number);
await bundleAndRun('test/support/webviewHarness/screenshots.ts', ({ takeScreenshots }) =>
  takeScreenshots(folder, names, values.size ? { width, height } : undefined),
);
if (values.sheet) await contactSheets(folder);

/** @param {string} folder */
async function contactSheets(folder) {
  const pictures = readdirSync(folder)
    .filter((name) => name.endsWith('.png') && !name.startsWith('sheet-'))
    .sort();
  const { browser, page } = await launchBrowser({ viewport: { width: 1800, height: 1200 } });
  for (let i = 0; i < pictures.length; i += 12) {
    const figures = pictures.slice(i, i + 12).map((name) => {
      const data = readFileSync(path.join(folder, name)).toString('base64');
      return `<figure><img src="data:image/png;base64,${data}"><figcaption>${name}</figcaption></figure>`;
    });
    await page.setContent(
      '<style>body{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:8px;font:14px sans-serif}' +
        `figure{margin:0}img{width:100%;border:1px solid gray}</style>${figures.join('')}`,
    );
    await page.screenshot({ path: path.join(folder, `sheet-${i / 12 + 1}.png`), fullPage: true });
  }
  await browser.close();
}
