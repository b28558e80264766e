import path from 'node:path';
import { format } from 'node:util';
import { launchBrowser } from '../support/browser.mjs';
import { startCodeServer } from '../support/codeServer.mjs';

const TIMEOUT_MS = 20 * 60_000;
/** How long the workbench may take to come. */
const LOAD_MS = 4 * 60_000;

/**
 * Runs the suite in VS Code's server. Its workbench calls two functions of the page: one for what the extension host
 * logs, one with the exit code of the suite.
 * @param {{extension: string, entry: string, workspace: string, out: string, environment: Record<string, string>,
 *   verbose: boolean}} options
 */
export async function runInCodeServer({ extension, entry, workspace, out, environment, verbose }) {
  const server = await startCodeServer({ folder: path.join(out, 'code-server'), testDriver: true });
  const { browser, page } = await launchBrowser();
  let log = '';
  let timer;
  try {
    const exit = new Promise((resolve) => {
      void page.exposeFunction('codeAutomationExit', (code) => resolve(code));
      timer = setTimeout(() => resolve(124), TIMEOUT_MS);
    });
    await page.exposeFunction('codeAutomationLog', (type, args) => {
      const line = `${format(...args)}\n`;
      if (verbose) process.stdout.write(line);
      log += line;
    });
    const remote = (file) => `vscode-remote://${server.authority}${file}`;
    const payload = [
      ['extensionDevelopmentPath', remote(extension)],
      ['extensionTestsPath', remote(entry)],
      ['enableProposedApi', ''],
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true'],
      ['extensionEnvironment', JSON.stringify(environment)],
    ];
    await page.goto(`${server.url}/?folder=${workspace}&payload=${encodeURIComponent(JSON.stringify(payload))}`, {
      timeout: LOAD_MS,
    });
    const code = await exit;
    if (code !== 0) await page.screenshot({ path: path.join(out, 'at-the-end.png') });
    return { code, log };
  } finally {
    clearTimeout(timer);
    await browser.close();
    await server.stop();
  }
}
