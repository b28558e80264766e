/*
 * Changing a plan from the page: which calls reach the host, what the page shows at once, and that a refused change
 * leaves everything as it was.
 */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { EditorView, LayerView, SampleImageView } from '../../../src/protocol/views';
import { PageSuite, seriousFindings } from '../../support/webviewHarness/suite';
import { samplePreview } from '../../support/webviewHarness/answers';
import { plannedView } from '../../support/webviewHarness/samples';

describe('editor page, what-if', function () {
  const suite = new PageSuite();
  let page: Page;

  const open = async (view: EditorView | null, options: Parameters<PageSuite['open']>[1] = {}): Promise<Page> =>
    (page = await suite.open(view, options));
  const changes = (): Promise<unknown[][]> => suite.harness.changes(page);
  const answer = (method: string, what: { value?: unknown; error?: string }): Promise<void> =>
    page.evaluate(
      ([m, w]) => {
        (globalThis as unknown as { harness: { answers: Record<string, unknown> } }).harness.answers[m] = w;
      },
      [method, what] as const,
    );
  const figures = async (): Promise<string[]> =>
    (await page.locator('.figure-number').allInnerTexts()).map((t) => t.trim());
  const layerWith = (view: EditorView, ok: (plan: NonNullable<LayerView['plan']>) => boolean): LayerView => {
    const found = view.model.layers.find(({ plan }) => plan !== null && ok(plan));
    assert.ok(found);
    return found;
  };

  it('offers the bits that the arithmetic allows, in the details', async () => {
    const view = plannedView();
    const layer = layerWith(view, (plan) => plan.bits === 4);
    await open(view, { saved: { tab: 'layers', selected: layer.id } });
    await page.getByRole('button', { name: /^4\s*output$/ }).click();
    // What each would lead to stands behind them.
    const labels = await page.getByRole('menuitemradio').allInnerTexts();
    assert.deepEqual(
      labels.map((label) => label.split('\n')[0]),
      ['8 bits', '4 bits', '2 bits'],
    );
    assert.match(await page.getByRole('menuitemradio', { checked: true }).innerText(), /^4 bits/);
    await page.getByRole('menuitemradio', { name: '2 bits' }).click();
    assert.deepEqual(await changes(), [['changePlan', { kind: 'mapBits', layer: layer.id, bits: 2 }]]);
    assert.equal(await page.getByRole('menu').count(), 0);
    const fixed = layerWith(view, (plan) => plan.allowedBits.length === 1);
    await suite.harness.show(page, view);
    await page.evaluate(`window.harness.changes.length = 0`);
    await page.locator('.layers-view [role=grid]').evaluate((grid) => {
      grid.scrollTop = grid.scrollHeight;
    });
    await page.locator(`.layers-view [role=row][aria-rowindex="${fixed.id + 2}"]`).click();
    assert.equal(await page.getByRole('button', { name: /output$/ }).count(), 0);
  });

  it('changes bits in the table with the keyboard alone', async () => {
    const view = plannedView();
    const layer = layerWith(view, (plan) => plan.weightBits === 8 && plan.bits === 4);
    await open(view, { saved: { tab: 'layers', selected: layer.id } });
    const cell = (column: number): ReturnType<Page['locator']> =>
      page.locator(`.layers-view [role=row][aria-rowindex="${layer.id + 2}"] [role=gridcell]`).nth(column);
    await cell(4).focus();
    await page.keyboard.press('F2');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await cell(5).focus();
    await page.keyboard.press('2');
    await page.keyboard.press('4');
    assert.deepEqual(await changes(), [
      ['changePlan', { kind: 'weightBits', layer: layer.id, bits: 4 }],
      ['changePlan', { kind: 'mapBits', layer: layer.id, bits: 2 }],
    ]);
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'menuitemradio');
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'gridcell');
    assert.equal((await changes()).length, 2);
  });

  it('locks and unlocks', async () => {
    const view = plannedView();
    const locked = layerWith(view, (plan) => plan.locked);
    await open(view, { saved: { tab: 'layers', selected: locked.id } });
    const toggle = page.getByRole('button', { name: 'Keep these bits' });
    assert.equal(await toggle.getAttribute('aria-pressed'), 'true');
    await toggle.click();
    assert.deepEqual(await changes(), [['changePlan', { kind: 'lock', layer: locked.id, locked: false }]]);
  });

  it('undoes and redoes by key, but not what is typed into the filter', async () => {
    await open(plannedView(), { saved: { tab: 'layers' } });
    await page.locator('.layers-view [role=gridcell][tabindex="0"]').focus();
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+Shift+z');
    await page.keyboard.press('Control+y');
    assert.deepEqual(
      (await changes()).map(([method]) => method),
      ['undo', 'redo', 'redo'],
    );
    await page.locator('.layers-view vscode-text-field input').fill('conv');
    await page.keyboard.press('Control+z');
    assert.equal((await changes()).length, 3);
  });

  it('shows the figures of a change at once, as approximate, until the exact ones come', async () => {
    const view = plannedView();
    await open(view, { saved: { tab: 'layers' } });
    const before = await figures();
    const f = view.plan!.figures;
    await suite.harness.send(page, 'showPreview', {
      arenaBytes: 100 * 1024,
      macs: f.macs,
      bitOps: f.bitOps / 2,
      bitOpsInt8: f.bitOpsInt8,
      flashEstimate: f.flash.estimate - 1024 * 1024,
      latencyMs: 123,
      target: { ...view.plan!.target, sramBytes: 128 * 1024 },
    });
    const [sram, flash, bitOps, latency, accuracy] = await figures();
    assert.equal(sram, '100');
    assert.ok(Math.abs(Number(before[1]) - Number(flash) - 1) < 0.02);
    assert.notEqual(bitOps, before[2]);
    assert.equal(await page.locator('.figures.preview').count(), 1);
    assert.equal(latency, '123');
    assert.match(await page.locator('.figure').first().innerText(), /of 128 KiB/);
    assert.equal(accuracy, '–', 'an accuracy of other bits is not shown');
    await suite.harness.show(page, view);
    assert.deepEqual(await figures(), before);
    assert.equal(await page.locator('.figures.preview').count(), 0);
  });

  it('tells in the menus what each choice would lead to, without making it', async () => {
    await open(plannedView(), { saved: { tab: 'layers' } });
    await answer('previewChange', { value: samplePreview() });
    await page.getByRole('button', { name: /^Patches/ }).click();
    const figures = page.locator('.menu-figures');
    await figures.last().filter({ hasText: '150 KiB SRAM · 321 ms' }).waitFor();
    assert.deepEqual(new Set(await figures.allInnerTexts()), new Set(['150 KiB SRAM · 321 ms']));
    await page.keyboard.press('Escape');
    const small = { ...samplePreview(), target: { ...samplePreview().target, sramBytes: 64 * 1024 } };
    await answer('previewChange', { value: small });
    await page.getByRole('button', { name: /^Patches/ }).click();
    await figures.first().filter({ hasText: 'needs 150 KiB' }).waitFor();
    await page.keyboard.press('Escape');
    await answer('previewChange', { value: null });
    await page.getByRole('button', { name: /^Patches/ }).click();
    await figures.first().filter({ hasText: 'not possible' }).waitFor();
    assert.deepEqual(await changes(), []);
  });

  it('says in one line why a change is not possible and keeps the view', async () => {
    const view = plannedView();
    const layer = layerWith(view, (plan) => plan.bits === 4);
    await open(view, { saved: { tab: 'layers', selected: layer.id } });
    const before = await figures();
    await answer('changePlan', { error: 'Feature map "x" needs 8 bits.' });
    await page.getByRole('button', { name: /output$/ }).click();
    await page.keyboard.press('8');
    await page.getByText('Feature map "x" needs 8 bits.').waitFor();
    assert.deepEqual(await figures(), before);
    await page.locator('.banner').getByRole('button', { name: 'Close' }).click();
    assert.equal(await page.getByText('Feature map "x" needs 8 bits.').isVisible(), false);
  });

  it('gives a patch the other class, by button, double-click and key', async () => {
    const view = plannedView();
    await open(view, { saved: { tab: 'patches', branch: 5 } });
    await page.getByRole('button', { name: 'Make regular' }).click();
    await page.locator('.patch').nth(0).dblclick();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    assert.deepEqual(await changes(), [
      ['changePlan', { kind: 'patchClass', branch: 5, class: 'regular' }],
      ['changePlan', { kind: 'patchClass', branch: 0, class: 'outlier' }],
      ['changePlan', { kind: 'patchClass', branch: 1, class: 'outlier' }],
    ]);
  });

  it('draws a sample image under the patches', async () => {
    await open(null, { saved: { tab: 'patches' } });
    const image: Omit<SampleImageView, 'rgba'> = { name: 'cat/1.jpg', width: 2, height: 1, outliers: null };
    await page.evaluate((view) => {
      (globalThis as unknown as { harness: { answers: Record<string, unknown> } }).harness.answers['sampleImage'] = {
        value: { ...view, rgba: Uint8Array.of(200, 10, 20, 255, 1, 2, 3, 255) },
      };
    }, image);
    await suite.harness.show(page, plannedView());
    await page.getByText('Calibration image cat/1.jpg').waitFor();
    const pixels = await page
      .locator('.patch-image')
      .evaluate((c) => Array.from((c as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 2, 1).data));
    assert.deepEqual(pixels, [200, 10, 20, 255, 1, 2, 3, 255]);
  });

  it('classifies with another φ when the slider is let go', async () => {
    const view = plannedView();
    await open(view, { saved: { tab: 'patches' } });
    const slider = page.getByRole('slider', { name: 'φ of the patch classes' });
    assert.equal(await slider.getAttribute('aria-valuetext'), String(view.plan!.search.phi));
    await slider.focus();
    await page.keyboard.press('End');
    assert.deepEqual(await changes(), [['changePlan', { kind: 'phi', phi: 0.99999 }]]);
    assert.equal(await slider.getAttribute('aria-valuetext'), '0.99999');
  });

  it('leaves the grid bare without an image', async () => {
    await open(plannedView(), { saved: { tab: 'patches' } });
    assert.equal(await page.locator('.patch-image').isVisible(), false);
  });

  it('axe finds nothing serious in menus and with an image', async () => {
    const view = plannedView();
    await open(view, { saved: { tab: 'layers', selected: layerWith(view, (plan) => plan.bits === 4).id } });
    await page.getByRole('button', { name: /output$/ }).click();
    assert.deepEqual(await seriousFindings(page, 'body'), []);
  });
});
