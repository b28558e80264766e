import { chromium } from 'playwright-core';
import { chromiumPath } from './tools.mjs';

/** A headless Chromium with one page. @param {import('playwright-core').BrowserContextOptions} [options] */
export async function launchBrowser(options = {}) {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  return { browser, page: await context.newPage() };
}
