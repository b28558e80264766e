import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.mjs';
import { outRoot } from '../support/paths';

const screenshots = path.join(outRoot, 'screenshots');

/** How often something is tried whose effect did not show, and how long each effect is waited for. */
const TURNS = 6;
const EFFECT_MS = 15_000;

/**
 * For tests that build on each other: those after a failed one of the same `describe` are skipped, the other ones still
 * run. To be called in a `describe`.
 */
export function inOrder(): void {
  beforeEach(function () {
    if (this.currentTest?.parent?.tests.some(({ state }) => state === 'failed')) this.skip();
  });
}

/** VS Code as a person sees it: menus, quick picks, notifications, editors. */
export class Workbench {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** Opens a folder in a new window. @param url of the running server */
  static async open(url: string, folder: string): Promise<Workbench> {
    const { browser, page } = await launchBrowser();
    mkdirSync(screenshots, { recursive: true });
    return Workbench.onFolder(browser, page, url, folder);
  }

  /** Another window on a folder, in the same browser. */
  async openSecond(url: string, folder: string): Promise<Workbench> {
    return Workbench.onFolder(this.browser, await this.page.context().newPage(), url, folder);
  }

  private static async onFolder(browser: Browser, page: Page, url: string, folder: string): Promise<Workbench> {
    // Long for a busy machine: each wait ends as soon as its state is there.
    page.setDefaultTimeout(150_000);
    await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
    const workbench = new Workbench(browser, page);
    await workbench.untilExtensionIsKnown();
    return workbench;
  }

  /**
   * The workbench is painted before it knows the extension's menus and editors. What is opened until then is a binary
   * file for good: Quick Open takes it from the history, as what it was opened as.
   */
  private async untilExtensionIsKnown(): Promise<void> {
    const widget = this.page.locator('.quick-input-widget:visible');
    const command = widget.locator('.monaco-list-row', { hasText: 'QuantMCU: Open Plan' }).first();
    await this.until(command, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await widget.locator('input').first().fill('>QuantMCU: Open Plan', { timeout: 5000 });
    });
    await this.leaveQuickInput();
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }

  /**
   * Does something until its effect is seen: while VS Code starts or is busy, it now and then replaces what is under
   * the pointer, or has no listener yet. Doing it twice must do no harm.
   */
  async until(effect: Locator, act: () => Promise<unknown>): Promise<void> {
    for (let turn = 1; ; turn++) {
      const failure = await act().then(
        () => undefined,
        (error: Error) => error,
      );
      if (
        await effect.waitFor({ timeout: EFFECT_MS }).then(
          () => true,
          () => false,
        )
      )
        return;
      if (turn === TURNS) throw failure ?? new Error(`After ${TURNS} turns there is still no ${effect.toString()}.`);
    }
  }

  /** A row of the explorer; folders on the way must be expanded. */
  explorerRow(name: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name, exact: true });
  }

  /** Opens the explorer's context menu with an entry of the extension; again where it was closed meanwhile. */
  async openContextMenu(row: Locator, title: string): Promise<Locator> {
    const item = this.page.locator('.monaco-menu .action-item', { hasText: title });
    for (let turn = 0; turn < 40; turn++) {
      await row.click({ button: 'right' });
      if (
        await item.waitFor({ timeout: 1000 }).then(
          () => true,
          () => false,
        )
      )
        return item;
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`The context menu never had '${title}'.`);
  }

  /**
   * Clicks an entry of the context menu; opens it again where it was closed meanwhile, and where the click was lost:
   * the menu takes none just after it opened, nor while the entry is disabled. A click that is taken closes it.
   */
  async contextMenu(row: Locator, title: string, screenshot?: string): Promise<void> {
    for (let turn = 1; ; turn++) {
      const item = await this.openContextMenu(row, title);
      try {
        await item.hover({ timeout: 5000 });
        if (screenshot !== undefined) {
          await this.page.waitForTimeout(300);
          await this.screenshot(screenshot);
        }
        await item.click({ timeout: 5000 });
        return await item.waitFor({ state: 'hidden', timeout: 5000 });
      } catch (error) {
        if (turn === TURNS) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** The quick pick that is open, once its title says so. */
  async quickPick(step: string): Promise<Locator> {
    const widget = this.page.locator('.quick-input-widget:visible', { hasText: step });
    await widget.waitFor();
    await widget.locator('.monaco-list-row').first().waitFor();
    return widget;
  }

  /** The box to type in that is open, once its title says so. */
  async inputBox(step: string): Promise<Locator> {
    const widget = this.page.locator('.quick-input-widget:visible', { hasText: step });
    await widget.waitFor();
    await widget.locator('.quick-input-list').waitFor({ state: 'hidden' });
    return widget;
  }

  /** Leaves the quick pick or box that is open. */
  async leaveQuickInput(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Takes the first row with this text, by the keyboard: rows move under the pointer while more of them are found. */
  async pick(widget: Locator, text: string): Promise<void> {
    const focused = widget.locator('.monaco-list-row.focused', { hasText: text }).first();
    await widget.locator('input').first().fill(text);
    await this.row(widget, text).waitFor();
    for (
      let turn = 0;
      turn < 10 &&
      !(await focused.waitFor({ timeout: 500 }).then(
        () => true,
        () => false,
      ));
      turn++
    )
      await this.page.keyboard.press('ArrowDown');
    await focused.waitFor();
    await this.page.keyboard.press('Enter');
  }

  /** A row of an open quick pick. */
  row(widget: Locator, text: string | RegExp): Locator {
    return widget.locator('.monaco-list-row', { hasText: text }).first();
  }

  /** The item of the status bar that names the model. */
  get statusItem(): Locator {
    return this.page.locator('#quantmcu\\.quantmcu\\.quantmcu\\.model, .statusbar-item[id*="quantmcu.model"]').first();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** The document inside the webview that is shown. */
  get webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const widget = this.page.locator('.quick-input-widget:visible');
    await widget.locator('input').first().fill(`>${title}`);
    await widget.locator('.monaco-list-row.focused', { hasText: title }).first().waitFor();
    await this.page.keyboard.press('Enter');
  }

  /** Opens a file by a double click in the explorer; `shown` says that it is open. */
  async openRow(name: string, shown: Locator): Promise<void> {
    await this.until(shown, () => this.explorerRow(name).dblclick());
  }

  /** Opens a model's editor from the explorer. */
  async showEditor(name: string): Promise<void> {
    await this.openRow(name, this.webview.getByRole('tab').first());
  }

  /** Closes all editors. A key is lost while the document in a webview is replaced. */
  async closeEditors(): Promise<void> {
    await this.until(this.page.locator('.editor-group-container.empty'), () => this.page.keyboard.press('Control+w'));
  }

  /** Opens a text file of the workspace with the cursor on a line. @param line counted from 1 */
  async openFile(name: string, line: number): Promise<void> {
    const widget = this.page.locator('.quick-input-widget:visible');
    const there = this.page.locator('.statusbar-item', { hasText: new RegExp(`^Ln ${line}, Col \\d+`) });
    await this.until(there, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('ControlOrMeta+P');
      await widget.locator('input').first().fill(`${name}:${line}`, { timeout: 5000 });
      // Files come in one by one and push each other down.
      await widget
        .locator('.monaco-list-row.focused')
        .filter({ has: this.page.getByText(name, { exact: true }) })
        .first()
        .waitFor({ timeout: 5000 });
      await this.page.keyboard.press('Enter');
      await this.page
        .locator('.tab.active')
        .filter({ has: this.page.getByText(name, { exact: true }) })
        .first()
        .waitFor({ timeout: 5000 });
    });
  }
}
