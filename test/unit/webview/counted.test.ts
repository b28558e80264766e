/* What an emulated board counted, beside the estimate: in the layer table, the details and the graph's colours. */
import assert from 'node:assert/strict';
import type { EditorView } from '../../../src/protocol/views';
import { Harness } from '../../support/webviewHarness/harness';
import { plannedView } from '../../support/webviewHarness/samples';

/** Layer k took a tenth less than was estimated. */
function countedView(core: string): EditorView {
  const view = plannedView();
  const layers = view.model.layers.map((layer) => ({
    ...layer,
    plan: { ...layer.plan!, instructions: 1.1e6, counted: layer.id === 3 ? 0 : 1e6 },
  }));
  const target = { ...view.plan!.target, core: 'cortex-m7' };
  return { ...view, model: { ...view.model, layers }, plan: { ...view.plan!, target, countedCore: core } };
}

describe('counted instructions', function () {
  let harness: Harness;
  before(async function () {
    harness = await Harness.startOrSkip(this);
  });
  after(() => harness?.close());

  it('stand beside the estimate, with its error where the board has the same core', async () => {
    const page = await harness.open(countedView('m7'), { saved: { tab: 'layers', selected: 5 }, width: 1900 });
    const cells = async (row: number): Promise<string[]> =>
      (await page.locator(`.layers-view [role=row][aria-rowindex="${row}"] [role=gridcell]`).allInnerTexts()).map(
        (text) => text.replace(/\s+/g, ' ').trim(),
      );
    assert.match((await cells(2)).join(' | '), /1\.00 M ?\+10 %/);
    assert.ok(!(await cells(5)).some((text) => text.includes('1.00 M')), 'layer 3 ran nowhere');
    assert.match(await page.locator('.details').innerText(), /Instructions \(counted\)\s+1\.00 M/);
    await harness.show(page, countedView('m4'));
    await page.getByRole('columnheader', { name: /another core: m4/ }).waitFor();
    assert.ok((await cells(2)).includes('1.00 M'));
    await page.getByRole('tab', { name: 'Graph' }).click();
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.getByRole('menuitemradio', { name: 'Counted instructions' }).click();
    assert.match(await page.locator('.color-range').innerText(), /0.*1\.00 M/s);
    await page.context().close();
  });
});
