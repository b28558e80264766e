/**
 * The editor's page in a headless Chromium without VS Code: the same HTML, Content-Security-Policy and bundle, with a
 * stand-in for VS Code's API that plays the host, theme variables as VS Code sets them, and records of what the page
 * asked for and of violations of the policy.
 */
import { chromiumArguments } from '../chromium.mjs';
import { sampleFirstFit, sampleFit } from './answers';
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { EditorView } from '../../../src/protocol/views';
import { projectRoot } from '../paths';
import { themes, type ThemeName } from './themes';

const origin = 'https://quantmcu.test';
const nonce = 'harness';
const policy =
  `default-src 'none'; style-src ${origin} 'nonce-style'; font-src ${origin}; img-src ${origin} ` +
  `data:; script-src 'nonce-${nonce}'`;

/** What the stand-in for the host offers to tests, as `window.harness`. */
export interface HarnessWindow {
  readonly commands: string[];
  /** Calls that change something, but for `runCommand`: method and arguments. */
  readonly changes: unknown[][];
  /** What a method answers, by its name; undefined else. `isOpen`: nothing yet. */
  answers: Record<string, { readonly value?: unknown; readonly error?: string; readonly isOpen?: boolean }>;
  readonly violations: string[];
  saved: unknown;
  /** Gives the answers that were open when they were asked for. */
  answerOpen(): void;
  send(method: string, ...args: unknown[]): Promise<unknown>;
}

/** Runs in the page before its bundle. Written as text: nothing from this side reaches it but its arguments. */
const standIn = `
(() => {
  const { variables, bodyClass, kind, saved, answers } = JSON.parse(document.currentScript.dataset.setup);
  const { style } = document.documentElement;
  for (const [name, value] of Object.entries(variables)) style.setProperty('--vscode-' + name, value);
  document.body.className = bodyClass + ' vscode-reduce-motion';
  document.body.dataset.vscodeThemeKind = kind;
  const pending = new Map();
  const reads = new Set([
    'ready', 'fit', 'firstFit', 'sampleImage', 'detections', 'layout', 'targets', 'layerDetails', 'tradeOff', 'sweeps',
    'generatedCode', 'generatedInto', 'previewChange',
  ]);
  const open = [];
  let lastId = 0;
  const harness = window.harness = {
    commands: [], changes: [], violations: [], saved, answers,
    answerOpen() {
      for (const { id, method } of open.splice(0))
        window.postMessage({ type: 'result', id, value: harness.answers[method].value });
    },
    send(method, ...args) {
      return new Promise((resolve, reject) => {
        pending.set(++lastId, { resolve, reject });
        window.postMessage({ type: 'call', id: lastId, method, args });
      });
    },
  };
  document.addEventListener('securitypolicyviolation', (e) =>
    harness.violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
  window.acquireVsCodeApi = () => ({
    getState: () => harness.saved === null ? undefined : structuredClone(harness.saved),
    setState: (state) => { harness.saved = structuredClone(state); },
    postMessage: (message) => {
      if (message.type === 'call') {
        if (message.method === 'runCommand') harness.commands.push(message.args[0]);
        else if (!reads.has(message.method)) harness.changes.push([message.method, ...message.args]);
        const { id, method } = message;
        const answer =
          method === 'layout' ? { value: layout.layoutLayered(message.args[0]) } : harness.answers[method];
        if (answer && answer.isOpen) {
          open.push(message);
          return;
        }
        if (answer && answer.error)
          window.postMessage({ type: 'error', id, error: { kind: 'user', message: answer.error } });
        else window.postMessage({ type: 'result', id, value: answer && answer.value });
      } else if (pending.has(message.id)) {
        const { resolve, reject } = pending.get(message.id);
        pending.delete(message.id);
        if (message.type === 'result') resolve(message.value);
        else reject(new Error(message.error.message + ' ' + message.error.stack));
      }
    },
  });
})();`;

export interface OpenOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  /** What getState() returns. */
  readonly saved?: unknown;
}

let bundle: Promise<{ js: string; css: string; layout: string }> | undefined;

async function bundlePage(): Promise<{ js: string; css: string; layout: string }> {
  const inBrowser = {
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
    tsconfigRaw: {},
  } as const;
  const page = path.join(projectRoot, 'webview/main.ts');
  const result = await build({ ...inBrowser, entryPoints: [page], outdir: '/' });
  const read = (extension: string): string => result.outputFiles.find((file) => file.path.endsWith(extension))!.text;
  // The engine's part that the stand-in cannot do without.
  const layered = path.join(projectRoot, 'src/worker/layout/layered.ts');
  const layout = await build({ ...inBrowser, entryPoints: [layered], globalName: 'layout' });
  return { js: read('.js'), css: read('.css'), layout: layout.outputFiles[0].text };
}

/** A page that made no call for so long makes none. */
const SETTLED_MS = 300;

export class Harness {
  private readonly errors = new WeakMap<Page, string[]>();

  private constructor(private readonly browser: Browser) {}

  /** Exceptions that nobody caught in a page. */
  errorsOf(page: Page): readonly string[] {
    return this.errors.get(page) ?? [];
  }

  /** Path of a Chromium that is installed, or null. */
  static chromiumPath(): string | null {
    const paths = [
      process.env['CHROMIUM'] ?? '',
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
    ];
    return paths.find((candidate) => candidate !== '' && existsSync(candidate)) ?? null;
  }

  /** Starts, or skips the suite where no Chromium is installed, which CI does not let pass. */
  static async startOrSkip(suite: { skip(): void }): Promise<Harness> {
    if (Harness.chromiumPath() === null) {
      if (process.env['CI'] === 'true')
        throw new Error('No Chromium is installed: install the package chromium or set CHROMIUM.');
      console.log('    No Chromium found (set CHROMIUM): the tests of the editor page are skipped.');
      suite.skip();
    }
    return Harness.start();
  }

  static async start(): Promise<Harness> {
    return new Harness(
      await chromium.launch({
        executablePath: Harness.chromiumPath()!,
        headless: true,
        args: ['--headless', ...chromiumArguments],
      }),
    );
  }

  /** Opens the page and shows a view in it. Fails on errors of the page. */
  async open(view: EditorView | null, options: OpenOptions = {}): Promise<Page> {
    bundle ??= bundlePage();
    const { js, css, layout } = await bundle;
    const context = await this.browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error.stack)));
    this.errors.set(page, errors);
    const setup = JSON.stringify({
      ...themes[options.theme ?? 'dark'],
      saved: options.saved ?? null,
      answers: { fit: { value: sampleFit() }, firstFit: { value: sampleFirstFit() } },
    });
    const script = (attributes: string, text = ''): string => `<script nonce="${nonce}" ${attributes}>${text}</script>`;
    const html = `<!DOCTYPE html><html lang="en" data-l10n="{}"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="${policy}"><meta property="csp-nonce" content="style">
      <title>QuantMCU</title><link rel="stylesheet" href="${origin}/main.css"></head>
      <body>${script(`src="${origin}/layout.js"`)}${script(`data-setup="${escapeAttribute(setup)}"`, standIn)}
      ${script(`src="${origin}/main.js"`)}</body></html>`;
    await page.route(`${origin}/**`, (route) => {
      const name = new URL(route.request().url()).pathname;
      const [contentType, body] =
        name === '/main.js'
          ? ['text/javascript', js]
          : name === '/layout.js'
            ? ['text/javascript', layout]
            : name === '/main.css'
              ? ['text/css', css]
              : ['text/html', html];
      return route.fulfill({ contentType: `${contentType}; charset=utf-8`, body });
    });
    await page.goto(`${origin}/`);
    if (errors.length > 0) throw new Error(errors.join('\n'));
    if (view !== null) await this.show(page, view);
    return page;
  }

  async show(page: Page, view: EditorView): Promise<void> {
    await this.send(page, 'show', view);
  }

  /** Calls a method of the page as the host would. */
  async send(page: Page, method: string, ...args: readonly unknown[]): Promise<void> {
    // As text: Playwright walks objects one value at a time, which takes longer than the page needs to draw them.
    await page.evaluate(
      async ([name, values]) => {
        const given = JSON.parse(values) as readonly unknown[];
        await (globalThis as unknown as { harness: HarnessWindow }).harness.send(name, ...given);
      },
      [method, JSON.stringify(args)] as const,
    );
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  }

  /** Reads something of the stand-in. */
  async read<K extends keyof HarnessWindow>(page: Page, key: K): Promise<HarnessWindow[K]> {
    return await page.evaluate(`window.harness[${JSON.stringify(key)}]`);
  }

  /** The calls that change something, once no more come: the page makes some after the event that causes them. */
  async changes(page: Page): Promise<unknown[][]> {
    let before = await this.read(page, 'changes');
    for (;;) {
      await page.waitForTimeout(SETTLED_MS);
      const now = await this.read(page, 'changes');
      if (now.length === before.length) return now;
      before = now;
    }
  }

  /** Changes the theme of an open page as VS Code does. */
  async setTheme(page: Page, theme: ThemeName): Promise<void> {
    const { variables, bodyClass } = themes[theme];
    await page.evaluate(`for (const [n, v] of Object.entries(${JSON.stringify(variables)}))
        document.documentElement.style.setProperty('--vscode-' + n, v);
      document.body.className = ${JSON.stringify(`${bodyClass} vscode-reduce-motion`)};
      new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
