import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.mjs';
import { outRoot } from '../support/paths';

const screenshots = path.join(outRoot, 'screenshots');

/** VS Code as a person sees it: menus, quick picks, notifications, editors. */
export class Workbench {
  private constructor(private readonly browser: Browser, readonly page: Page) {}

  /** Opens a folder in a new window. @param url of the running server */
  static async open(url: string, folder: string): Promise<Workbench> {
    const { browser, page } = await launchBrowser();
    mkdirSync(screenshots, { recursive: true });
    await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    return new Workbench(browser, page);
  }

  /** Another window on a folder, in the same browser. */
  async openSecond(url: string, folder: string): Promise<Workbench> {
    const page = await this.page.context().newPage();
    await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    return new Workbench(this.browser, page);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }

  /** A row of the explorer; folders on the way must be expanded. */
  explorerRow(name: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name, exact: true });
  }

  /**
   * Opens the explorer's context menu with an entry of the extension. The explorer is painted before the extension's menus and editors are
   * known, so the menu is opened again until it has the entry.
   */
  async openContextMenu(row: Locator, title: string): Promise<Locator> {
    const item = this.page.locator('.monaco-menu .action-item', { hasText: title });
    for (let turn = 0; turn < 40; turn++) {
      await row.click({ button: 'right' });
      if (await item.waitFor({ timeout: 1000 }).then(() => true, () => false)) return item;
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`The context menu never had '${title}'.`);
  }

  /** Clicks an entry of the context menu. */
  async contextMenu(row: Locator, title: string, screenshot?: string): Promise<void> {
    const item = await this.openContextMenu(row, title);
    await item.hover();
    await this.page.waitForTimeout(300);
    if (screenshot !== undefined) await this.screenshot(screenshot);
    await item.click();
  }

  /** The quick pick that is open, once its title says so. */
  async quickPick(step: string): Promise<Locator> {
    const widget = this.page.locator('.quick-input-widget:visible', { hasText: step });
    await widget.waitFor({ timeout: 30_000 });
    await widget.locator('.monaco-list-row').first().waitFor();
    return widget;
  }

  /** Takes the row with this text. */
  async pick(widget: Locator, text: string): Promise<void> {
    await widget.locator('input').first().fill(text);
    const row = widget.locator('.monaco-list-row', { hasText: text }).first();
    await row.waitFor();
    await this.page.waitForTimeout(150);
    await row.click();
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
    await widget.locator('.monaco-list-row', { hasText: title }).first().click();
  }

  /** Opens a model's editor from the explorer, once the extension's editors are known. */
  async showEditor(name: string): Promise<void> {
    await this.openContextMenu(this.explorerRow(name), 'Quantize Model…');
    await this.page.keyboard.press('Escape');
    await this.explorerRow(name).dblclick();
    await this.webview.getByRole('tab').first().waitFor({ timeout: 60_000 });
  }

  /** Opens a file of the workspace by its name. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+P');
    const widget = this.page.locator('.quick-input-widget:visible');
    await widget.locator('input').first().fill(name);
    await widget.locator('.monaco-list-row', { hasText: name }).first().click();
    await this.page.locator('.tab.active', { hasText: name }).waitFor();
  }

  /** Scrolls the active text editor to a text. */
  async find(text: string): Promise<void> {
    await this.page.locator('.editor-group-container.active .monaco-editor .view-lines').first().click();
    await this.page.keyboard.press('ControlOrMeta+F');
    const input = this.page.locator('.find-widget.visible textarea').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
    await this.page.keyboard.press('Escape');
  }
}
