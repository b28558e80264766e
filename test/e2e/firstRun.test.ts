import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { outRoot, projectRoot } from '../support/paths';
import { inOrder, Workbench } from './workbench';

/** The sample of the extension: a firmware project, a model and images. */
const sample = process.env.QUANTMCU_E2E_SAMPLE ?? path.join(projectRoot, 'media/sample');
const workspace = path.join(outRoot, 'e2e/workspace');

describe('a first run by clicks', () => {
  inOrder();
  let vscode: Workbench;
  let model: string;
  let plan: string;

  before(async () => {
    rmSync(workspace, { recursive: true, force: true });
    mkdirSync(workspace, { recursive: true });
    cpSync(sample, workspace, { recursive: true, filter: (file) => path.basename(file) !== 'training' });
    model = readdirSync(workspace).find((name) => name.endsWith('.onnx')) ?? assert.fail('the sample has no model');
    plan = path.join(workspace, model.replace(/\.onnx$/, '.quantmcu.json'));
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, workspace);
  });
  after(() => vscode?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('failed');
  });

  it('opens the model by a click, before any quantization', async () => {
    await vscode.showEditor(model);
    await vscode.webview.getByText(/MACs/).first().waitFor();
    await vscode.page.waitForTimeout(500);
    await vscode.screenshot('00-model');
  });

  it('quantizes from the right-click menu', async () => {
    await vscode.contextMenu(vscode.explorerRow(model), 'Quantize Model…', '01-context-menu');
    const boards = await vscode.quickPick('1/3');
    await vscode.screenshot('02-board');
    await vscode.pick(boards, 'Arduino Nano 33 BLE');
    const folders = await vscode.quickPick('2/3');
    await vscode.screenshot('03-images');
    await vscode.pick(folders, 'images');
    const presets = await vscode.quickPick('3/3');
    await vscode.screenshot('04-preprocessing');
    await vscode.pick(presets, 'unit');
    await vscode.webview.locator('.outcome', { hasText: 'fewer BitOPs' }).waitFor({ timeout: 240_000 });
    await vscode.screenshot('05-quantized');
    assert.ok(existsSync(plan), 'there is no plan');
  });

  it('shows the plan in the editor', async () => {
    await vscode.webview
      .getByText(/Arduino Nano 33 BLE/)
      .first()
      .waitFor();
    await vscode.page.waitForTimeout(500);
    await vscode.screenshot('06-plan');
  });

  it('generates sources into the firmware project, and they compile', async () => {
    const button = vscode.webview.locator('.outcome').getByText('Generate C…');
    await vscode.until(vscode.page.locator('.quick-input-widget:visible'), () => button.click({ timeout: 5000 }));
    // The only firmware project here, and its kind, are taken without a question.
    const preview = await vscode.quickPick('gauge → firmware/lib/gauge');
    await preview.getByText('lib/gauge/gauge.c').waitFor();
    assert.match(
      await preview.locator('.monaco-list-row').first().innerText(),
      /Generate[\s\S]*\d+ new, [\d.]+ [KM]iB/,
    );
    await vscode.screenshot('07-preview');
    assert.ok(!existsSync(path.join(workspace, 'firmware/lib')), 'something was written before it was confirmed');
    await preview.locator('.monaco-list-row').first().click();
    const card = vscode.webview.locator('.outcome', { hasText: 'C sources in firmware/lib/gauge' });
    await card.waitFor({ timeout: 120_000 });
    await card.getByText('gauge_run(const void *input)').waitFor();
    await vscode.screenshot('08-generated');
    const folder = findGenerated(path.join(workspace, 'firmware'));
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.c'));
    assert.ok(sources.length > 0);
    for (const source of sources) {
      const file = path.join(folder, source);
      const { status, stderr } = spawnSync(
        'gcc',
        [
          '-std=c99',
          '-Wall',
          '-Wextra',
          '-Wpedantic',
          '-Wshadow',
          '-Werror',
          '-fsyntax-only',
          `-I${path.dirname(file)}`,
          `-I${path.join(folder, '../quantmcu')}`,
          file,
        ],
        { encoding: 'utf8' },
      );
      assert.equal(status, 0, stderr);
    }
  });

  it('opens the plan as text', async () => {
    await vscode.contextMenu(vscode.explorerRow(model), 'Open Plan');
    await vscode.page.locator('.view-lines', { hasText: 'quantmcu' }).waitFor();
    await vscode.page.waitForTimeout(500);
    await vscode.screenshot('09-plan-text');
    assert.equal((JSON.parse(readFileSync(plan, 'utf8')) as { version: number }).version, 1);
  });
});

/** The folder that holds the manifest of generated files. */
function findGenerated(project: string): string {
  const manifest = readdirSync(project, { recursive: true, encoding: 'utf8' }).find((file) =>
    file.endsWith('.quantmcu-manifest.json'),
  );
  assert.ok(manifest, 'nothing was generated');
  return path.join(project, path.dirname(manifest));
}
