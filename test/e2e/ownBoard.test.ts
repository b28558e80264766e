import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Locator } from 'playwright-core';
import { outRoot } from '../support/paths';
import { copySample } from './sampleFolder';
import { inOrder, Workbench } from './workbench';

const workspace = path.join(outRoot, 'e2e/own board');
const model = 'gauge.onnx';

describe('a board of one’s own, by clicks', () => {
  inOrder();
  let vscode: Workbench;

  before(async () => {
    // Sizes that are typed come before this one.
    copySample(workspace, {
      'quantmcu.sramBytes': 131072,
      'quantmcu.calibrationImages': 16,
      'quantmcu.search': 'entropy',
    });
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, workspace);
    await vscode.showEditor(model);
  });
  after(() => vscode?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('own-board-failed');
  });

  const files = (): string[] => readdirSync(workspace, { recursive: true, encoding: 'utf8' }).sort();
  const start = (): Promise<void> => vscode.contextMenu(vscode.explorerRow(model), 'Quantize Model…');
  const input = (widget: Locator): Locator => widget.locator('input').first();

  interface Question {
    readonly shown: () => Promise<Locator>;
    readonly answer: (widget: Locator) => Promise<void>;
  }
  const choice = (step: string, text: string): Question => ({
    shown: () => vscode.quickPick(step),
    answer: (widget) => vscode.pick(widget, text),
  });
  const size = (step: string, text: string): Question => ({
    shown: () => vscode.inputBox(step),
    answer: async (widget) => {
      await input(widget).fill(text);
      await vscode.page.keyboard.press('Enter');
    },
  });
  /** All that the command asks, in order. */
  const questions = [
    choice('1/3', 'Other…'),
    size('2/6', '64K'),
    size('3/6', '256K'),
    choice('4/6', 'Cortex-M0+'),
    choice('5/6', 'images'),
    choice('6/6', 'unit'),
  ];
  async function answer(from: number, to: number): Promise<void> {
    for (const question of questions.slice(from, to)) await question.answer(await question.shown());
  }

  /** The page has neither a clock rate nor a time. */
  const noTimes = async (): Promise<void> =>
    assert.doesNotMatch(await vscode.webview.locator('body').innerText(), /MHz|\d\s*[mµ]?s\b/);

  it('refuses sizes that are none, in the box', async () => {
    await start();
    await answer(0, 1);
    const box = await vscode.inputBox('2/6');
    assert.equal(await input(box).inputValue(), '256K');
    const problem = box.locator('.quick-input-message', {
      hasText: 'SRAM for the arena: enter a number of bytes, e.g. 262144, 256K or 1M',
    });
    for (const wrong of ['abc', '0', '-64K', '64G', '']) {
      await input(box).fill('1K');
      await problem.waitFor({ state: 'hidden' });
      await input(box).fill(wrong);
      await problem.waitFor();
      // Enter must not take it.
      await vscode.page.keyboard.press('Enter');
      await vscode.page.waitForTimeout(200);
      assert.match(await box.innerText(), /2\/6/, wrong);
      if (wrong === 'abc') await vscode.screenshot('40-wrong-size');
    }
    await vscode.leaveQuickInput();
  });

  it('is left at any question by Escape, and nothing has changed', async () => {
    const before = files();
    for (const [at, question] of questions.entries()) {
      await start();
      await answer(0, at);
      await question.shown();
      await vscode.leaveQuickInput();
    }
    await vscode.page.waitForTimeout(500);
    assert.deepEqual(files(), before);
    assert.equal(await vscode.page.locator('.notification-toast').count(), 0);
  });

  it('goes back by its button, and keeps what was typed', async () => {
    await start();
    await answer(0, 1);
    const box = await vscode.inputBox('2/6');
    // What was left by Escape is not remembered.
    assert.equal(await input(box).inputValue(), '256K');
    await input(box).fill('65536');
    await vscode.page.keyboard.press('Enter');
    const flash = await vscode.inputBox('3/6');
    assert.equal(await input(flash).inputValue(), '1M');
    await flash.getByRole('button', { name: 'Back' }).click();
    await vscode.inputBox('2/6');
    assert.equal(await input(box).inputValue(), '64K');
    await box.getByRole('button', { name: 'Back' }).click();
    const boards = await vscode.quickPick('1/6');
    await boards.locator('.monaco-list-row.focused', { hasText: 'Other…' }).waitFor();
    await vscode.page.keyboard.press('Enter');
    await answer(1, 3);
    const cores = await vscode.quickPick('4/6');
    await cores.locator('.monaco-list-row.focused', { hasText: 'Cortex-M4' }).waitFor();
    await vscode.screenshot('41-core');
  });

  it('makes a plan for the core and the sizes, and gives no times', async () => {
    await answer(3, 6);
    const outcome = vscode.webview.locator('.outcome', { hasText: 'fewer BitOPs' });
    await outcome.waitFor({ timeout: 240_000 });
    // It stands in the place of the header's figures.
    await outcome.getByRole('button', { name: 'Close' }).click();
    const { target } = JSON.parse(readFileSync(path.join(workspace, 'gauge.quantmcu.json'), 'utf8')) as {
      target: unknown;
    };
    assert.deepEqual(target, { id: 'custom', sramBytes: 65536, flashBytes: 262144, core: 'cortex-m0plus' });
    const board = vscode.webview.getByRole('button', { name: /^Board/ });
    await board.getByText('Own board · Cortex-M0+').waitFor();
    await vscode.webview.locator('.figures', { hasText: 'no clock rate given' }).waitFor();
    await vscode.statusItem.filter({ hasText: /gauge\.onnx: Own board, [\d.]+ KiB of 64 KiB SRAM/ }).waitFor();
    await vscode.page.waitForTimeout(500);
    await vscode.screenshot('42-own-board');
    await noTimes();
  });

  it('weighs SRAM against work where there are no times, and lists the board', async () => {
    await vscode.webview.getByRole('tab', { name: 'Trade-off' }).click();
    await vscode.webview.getByRole('button', { name: 'SRAM and MACs' }).click();
    await vscode.webview.getByRole('option').first().waitFor();
    await noTimes();
    await vscode.page.waitForTimeout(300);
    await vscode.screenshot('43-own-board-trade-off');
    const board = vscode.webview.getByRole('button', { name: /^Board/ });
    await board.click();
    const listed = vscode.webview.getByRole('menuitemradio', { checked: true });
    assert.match(await listed.innerText(), /^Own board\s*Cortex-M0\+ · 64(\.0)? KiB SRAM, 256 KiB flash$/);
    await vscode.screenshot('44-own-board-listed');
    await vscode.page.keyboard.press('Escape');
    await listed.waitFor({ state: 'hidden' });
  });

  it('offers that board again', async () => {
    await start();
    const boards = await vscode.quickPick('1/3');
    await boards.locator('.monaco-list-row.focused', { hasText: 'Other…' }).waitFor();
    await vscode.page.keyboard.press('Enter');
    for (const [step, value] of [
      ['2/6', '64K'],
      ['3/6', '256K'],
    ]) {
      assert.equal(await input(await vscode.inputBox(step)).inputValue(), value);
      await vscode.page.keyboard.press('Enter');
    }
    await (await vscode.quickPick('4/6')).locator('.monaco-list-row.focused', { hasText: 'Cortex-M0+' }).waitFor();
    await vscode.leaveQuickInput();
  });
});
