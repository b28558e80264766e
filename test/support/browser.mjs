import { chromium } from 'playwright-core';
import { chromiumArguments } from './chromium.mjs';
import { chromiumPath } from './tools.mjs';

/** A headless Chromium with one page. @param {import('playwright-core').BrowserContextOptions} [options] */
export async function launchBrowser(options = {}) {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: chromiumArguments,
  });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  return { browser, page: await context.newPage() };
}
