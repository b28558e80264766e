// VS Code's own workbench and extension host as a local server, each run with fresh user data.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { ensureCodeServer } from './tools.mjs';

const userSettings = {
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'workbench.startupEditor': 'none',
  // Screenshots must not catch things half faded in.
  'workbench.reduceMotion': 'on',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.settings.enableNaturalLanguageSearch': false,
  'window.dialogStyle': 'custom',
  'window.confirmBeforeClose': 'never',
  // The explorer keeps its place: rows scrolled away are not in the page.
  'explorer.autoReveal': false,
  'git.enabled': false,
  'files.hotExit': 'off',
  'files.simpleDialog.enable': true,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

/** It ends when its two processes do not greet each other within 10 s, as on a loaded machine. */
const ATTEMPTS = 4;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function waitUntilHealthy(url, isAlive) {
  for (let attempt = 0; attempt < 480; attempt++) {
    if (!isAlive()) throw new EndedEarly('code-server ended before it was ready.');
    if (
      await fetch(`${url}/healthz`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('code-server did not get ready within 120 s.');
}

/**
 * Starts a server.
 * @param {{folder: string, vsix?: string, testDriver?: boolean, trust?: boolean, settings?: Record<string, unknown>}}
 *   options `folder`: emptied, then holds user data, extensions and the server's log; `vsix`: an extension to install
 *   first; `testDriver`: lets the page's URL name an extension and a suite to run in it, and keeps notifications from
 *   popping up; `trust`: folders are not trusted before the user says so; `settings`: more of the user's settings
 * @returns {Promise<{url: string, authority: string, pid: number, stop(): Promise<void>}>}
 */
export async function startCodeServer({ folder, vsix, testDriver = false, trust = false, settings = {} }) {
  const { node, entry } = ensureCodeServer();
  rmSync(folder, { recursive: true, force: true });
  const userData = path.join(folder, 'user-data');
  mkdirSync(path.join(userData, 'User'), { recursive: true });
  writeFileSync(
    path.join(userData, 'User/settings.json'),
    JSON.stringify({ ...userSettings, 'security.workspace.trust.enabled': trust, ...settings }, null, 2),
  );
  const config = path.join(folder, 'config.yaml');
  writeFileSync(config, 'auth: none\n');
  const common = [
    entry,
    '--config',
    config,
    '--user-data-dir',
    userData,
    '--extensions-dir',
    path.join(folder, 'extensions'),
  ];
  // Inside another VS Code's terminal these variables would make the server a client of that one.
  const env = Object.fromEntries(
    Object.entries({ ...process.env, EXTENSIONS_GALLERY: '{}' }).filter(([key]) => !key.startsWith('VSCODE_')),
  );
  if (vsix) {
    const { status, stdout, stderr } = spawnSync(node, [...common, '--install-extension', vsix, '--force'], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`code-server could not install ${vsix}:\n${stdout}${stderr}`);
  }
  const start = () => launch({ node, common, env, folder, trust, testDriver });
  for (let attempt = 1; ; attempt++)
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof EndedEarly) || attempt === ATTEMPTS) throw error;
    }
}

/** The server ended before it answered. */
class EndedEarly extends Error {}

/** One attempt to start the server, which is stopped where it does not get ready. */
async function launch({ node, common, env, folder, trust, testDriver }) {
  const authority = `127.0.0.1:${await freePort()}`;
  const server = spawn(
    node,
    [
      ...common,
      '--bind-addr',
      authority,
      '--auth',
      'none',
      '--disable-telemetry',
      '--disable-update-check',
      ...(trust ? [] : ['--disable-workspace-trust']),
      '--disable-getting-started-override',
      '--reconnection-grace-time',
      '2',
      ...(testDriver ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
    ],
    { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const log = createWriteStream(path.join(folder, 'server.log'));
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const ended = new Promise((resolve) => server.once('close', resolve));
  const stop = async () => {
    // Its own process group: the server starts the extension hosts.
    try {
      process.kill(-server.pid, 'SIGTERM');
    } catch {
      /* already gone */
    }
    const timer = setTimeout(() => {
      try {
        process.kill(-server.pid, 'SIGKILL');
      } catch {
        /* already gone */
      }
    }, 5000);
    await ended;
    clearTimeout(timer);
  };
  const url = `http://${authority}`;
  try {
    await waitUntilHealthy(url, () => server.exitCode === null);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, authority, pid: server.pid, stop };
}
