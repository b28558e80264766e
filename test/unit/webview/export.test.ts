/* What the page gives away: drawings, tables, a report; and the ticks of its axes. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { csv } from '../../../webview/export/csv';
import { niceTicks, paddedRange } from '../../../webview/charts/ticks';
import { sampleSweeps, tradeOffAnswers } from '../../support/webviewHarness/answers';
import { PageSuite } from '../../support/webviewHarness/suite';
import { hostileNames, hostileView, plannedView } from '../../support/webviewHarness/samples';

interface Saved {
  readonly name: string;
  readonly data: string | Record<string, number>;
}

/** Text of a file that is text. */
function textOf({ data }: Saved): string {
  assert.equal(typeof data, 'string');
  return data as string;
}

describe('editor page, export', () => {
  const suite = new PageSuite();
  let page: Page;
  const open = async (...what: Parameters<PageSuite['openWith']>): Promise<void> => {
    page = await suite.openWith(...what);
  };
  const changes = (): Promise<unknown[][]> => suite.harness.changes(page);

  const saved = async (): Promise<Saved[]> =>
    (await changes()).filter(([method]) => method === 'saveFile').map(([, file]) => file as Saved);
  async function exportAs(label: string): Promise<Saved> {
    const before = (await saved()).length;
    await page.getByRole('button', { name: 'Export…' }).click();
    await page.getByRole('menuitemradio', { name: label }).click();
    for (let turn = 0; turn < 100 && (await saved()).length === before; turn++) await page.waitForTimeout(50);
    return (await saved())[before];
  }

  it('gives drawings as SVG that stands by itself', async () => {
    await open(plannedView(), tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
    await page.locator('.plot-point').first().waitFor();
    for (const [label, name] of [
      ['Graph as SVG', 'graph'],
      ['Memory as SVG', 'memory'],
      ['Trade-off as SVG', 'accuracy'],
    ]) {
      const file = await exportAs(label);
      const data = textOf(file);
      assert.equal(file.name, `mobilenetv2_1.0_224_tv-${name}.svg`);
      const parsed = await page.evaluate((source) => {
        const document = new DOMParser().parseFromString(source, 'image/svg+xml');
        return {
          error: document.querySelector('parsererror')?.textContent ?? null,
          texts: document.querySelectorAll('text').length,
          scripts: document.querySelectorAll('script, image, style').length,
        };
      }, data);
      assert.equal(parsed.error, null);
      assert.ok(parsed.texts > 5, `${label}: ${parsed.texts}`);
      assert.equal(parsed.scripts, 0);
      assert.ok(!data.includes('var(--') && !data.includes('NaN'), label);
    }
  });

  it('gives drawings as PNG', async () => {
    await open(plannedView(), tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
    await page.locator('.plot-point').first().waitFor();
    for (const label of ['Graph as PNG', 'Memory as PNG', 'Trade-off as PNG']) {
      const { data } = await exportAs(label);
      const bytes = Object.values(data as Record<string, number>);
      assert.deepEqual(bytes.slice(0, 8), [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      assert.ok(bytes.length > 4000, `${label}: ${bytes.length} bytes`);
    }
  });

  it('gives tables as CSV, one line for each row', async () => {
    const view = plannedView();
    await open(view, tradeOffAnswers(), { saved: { tab: 'tradeOff' } });
    await page.locator('.plot-point').first().waitFor();
    const lines = async (label: string): Promise<string[]> =>
      textOf(await exportAs(label))
        .trimEnd()
        .split('\r\n');
    const layers = await lines('Layers as CSV');
    assert.equal(layers.length, view.model.layers.length + 1);
    assert.equal(layers[4].split(',')[1], view.model.layers[3].name);
    assert.equal((await lines('Memory as CSV')).length, view.plan!.buffers.length + 1);
    assert.equal((await lines('Points as CSV')).length, sampleSweeps().flatMap(({ points }) => points).length + 1);
  });

  it('quotes what needs it and disarms what a spreadsheet would run', () => {
    assert.equal(
      csv(
        ['a', 'b'],
        [
          ['x,y', 'say "no"'],
          ['=1+1', -3],
          [null, true],
        ],
      ),
      'a,b\r\n"x,y","say ""no"""\r\n\'=1+1,-3\r\n,true\r\n',
    );
  });

  it('gives a report that needs no scripts and nothing from elsewhere', async () => {
    await open(plannedView(), tradeOffAnswers());
    const file = await exportAs('Report as HTML');
    assert.equal(file.name, 'mobilenetv2_1.0_224_tv-report.html');
    const report = await page.context().newPage();
    const requests: string[] = [];
    report.on('request', (request) => requests.push(request.url()));
    await report.setContent(textOf(file));
    assert.deepEqual(
      requests.filter((url) => !url.startsWith('data:') && url !== 'about:blank'),
      [],
    );
    assert.equal(await report.locator('script').count(), 0);
    assert.equal(await report.locator('h1').innerText(), 'mobilenetv2_1.0_224_tv');
    assert.equal(await report.locator('table').last().locator('tbody tr').count(), plannedView().model.layers.length);
    assert.ok((await report.locator('.strips svg').count()) > 2);
    assert.equal(await report.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
    await report.close();
  });

  it('keeps hostile names text', async () => {
    await open(hostileView(), {});
    const file = await exportAs('Report as HTML');
    const report = await page.context().newPage();
    await report.setContent(textOf(file));
    assert.equal(await report.locator('script, img').count(), 0);
    assert.equal(await report.evaluate('window.harmed'), undefined);
    assert.ok((await report.locator('td.name').first().innerText()).includes(hostileNames[0]));
    await report.close();
    const svg = textOf(await exportAs('Graph as SVG'));
    assert.equal(
      await page.evaluate(
        (source) => new DOMParser().parseFromString(source, 'image/svg+xml').querySelector('parsererror, script, img'),
        svg,
      ),
      null,
    );
  });

  describe('axes', () => {
    it('have round ticks within their range', () => {
      assert.deepEqual(niceTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
      assert.deepEqual(
        niceTicks(0.771, 0.786, 3).map((tick) => Number(tick.toFixed(6))),
        [0.775, 0.78, 0.785],
      );
      assert.deepEqual(niceTicks(3, 3, 4), [3]);
      for (const values of [[], [5], [0], [-1, 1]]) {
        const [low, high] = paddedRange(values);
        assert.ok(low < high);
      }
    });
  });
});
