/* Folded blocks on the editor's page: what keys and clicks do with them, and what is said. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import type { EditorView } from '../../../src/protocol/views';
import { Harness } from '../../support/webviewHarness/harness';
import { chainView, plannedView } from '../../support/webviewHarness/samples';

describe('folded graph', function () {
  let harness: Harness;
  const pages: Page[] = [];

  before(async function () {
    harness = await Harness.startOrSkip(this);
  });
  after(() => harness?.close());
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
  });

  async function open(view: EditorView): Promise<Page> {
    const page = await harness.open(view, { saved: { tab: 'graph' } });
    pages.push(page);
    await page.locator('.graph-stage').focus();
    return page;
  }
  const spoken = (page: Page): Promise<string> => page.locator('body > .sr-only').innerText();
  /** Waits until the page says it: it draws at a frame of its own choice. */
  const hears = async (page: Page, words: string | RegExp): Promise<void> => {
    await page.locator('body > .sr-only').filter({ hasText: words }).waitFor({ state: 'attached' });
  };
  const toggle = (page: Page): Locator => page.getByRole('button', { name: 'Fold blocks that repeat' });
  /** Waits until the graph is drawn folded, or whole. */
  const isFolded = async (page: Page, folded: boolean): Promise<void> => {
    await page.locator(`[aria-label="Fold blocks that repeat"][aria-pressed="${folded}"]`).waitFor();
    await drawn(page);
  };
  const drawn = async (page: Page): Promise<void> => {
    for (let turn = 0; turn < 3; turn++)
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
  };

  it('unfolds a block with Enter and folds it again with F', async () => {
    const page = await open(chainView(1000));
    await isFolded(page, true);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await hears(page, /^142 × Conv · Add · Conv, 994 layers from .*, folded: Enter unfolds it$/);
    await page.keyboard.press('Enter');
    await hears(page, /^994 layers unfolded$/);
    await drawn(page);
    await page.keyboard.press('ArrowDown');
    await hears(page, /^Conv · Add · Conv, 7 layers from /);
    await page.keyboard.press('Enter');
    await drawn(page);
    await page.keyboard.press('ArrowDown');
    await hears(page, /^Conv 3×3 .*block9.*, 1 inputs, 2 readers$/);
    await page.keyboard.press('f');
    await drawn(page);
    await page.keyboard.press('f');
    await drawn(page);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await hears(page, /^142 ×/);
    await page.keyboard.press('f');
    await hears(page, 'There is nothing to unfold');
  });

  it('draws every layer of MobileNetV2, and its blocks as one node each where that is chosen', async () => {
    const view = plannedView();
    const page = await open(view);
    await isFolded(page, false);
    await toggle(page).click();
    await isFolded(page, true);
    await page.locator('.graph-stage').focus();
    await page.keyboard.press('Home');
    let said = '';
    for (let i = 0; i < 64 && !said.includes('folded'); i++) {
      await page.keyboard.press('ArrowDown');
      said = await spoken(page);
    }
    assert.match(said, /^2 × Conv · Depthwise · Conv · Add, 8 layers from features\.5.*bits of input, weights/);
    await toggle(page).click();
    await isFolded(page, false);
  });
});
