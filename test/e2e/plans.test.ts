import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { runBuiltCli } from '../support/builtCli';
import { outRoot } from '../support/paths';
import { copySample } from './sampleFolder';
import { inOrder, Workbench } from './workbench';

const workspace = path.join(outRoot, 'e2e/plans');
const model = 'gauge.onnx';
const planFile = path.join(workspace, 'gauge.quantmcu.json');

/** What is read of the page: these tests are compiled without the browser's types. */
interface PageBody {
  readonly ownerDocument: {
    readonly activeElement: { getAttribute(name: string): string | null; readonly textContent: string | null } | null;
  };
}

interface PlanText {
  readonly target: { readonly id: string };
  readonly search: { readonly phi: number; readonly lambda: number };
  readonly patchStage: { readonly grid: { readonly rows: number; readonly cols: number } } | null;
}

describe('weighing plans in the editor', () => {
  let vscode: Workbench;
  let original: string;

  before(async () => {
    copySample(workspace);
    runBuiltCli(
      [
        'quantize',
        model,
        '--images',
        'images',
        '--target',
        'nano33ble',
        '--grid',
        '2x2',
        '--bits',
        '8,4',
        '--search',
        'entropy',
        '--phi',
        '0.9',
        '--preprocess',
        'unit',
        '--out',
        planFile,
      ],
      workspace,
    );
    original = readFileSync(planFile, 'utf8');
    vscode = await Workbench.open(process.env.QUANTMCU_E2E_URL!, workspace);
    await vscode.showEditor(model);
    await vscode.webview.getByText('SRAM peak').waitFor();
  });
  after(() => vscode?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await vscode?.screenshot('plans-failed');
  });

  const plan = (): PlanText => JSON.parse(readFileSync(planFile, 'utf8')) as PlanText;
  async function until(what: string, met: () => boolean): Promise<void> {
    for (let turn = 0; turn < 1200; turn++) {
      try {
        if (met()) return;
      } catch (error) {
        // VS Code empties a file before it writes it.
        if (!(error instanceof SyntaxError)) throw error;
      }
      await vscode.page.waitForTimeout(100);
    }
    throw new Error(`${what} did not happen.`);
  }
  /** The page has settled on the plan's file. */
  const settled = (): Promise<void> => vscode.webview.locator('.figures:not(.preview)').waitFor();

  describe('by mouse', () => {
    inOrder();
    it('changes the board, and takes it back', async () => {
      await vscode.webview.getByRole('button', { name: /^Board/ }).click();
      await vscode.screenshot('20-board');
      await vscode.webview.getByRole('menuitemradio', { name: /STM32F411/ }).click();
      await until('another board', () => plan().target.id === 'stm32f411');
      await vscode.webview
        .getByText(/of 128 KiB/)
        .first()
        .waitFor();
      await settled();
      await vscode.webview.locator('h1').click();
      await vscode.page.keyboard.press('Control+z');
      await until('the board to come back', () => readFileSync(planFile, 'utf8') === original);
      await settled();
    });

    it('plans other patches, and searches by another λ', async () => {
      await vscode.webview.getByRole('button', { name: /^Patches/ }).click();
      await vscode.webview.getByRole('menuitemradio', { name: '3×3' }).click();
      await until('another grid', () => plan().patchStage?.grid.rows === 3);
      await settled();
      await vscode.webview.getByRole('button', { name: /^λ/ }).click();
      await vscode.webview.getByRole('menuitemradio', { name: /^0\.2/ }).click();
      await until('another λ', () => plan().search.lambda === 0.2);
      await settled();
    });

    it('shows why a layer has its bits: distributions of its weights and output', async () => {
      await vscode.webview.getByRole('tab', { name: 'Layers' }).click();
      await vscode.webview.locator('.layers-view [role=row][aria-rowindex="3"]').click();
      const distribution = vscode.webview.locator('.distribution').first();
      // Drawn anew when more is known of the layer.
      await vscode.until(distribution, () => distribution.scrollIntoViewIfNeeded({ timeout: 5000 }));
      await vscode.page.waitForTimeout(300);
      await vscode.screenshot('21-distributions');
    });

    it('says that weights were not fitted to changed bits, fits them, and takes that back with them', async () => {
      const parameters = planFile.replace(/\.json$/, '.params');
      const before = { plan: readFileSync(planFile, 'utf8'), weights: readFileSync(parameters) };
      const changed = before.plan.replace('{"inputBits":4}', '{"weightBits":4,"inputBits":4}');
      assert.notEqual(changed, before.plan);
      writeFileSync(planFile, changed);
      const fit = vscode.webview.getByRole('button', { name: 'Fit weights' });
      await fit.waitFor();
      await vscode.screenshot('21-unfitted');
      await fit.click();
      await until('fitted weights', () => readFileSync(planFile, 'utf8') !== changed);
      await fit.waitFor({ state: 'hidden' });
      assert.notDeepEqual(readFileSync(parameters), before.weights);
      await settled();
      await vscode.webview.locator('h1').click();
      await vscode.page.keyboard.press('Control+z');
      await until('the fitting to be taken back', () => readFileSync(planFile, 'utf8') === changed);
      assert.deepEqual(readFileSync(parameters), before.weights);
      await fit.waitFor();
      await settled();
    });

    it('takes one of the planner’s choices', async () => {
      await vscode.webview.getByRole('tab', { name: 'Trade-off' }).click();
      await vscode.webview.getByRole('button', { name: 'SRAM and latency' }).click();
      await vscode.webview.getByRole('option').first().waitFor();
      const before = readFileSync(planFile, 'utf8');
      await vscode.webview.locator('.plot-point:not(.current)').last().dblclick();
      await until('another stage', () => readFileSync(planFile, 'utf8') !== before);
      await settled();
      await vscode.page.waitForTimeout(1500);
      await vscode.screenshot('22-sram-and-latency');
      await vscode.webview.getByRole('button', { name: /^Patches/ }).click();
      await vscode.webview.getByRole('menuitemradio', { name: '2×2' }).click();
      await until('patches', () => plan().patchStage?.grid.rows === 2);
      await settled();
      await vscode.webview.getByRole('button', { name: 'Outlier patches' }).click();
      await vscode.page.waitForTimeout(300);
      await vscode.screenshot('23-outlier-patches');
    });

    it('sweeps φ on images, and makes a point of it the plan', async () => {
      await vscode.webview.getByRole('button', { name: 'Accuracy', exact: true }).click();
      await vscode.webview.getByRole('button', { name: 'Run sweep…' }).click();
      await vscode.webview.getByRole('menuitemradio', { name: 'φ of the patch classes' }).click();
      await vscode.pick(await vscode.quickPick('Run Sweep'), '50');
      await vscode.pick(await vscode.quickPick('Run Sweep'), 'images');
      await vscode.webview.locator('.banner-progress').waitFor();
      await vscode.screenshot('24-sweep');
      await until('the table of the sweep', () => existsSync(planFile.replace(/\.json$/, '.sweeps.json')));
      await vscode.webview.getByRole('option').first().waitFor();
      await vscode.page.waitForTimeout(500);
      await vscode.screenshot('25-accuracy');
      await vscode.webview.locator('.tradeoff-right [role=row]', { hasText: 'φ 0.5' }).click();
      await vscode.webview.getByRole('button', { name: 'Make it the plan' }).click();
      await until('the point to be the plan', () => plan().search.phi === 0.5);
      await settled();
    });

    it('compares with 8 bits, layer by layer', async () => {
      await vscode.webview.getByRole('button', { name: 'Compare…' }).click();
      await vscode.webview.getByRole('menuitemradio', { name: '8 bits, layer by layer' }).click();
      await vscode.webview.locator('.compare-figures').waitFor();
      await vscode.page.waitForTimeout(300);
      await vscode.screenshot('26-compare');
      assert.match(await vscode.webview.locator('.compare-count').innerText(), /layers/);
    });

    it('exports a report through a save dialog', async () => {
      await vscode.webview.getByRole('button', { name: 'Export…' }).click();
      await vscode.webview.getByRole('menuitemradio', { name: 'Report as HTML' }).click();
      const dialog = vscode.page.locator('.quick-input-widget:visible');
      await dialog.locator('input').first().waitFor();
      await vscode.page.waitForTimeout(500);
      await vscode.screenshot('27-export');
      await vscode.page.keyboard.press('Enter');
      const report = path.join(workspace, 'gauge-report.html');
      await until('the report', () => existsSync(report));
      const text = readFileSync(report, 'utf8');
      assert.match(text, /<h1>gauge<\/h1>/);
      assert.ok(!text.includes('<script'));
    });
  });

  describe('by keyboard alone', () => {
    inOrder();
    /** Presses Tab until something with this accessible name has the focus. */
    async function tabTo(name: RegExp, key = 'Tab'): Promise<void> {
      for (let turn = 0; turn < 80; turn++) {
        const focused = await vscode.webview.locator('body').evaluate((body) => {
          const { activeElement } = (body as unknown as PageBody).ownerDocument;
          return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
        });
        if (name.test(focused.trim())) return;
        await vscode.page.keyboard.press(key);
      }
      throw new Error(`Tab never reached ${name}.`);
    }
    const focusEditor = async (): Promise<void> => {
      await vscode.page.keyboard.press('Escape');
      await vscode.page.keyboard.press('Control+1');
      await vscode.page.waitForTimeout(300);
    };

    it('changes the board and undoes it', async () => {
      const before = readFileSync(planFile, 'utf8');
      const { id } = plan().target;
      await focusEditor();
      await tabTo(/^Board/);
      await vscode.page.keyboard.press('Enter');
      await vscode.webview.getByRole('menu').waitFor();
      await vscode.page.keyboard.press('ArrowDown');
      await vscode.page.keyboard.press('Enter');
      await until('another board', () => plan().target.id !== id);
      await settled();
      await vscode.page.keyboard.press('Control+z');
      await until('the board to come back', () => readFileSync(planFile, 'utf8') === before);
      await settled();
    });

    it('walks over the points of a plot and picks one', async () => {
      await focusEditor();
      await tabTo(/^(Graph|Layers|Patches|Trade-off|Compare)$/);
      for (
        let turn = 0;
        turn < 6 && (await vscode.webview.getByRole('tab', { selected: true }).innerText()).trim() !== 'Trade-off';
        turn++
      )
        await vscode.page.keyboard.press('ArrowLeft');
      await tabTo(/^SRAM and latency$/);
      await vscode.page.keyboard.press('Enter');
      await vscode.webview.getByRole('option').first().waitFor();
      const before = readFileSync(planFile, 'utf8');
      await tabTo(/SRAM(, this is the plan)?$/);
      await vscode.page.keyboard.press('Home');
      if ((await vscode.webview.locator('.plot-point.selected.current').count()) > 0)
        await vscode.page.keyboard.press('ArrowRight');
      await vscode.page.keyboard.press('Enter');
      await until('another stage', () => readFileSync(planFile, 'utf8') !== before);
      await settled();
    });

    it('exports a table', async () => {
      await focusEditor();
      await tabTo(/^Export…$/);
      await vscode.page.keyboard.press('Enter');
      await vscode.webview.getByRole('menu').waitFor();
      for (let turn = 0; turn < 20; turn++) {
        if ((await vscode.webview.locator('.menu-item:focus').innerText()).trim() === 'Layers as CSV') break;
        await vscode.page.keyboard.press('ArrowDown');
      }
      await vscode.page.keyboard.press('Enter');
      await vscode.page.locator('.quick-input-widget:visible input').first().waitFor();
      await vscode.page.waitForTimeout(500);
      await vscode.page.keyboard.press('Enter');
      const file = path.join(workspace, 'gauge-layers.csv');
      await until('the table', () => existsSync(file));
      assert.match(readFileSync(file, 'utf8'), /^layer,name,/);
    });
  });
});
