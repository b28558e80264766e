import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Locator } from 'playwright-core';
import { outRoot } from '../support/paths';
import { copySample } from './sampleFolder';
import { inOrder, Workbench } from './workbench';

const workspace = path.join(outRoot, 'e2e/keyboard');
const plan = path.join(workspace, 'gauge.quantmcu.json');
/** More tab stops than a person would go through. */
const MOST_TABS = 60;

/* From the model to C in main.c without a mouse: nothing here clicks. */
describe('by the keyboard alone', () => {
  inOrder();
  let vscode: Workbench;

  before(async () => {
    // The quickest search: the keys are tested here, not it.
    copySample(workspace, { 'quantmcu.calibrationImages': 8, 'quantmcu.search': 'entropy' });
    writeFileSync(path.join(workspace, 'firmware/src/main.c'), 'int main(void)\n{\n    return 0;\n}\n');
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, workspace);
  });
  after(() => vscode?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('keyboard-failed');
  });

  const press = (key: string): Promise<void> => vscode.page.keyboard.press(key);
  const isFocused = (target: Locator): Promise<boolean> =>
    target
      .evaluate((element) => (element as { matches(selector: string): boolean }).matches(':focus'))
      .catch(() => false);

  /** Goes to what is in the editor by Tab, then back by Shift+Tab if it was not ahead. */
  async function tabTo(target: Locator): Promise<void> {
    await target.waitFor({ timeout: 240_000 });
    for (const key of ['Tab', 'Shift+Tab'])
      for (let i = 0; i < MOST_TABS; i++) {
        if (await isFocused(target)) return;
        await press(key);
      }
    assert.fail(`${target.toString()} is not reached by Tab.`);
  }

  /** Presses a key until something has the focus. */
  async function repeat(key: string, focused: Locator): Promise<void> {
    for (let i = 0; i < MOST_TABS; i++) {
      await press(key);
      const there = await focused.waitFor({ timeout: 500 }).then(
        () => true,
        () => false,
      );
      if (there) return;
    }
    assert.fail(`${focused.toString()} is not reached by ${key}.`);
  }

  /** Takes the row that has the focus once it is one with this text. */
  async function take(widget: Locator, text: string | RegExp): Promise<void> {
    await widget.locator('.monaco-list-row.focused', { hasText: text }).first().waitFor();
    await press('Enter');
  }

  it('opens the model and quantizes it for a board of the list', async () => {
    const widget = vscode.page.locator('.quick-input-widget:visible');
    const tab = vscode.webview.getByRole('tab', { name: 'Boards' });
    await vscode.until(tab, async () => {
      await press('Escape');
      await press('ControlOrMeta+P');
      await widget.locator('input').first().fill('gauge.onnx', { timeout: 5000 });
      await widget.locator('.monaco-list-row.focused', { hasText: 'gauge.onnx' }).first().waitFor({ timeout: 5000 });
      await press('Enter');
    });
    await tabTo(vscode.webview.getByRole('button', { name: 'Quantize for Arduino Nano 33 BLE' }));
    await press('Enter');
    await take(await vscode.quickPick('1/2'), 'images');
    const presets = await vscode.quickPick('2/2');
    await take(presets, /(confident|right) on \d+ images/);
    await vscode.webview.locator('.outcome', { hasText: 'Plan for' }).waitFor({ timeout: 240_000 });
    assert.ok(existsSync(plan));
  });

  it('changes the bits of a layer, and takes that back', async () => {
    const text = readFileSync(plan, 'utf8');
    const tabs = vscode.webview.getByRole('tab', { selected: true });
    const layers = vscode.webview.getByRole('tab', { name: 'Layers' });
    await tabTo(tabs.first());
    for (let i = 0; i < 8 && !(await isFocused(layers)); i++) await press('ArrowRight');
    assert.ok(await isFocused(layers));
    // From the filter to the grid's one tab stop, down to the first layer, and along it to its bits.
    const grid = vscode.webview.locator('.layers-view [role=grid]');
    await repeat('Tab', grid.locator(':focus'));
    await repeat('ArrowDown', grid.locator('[role=gridcell]:focus'));
    const cell = grid.locator('[role=gridcell].editable:focus');
    await repeat('ArrowRight', cell);
    await press((await cell.innerText()).trim() === '8' ? '4' : '8');
    await until(() => readFileSync(plan, 'utf8') !== text);
    await press('ControlOrMeta+Z');
    await until(() => readFileSync(plan, 'utf8') === text);
  });

  it('generates C and puts its use into main.c', async () => {
    await vscode.command('QuantMCU: Generate Firmware Source…');
    const preview = await vscode.quickPick('gauge → firmware/lib/gauge');
    await take(preview, /Generate/);
    const card = vscode.webview.locator('.outcome:not([hidden])', { hasText: 'files written' });
    await card.waitFor({ timeout: 120_000 });
    assert.ok(readdirSync(path.join(workspace, 'firmware/lib/gauge')).includes('gauge.c'));
    await tabTo(card.getByRole('button', { name: 'Insert into main.c' }));
    await press('Enter');
    await vscode.page.locator('.view-line', { hasText: 'gauge_run(' }).first().waitFor();
  });

  /** Waits for what a file says. */
  async function until(holds: () => boolean): Promise<void> {
    for (let turn = 0; turn < 600 && !holds(); turn++) await vscode.page.waitForTimeout(100);
    assert.ok(holds());
  }
});
