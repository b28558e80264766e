/* The page for people who see little or use no mouse: help, and axe-core in all themes. */
import assert from 'node:assert/strict';
import type { EditorView } from '../../../src/protocol/views';
import {
  sampleGenerated,
  sampleOutcome,
  boards,
  detailsAnswers,
  otherPlan,
  tradeOffAnswers,
} from '../../support/webviewHarness/answers';
import { PageSuite, seriousFindings } from '../../support/webviewHarness/suite';
import { plannedView, problemView } from '../../support/webviewHarness/samples';
import { themeNames } from '../../support/webviewHarness/themes';

describe('editor page, accessibility', () => {
  const suite = new PageSuite();
  const open = suite.open.bind(suite);

  it('help opens by Alt+F1, is free of faults, and gives the focus back', async () => {
    const page = await open(plannedView(), { saved: { tab: 'layers' } });
    const tab = page.getByRole('tab', { name: 'Layers' });
    await tab.focus();
    await page.keyboard.press('Alt+F1');
    await page.getByRole('dialog', { name: 'Accessibility help' }).waitFor();
    assert.deepEqual(await seriousFindings(page, '.help'), []);
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.equal(await tab.evaluate((element) => element === document.activeElement), true);
  });

  it('folding of the graph is switched by the keyboard, and is free of faults on and off', async () => {
    const page = await open(plannedView(), { saved: { tab: 'graph' }, height: 700 });
    const fold = page.getByRole('button', { name: 'Fold blocks that repeat' });
    const states = new Set<string | null>();
    for (let i = 0; i < 2; i++) {
      const before = await fold.getAttribute('aria-pressed');
      states.add(before);
      assert.deepEqual(await seriousFindings(page, '.panels'), [], `aria-pressed ${String(before)}`);
      await fold.press('Enter');
      await page.locator(`[aria-pressed="${before === 'true' ? 'false' : 'true'}"][aria-label^="Fold"]`).waitFor();
    }
    assert.deepEqual([...states].sort(), ['false', 'true']);
  });

  for (const theme of themeNames) {
    it(`axe finds nothing serious in the theme ${theme}`, async () => {
      const { model } = problemView();
      const view: EditorView = { ...plannedView(), planProblem: 'A plan with a problem.' };
      const page = await open(
        { ...view, model: { ...view.model, problems: model.problems } },
        { theme, saved: { tab: 'layers', selected: 4 }, height: 700 },
      );
      // Evaluated through the debugger: the page's policy would refuse it as a script of the page.
      assert.deepEqual(await seriousFindings(page, 'body'), [], 'the whole page');
      for (const tab of ['Graph', 'Patches', 'Problems']) {
        await page.getByRole('tab', { name: tab }).click();
        assert.deepEqual(await seriousFindings(page, '.panels'), [], tab);
      }
      await suite.harness.send(page, 'showOutcome', sampleOutcome());
      await suite.harness.show(page, plannedView());
      await page.getByRole('tab', { name: 'Boards' }).click();
      await page.locator('.fit-table').waitFor();
      assert.deepEqual(await seriousFindings(page, 'body'), [], 'boards and a result');
      await suite.harness.send(page, 'showGenerated', sampleGenerated());
      assert.deepEqual(await seriousFindings(page, '.banners'), [], 'generated sources');
      await page.getByRole('tab', { name: 'Layers' }).click();
      await page.getByRole('button', { name: 'Show as table' }).click();
      assert.deepEqual(await seriousFindings(page, '.dock'), [], 'memory table');
    });
  }

  for (const theme of themeNames) {
    it(`axe finds nothing serious in plans beside the plan in the theme ${theme}`, async () => {
      const page = await suite.openWith(
        plannedView(),
        {
          ...tradeOffAnswers(),
          ...detailsAnswers(),
          otherPlan: { value: otherPlan() },
          targets: { value: boards() },
        },
        { theme, saved: { tab: 'tradeOff', selected: 6 } },
      );
      await page.locator('.plot-point').first().waitFor();
      assert.deepEqual(await seriousFindings(page, 'body'), [], 'accuracy');
      for (const name of ['SRAM and latency', 'Outlier patches']) {
        await page.getByRole('button', { name }).click();
        assert.deepEqual(await seriousFindings(page, '.panels'), [], name);
      }
      await page.getByRole('button', { name: 'Compare…' }).click();
      assert.deepEqual(await seriousFindings(page, '.menu'), [], 'menu');
      await page.keyboard.press('Enter');
      await page.locator('.compare-figures').waitFor();
      assert.deepEqual(await seriousFindings(page, '.panels'), [], 'comparison');
    });
  }
});
