/*
 * Plans beside the plan in the page: board, patches and λ, trade-off, comparison, distributions, export; by mouse and
 * by keyboard alone.
 */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import {
  boards,
  detailsAnswers,
  otherPlan,
  sampleSweeps,
  sampleTradeOff,
  tradeOffAnswers,
} from '../../support/webviewHarness/answers';
import { PageSuite, textIn } from '../../support/webviewHarness/suite';
import { plannedView } from '../../support/webviewHarness/samples';

describe('editor page, plans beside the plan', function () {
  const suite = new PageSuite();
  let page: Page;
  const open = async (...what: Parameters<PageSuite['openWith']>): Promise<void> => {
    page = await suite.openWith(...what);
  };
  const changes = (): Promise<unknown[][]> => suite.harness.changes(page);
  const text = (selector: string): Promise<string> => textIn(page, selector);

  describe('the header', () => {
    it('has five figures with what 8 bits layer by layer would take', async () => {
      const view = plannedView();
      await open(view, {});
      const labels = await page.locator('.figure-label').allInnerTexts();
      assert.deepEqual(
        labels.map((label) => label.trim()),
        ['SRAM peak', 'Flash', 'BitOPs', 'Latency (estimate)', 'Top-1 accuracy'],
      );
      const { arenaBytes, int8Layerwise } = view.plan!.figures;
      assert.match(
        await text('.figure'),
        new RegExp(`${(int8Layerwise.arenaBytes / arenaBytes).toFixed(2)}× less than 8-bit layer by layer`),
      );
    });

    it('shows how far the estimated time may be off, and says where there is no accuracy yet', async () => {
      const view = plannedView();
      const figures = { ...view.plan!.figures, latencyMs: 40, latencyError: 0.25, accuracy: null };
      await open({ ...view, plan: { ...view.plan!, figures } }, {});
      assert.match(
        (await page.locator('.figure').nth(3).innerText()).replace(/\s+/g, ' '),
        /40(\.0)? ms ± 10(\.0)? ms/,
      );
      assert.match((await page.locator('.figure').nth(4).innerText()).replace(/\s+/g, ' '), /– not evaluated/);
    });

    it('shows a board of one’s own without a clock rate, and lists it among the boards', async () => {
      const view = plannedView();
      const plan = view.plan!;
      const target = { ...plan.target, id: 'custom', name: 'custom', core: 'cortex-m0plus', clockMHz: 0, source: '' };
      await open(
        { ...view, plan: { ...plan, target, figures: { ...plan.figures, latencyMs: null } } },
        { targets: { value: boards() } },
      );
      const board = page.getByRole('button', { name: /^Board/ });
      assert.equal((await board.innerText()).trim(), 'Own board · Cortex-M0+');
      assert.match((await page.locator('.figure').nth(3).innerText()).replace(/\s+/g, ' '), /– no clock rate given/);
      assert.doesNotMatch(await page.locator('body').innerText(), /MHz/);
      await board.click();
      assert.match(
        await page.getByRole('menuitemradio', { checked: true }).innerText(),
        /^Own board\s*Cortex-M0\+ · 320 KiB SRAM/,
      );
      await page.keyboard.press('Enter');
      assert.deepEqual(await changes(), []);
    });

    it('changes board, patches and λ by mouse', async () => {
      await open(plannedView(), { targets: { value: boards() } });
      await page.getByRole('button', { name: /^Board/ }).click();
      await page.getByRole('menuitemradio', { name: /nRF52840/ }).click();
      await page.getByRole('button', { name: /^Patches/ }).click();
      await page.getByRole('menuitemradio', { name: /^Automatic/ }).click();
      await page.getByRole('button', { name: /^λ/ }).click();
      await page.getByRole('menuitemradio', { name: '0.5', exact: true }).click();
      assert.deepEqual(await changes(), [
        ['changePlan', { kind: 'target', id: 'nano33ble' }],
        ['changePlan', { kind: 'grid', grid: 'auto' }],
        ['changePlan', { kind: 'lambda', lambda: 0.5 }],
      ]);
    });

    it('and by keyboard alone; the control keeps the focus when the plan comes back', async () => {
      await open(plannedView(), { targets: { value: boards() } });
      await page.locator('.menu-button').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-checked")'), 'true');
      await page.keyboard.press('Home');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      assert.deepEqual(await changes(), [
        ['changePlan', { kind: 'target', id: 'nano33ble' }],
        ['changePlan', { kind: 'grid', grid: { rows: 8, cols: 8 } }],
      ]);
      await suite.harness.show(page, plannedView(2, 2));
      assert.match(String(await page.evaluate('document.activeElement.getAttribute("aria-label")')), /^Patches: 2×2/);
    });

    it('tells while a change takes its time', async () => {
      await open(plannedView(), {});
      assert.equal(await page.locator('.header-working').isVisible(), false);
      await page.evaluate(
        '(() => { const post = window.postMessage; window.postMessage = (m, ...r) => setTimeout(() => ' +
          "post.call(window, m, ...r), m.type === 'result' ? 900 : 0); })()",
      );
      await page.getByRole('button', { name: /^Patches/ }).click();
      await page.getByRole('menuitemradio', { name: '2×2' }).click();
      await page.locator('.header-working').waitFor({ state: 'visible' });
      await page.locator('.header-working').waitFor({ state: 'hidden' });
    });
  });

  describe('the trade-off', () => {
    it('plots sweeps beside a table of the same points, and a picked point is asked for', async () => {
      await open(plannedView(), tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
      const points = sampleSweeps().flatMap((sweep) => sweep.points);
      assert.equal(await page.locator('.tradeoff-right [role=row]').count(), points.length + 1);
      const drawn =
        points.filter(({ accuracy }) => accuracy !== null).length +
        points.filter(({ randomAccuracy }) => randomAccuracy !== null).length;
      assert.equal(await page.locator('.plot-point').count(), drawn);
      assert.equal(await page.locator('.plot-point.current').count(), 1);
      await page.getByRole('option', { name: /^BitOPs ÷ 2\.2/ }).click();
      assert.match(await text('.tradeoff-chosen'), /^BitOPs ÷ 2\.2, 78\.\d %/);
      await page.getByRole('button', { name: 'Make it the plan' }).click();
      assert.deepEqual(await changes(), [['pickSweepPoint', 'bitops-target', 2.2]]);
    });

    it('is walked with the keyboard: plot, then table', async () => {
      await open(plannedView(), tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
      await page.locator('.plot-point[tabindex="0"]').focus();
      const chosen = await text('.tradeoff-chosen');
      await page.keyboard.press('ArrowRight');
      assert.notEqual(await text('.tradeoff-chosen'), chosen);
      await page.keyboard.press('Home');
      const name = (await text('.tradeoff-chosen')).split(',')[0];
      assert.equal(
        await page
          .locator('.tradeoff-right [role=row][aria-selected="true"]')
          .innerText()
          .then((row) => row.trim().startsWith(name)),
        true,
      );
      await page.keyboard.press('Enter');
      assert.deepEqual(await changes(), [['pickSweepPoint', 'bitops-target', 2.6]]);
      await page.locator('.tradeoff-right [role=gridcell][tabindex="0"]').focus();
      await page.keyboard.press('Control+End');
      await page.keyboard.press('Enter');
      assert.deepEqual((await changes())[1], ['pickSweepPoint', 'phi', 0.999]);
    });

    it('tells of points without a plan, and lets none of a stale sweep be picked', async () => {
      const stale = sampleSweeps().map((sweep) => ({ ...sweep, current: false }));
      await open(
        plannedView(),
        { sweeps: { value: stale }, tradeOff: { value: sampleTradeOff() } },
        { saved: { tab: 'tradeOff' } },
      );
      assert.match(await text('.tradeoff-note'), /Run the sweep again/);
      await page.locator('.tradeoff-right [role=row]', { hasText: '÷ 4' }).click();
      assert.match(await text('.tradeoff-chosen'), /cannot be reached/);
      await page.getByRole('option', { name: /^BitOPs ÷ 2\.2/ }).dblclick();
      assert.equal(await page.getByRole('button', { name: 'Make it the plan' }).count(), 0);
      assert.deepEqual(await changes(), []);
    });

    it('offers to run a sweep, and draws what came of it', async () => {
      await open(plannedView(), { tradeOff: { value: sampleTradeOff() } }, { saved: { tab: 'tradeOff' } });
      assert.match(await text('.tradeoff-note'), /^A sweep makes a plan/);
      await page.getByRole('button', { name: 'Run sweep…' }).click();
      await page.getByRole('menuitemradio', { name: 'φ of the patch classes' }).click();
      assert.deepEqual(await changes(), [['runSweep', 'phi']]);
      await page.evaluate(
        (given) => Object.assign((globalThis as unknown as { harness: { answers: object } }).harness.answers, given),
        tradeOffAnswers(),
      );
      await suite.harness.send(page, 'sweepsChanged');
      await page.locator('.plot-point').first().waitFor();
    });

    it('shows the planner’s choices and what φ does, and makes one the plan', async () => {
      await open(plannedView(), tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
      await page.getByRole('button', { name: 'SRAM and latency' }).click();
      assert.equal(await page.locator('.plot-limit').count(), 1);
      const { memory } = sampleTradeOff();
      await page.getByRole('option').last().dblclick();
      const last = memory[memory.length - 1];
      assert.deepEqual(await changes(), [['changePlan', { kind: 'stage', stage: last.stage, tailStages: [] }]]);
      await page.getByRole('button', { name: 'Outlier patches' }).click();
      await page.locator('.plot-point[tabindex="0"]').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      assert.deepEqual((await changes())[1], ['changePlan', { kind: 'phi', phi: 0.9999 }]);
    });

    it('says why it is empty', async () => {
      await open(
        plannedView(),
        { tradeOff: { value: { memory: [], phi: null } } },
        { saved: { tab: 'tradeOff', tradeOff: 'memory' } },
      );
      assert.match(await text('.tradeoff-note'), /calibration is not cached/);
    });
  });

  describe('the comparison', () => {
    it('puts two plans side by side, differences first', async () => {
      await open(plannedView(), { otherPlan: { value: otherPlan() } }, { height: 1000 });
      await page.getByRole('button', { name: 'Compare…' }).click();
      await page.getByRole('menuitemradio', { name: '8 bits, layer by layer' }).click();
      await page.locator('.compare-figures').waitFor();
      assert.deepEqual(await changes(), [['otherPlan', 'int8']]);
      assert.equal(await page.getByRole('tab', { name: 'Compare' }).getAttribute('aria-selected'), 'true');
      assert.match(await text('.compare-figures tbody tr'), /SRAM peak 313 KiB 1\.48 MiB −\d+ %/);
      const { model } = plannedView();
      const same = model.layers.filter(
        ({ plan }) => plan!.bits === 8 && plan!.inputBits === 8 && plan!.weightBits !== 4 && !plan!.inPatchStage,
      ).length;
      assert.match(
        await text('.compare-count'),
        new RegExp(`^${model.layers.length - same} of ${model.layers.length} layers differ`),
      );
      assert.equal(
        await page
          .locator('.compare-view .grid-body [role=row]')
          .first()
          .evaluate((row) => row.classList.contains('differs')),
        true,
      );
      await page.getByRole('button', { name: 'Close comparison' }).click();
      assert.equal(await page.getByRole('tab', { name: 'Compare' }).count(), 0);
    });

    it('stays as it was when the person picks nothing, and says why a plan cannot be opened', async () => {
      await open(plannedView(), { otherPlan: { value: null } });
      const compare = async (): Promise<void> => {
        await page.getByRole('button', { name: 'Compare…' }).focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('End');
        await page.keyboard.press('Enter');
      };
      await compare();
      assert.equal(await page.getByRole('tab', { name: 'Compare' }).count(), 0);
      await page.evaluate(
        `window.harness.answers.otherPlan = { error: 'other.quantmcu.json: the model has changed.' }`,
      );
      await compare();
      await page.getByText('the model has changed').waitFor();
    });
  });

  describe('distributions', () => {
    it('show weights and outputs with fit, limits and codes, also of one channel', async () => {
      await open(plannedView(), detailsAnswers(), { saved: { tab: 'layers', selected: 6 } });
      await page.locator('.distribution').nth(1).waitFor();
      assert.equal(await page.locator('.dist-curve').count(), 2);
      assert.match(await text('.distributions'), /outliers for φ = 0\.96 outside −1\.01 … 2\.69/);
      assert.match(await text('.distributions'), /4 bits: 16 of 16 codes used/);
      assert.match(await text('.generated-code'), /mobilenetv2\.c:214/);
      const slider = page.locator('.channel-slider');
      await slider.focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await slider.getAttribute('aria-valuetext'), '0 of 144');
      await page.getByRole('button', { name: 'mobilenetv2.c:214' }).click();
      assert.deepEqual(await changes(), [['openGeneratedCode', 6]]);
    });

    it('are left out where there are none', async () => {
      await open(
        plannedView(),
        { layerDetails: { error: 'There is no calibration.' } },
        { saved: { tab: 'layers', selected: 6 } },
      );
      assert.equal(await page.locator('.distributions-section').isVisible(), false);
    });
  });
});
