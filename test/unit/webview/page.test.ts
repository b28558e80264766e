/* The editor's page in a headless Chromium: what it shows, how the keyboard moves it, and what it must never do. */
import assert from 'node:assert/strict';
import type { TriedPlan } from '../../../src/engine/common/progress';
import type { EditorView } from '../../../src/protocol/views';
import { sampleGenerated, sampleTried } from '../../support/webviewHarness/answers';
import { PageSuite, textIn } from '../../support/webviewHarness/suite';
import {
  hostileNames,
  hostileView,
  plannedView,
  problemView,
  unquantizedView,
} from '../../support/webviewHarness/samples';

describe('editor page', function () {
  const suite = new PageSuite();
  const open = suite.open.bind(suite);

  describe('the host', () => {
    it('gets the commands of the buttons', async () => {
      const page = await open(plannedView());
      for (const name of ['Generate C…', 'Quantize again…', 'Open plan'])
        await page.getByRole('button', { name }).click();
      assert.deepEqual(await suite.harness.read(page, 'commands'), ['generate', 'quantize', 'openPlan']);
    });

    it('shows progress with Cancel, and errors as one line', async () => {
      const page = await open(unquantizedView());
      await suite.harness.send(page, 'showProgress', { stage: 'Calibrating', done: 12, total: 64 });
      assert.match(await textIn(page, '.banner-progress'), /Calibrating · 12 \/ 64/);
      await page.getByRole('button', { name: 'Cancel' }).click();
      assert.deepEqual(await suite.harness.read(page, 'commands'), ['cancel']);
      await suite.harness.send(page, 'showProgress', null);
      assert.equal(await page.locator('.banner-progress').isVisible(), false);
      await suite.harness.send(page, 'showError', 'model.onnx is truncated: <b>byte 12</b>');
      assert.equal(await textIn(page, '.fatal p'), 'model.onnx is truncated: <b>byte 12</b>');
      await suite.harness.show(page, unquantizedView());
      assert.equal(await page.locator('.fatal').count(), 0);
    });

    it('shows problems with remedies, grouped, and leads to the layer', async () => {
      const page = await open(problemView());
      assert.equal(await page.locator('.problem').count(), 3);
      await page.getByRole('button', { name: '/head/Loop_2' }).click();
      assert.equal(await textIn(page, '.details .node-name'), '/head/Loop_2');
      assert.equal(await page.getByRole('button', { name: 'Quantize…' }).count(), 0);
    });
  });

  describe('boards', () => {
    it('are the first answer for a new model, each with how it fits', async () => {
      const page = await open(unquantizedView());
      assert.equal(await page.getByRole('tab', { name: 'Boards' }).getAttribute('aria-selected'), 'true');
      await page.getByRole('heading', { name: 'Fits 3 of 5 boards' }).waitFor();
      const rows = page.locator('.fit-table tbody tr');
      const verdicts = await rows.evaluateAll((all) => (all as { className: string }[]).map((row) => row.className));
      assert.deepEqual(verdicts, ['fit-fits', 'fit-tight', 'fit-tight', 'fit-no', 'fit-no']);
      assert.match((await rows.nth(2).textContent()) ?? '', /streamed, 8 bits/);
      assert.match((await rows.nth(4).textContent()) ?? '', /needs at least 192 KiB SRAM, 1.88 MiB flash/);
    });

    it('are there layer by layer before patches are planned; who stands at a board stays there', async () => {
      const page = await open(null);
      await page.evaluate('window.harness.answers.fit.isOpen = true');
      await suite.harness.show(page, unquantizedView());
      const rows = page.locator('.fit-table tbody tr');
      await rows.first().waitFor();
      const classes = (): Promise<string[]> =>
        rows.evaluateAll((all) => (all as { className: string }[]).map((row) => row.className));
      assert.deepEqual(await classes(), ['fit-open', 'fit-open', 'fit-open', 'fit-no', 'fit-no']);
      assert.match((await rows.first().textContent()) ?? '', /Checking patches…/);
      assert.match((await rows.nth(4).textContent()) ?? '', /needs at least 1.88 MiB flash/);
      const button = page.getByRole('button', { name: 'Quantize for Raspberry Pi Pico 2 (RP2350)…' });
      await button.focus();
      await page.evaluate('window.harness.answerOpen()');
      await page.getByRole('heading', { name: 'Fits 3 of 5 boards' }).waitFor();
      assert.deepEqual(await classes(), ['fit-fits', 'fit-tight', 'fit-tight', 'fit-no', 'fit-no']);
      const focused = await page.evaluate('document.activeElement.getAttribute("aria-label")');
      assert.equal(focused, 'Quantize for Raspberry Pi Pico 2 (RP2350)…');
    });

    it('start a quantization with the board chosen', async () => {
      const page = await open(unquantizedView());
      await page.getByRole('button', { name: 'Quantize for Raspberry Pi Pico 2 (RP2350)…' }).click();
      assert.deepEqual(await suite.harness.changes(page), [
        ['quantizeFor', { id: 'rp2350', name: 'Raspberry Pi Pico 2 (RP2350)' }],
      ]);
    });

    it('say in the model’s words why there is no answer', async () => {
      const page = await open(null);
      await page.evaluate('window.harness.answers.fit = { error: "Too large for any board." }');
      await suite.harness.show(page, unquantizedView());
      await page.getByRole('alert').filter({ hasText: 'Too large for any board.' }).waitFor();
    });
  });

  it('keeps tab, selection and filter when it is hidden and loaded again', async () => {
    const first = await open(plannedView());
    await first.locator('.layers-view vscode-text-field input').fill('add');
    await first.locator('.layers-view .grid-body [role=gridcell]').nth(1).click();
    await first.getByRole('tab', { name: 'Graph' }).click();
    for (
      let i = 0;
      i < 50 && ((await suite.harness.read(first, 'saved')) as { tab?: string } | null)?.tab !== 'graph';
      i++
    )
      await first.waitForTimeout(20);
    const second = await open(plannedView(), { saved: await suite.harness.read(first, 'saved') });
    assert.equal(await second.getByRole('tab', { name: 'Graph' }).getAttribute('aria-selected'), 'true');
    assert.match(await textIn(second, '.details h2'), /Add/);
    assert.equal(await second.locator('.graph-view vscode-text-field input').inputValue(), 'add');
  });

  it('draws models at the edges: no or one layer, a plan without patches, thousands of ports, problems', async () => {
    const planned = plannedView();
    const { model } = unquantizedView();
    const steps = planned.plan!.steps.filter((step) => step.branch < 0).map((step, id) => ({ ...step, id }));
    const many = Array.from({ length: 5000 }, (_, id) => id);
    const views: EditorView[] = [
      { model: { ...model, layers: [] }, plan: null, planProblem: null },
      { model: { ...model, layers: model.layers.slice(0, 1) }, plan: null, planProblem: null },
      { ...planned, plan: { ...planned.plan!, stage: null, branches: [], steps, buffers: [] } },
      { ...planned, plan: { ...planned.plan!, stage: null, branches: [], steps: [], buffers: [] } },
      {
        model: {
          ...model,
          inputs: many.map((id) => ({ name: `input${id}`, type: 'float32', shape: '1×1' })),
          problems: many.map((id) => ({ node: `n${id}`, operator: 'Odd', message: `message ${id}`, remedy: '' })),
        },
        plan: null,
        planProblem: null,
      },
    ];
    const page = await open(views[0]);
    for (const view of views) {
      await suite.harness.show(page, view);
      for (const tab of ['Graph', 'Layers']) await page.getByRole('tab', { name: tab }).click();
      assert.equal(await textIn(page, '.layers-view .toolbar-note'), `${view.model.layers.length} layers`);
      const box = await page.locator('.memory-chart').boundingBox();
      if (box !== null) await page.mouse.move(box.x + 200, box.y + 50);
    }
    await page.getByRole('tab', { name: 'Problems' }).click();
    assert.equal(await page.locator('.problem').count(), 100);
  });

  it('starts with a state that an unknown version left', async () => {
    const page = await open(plannedView(), {
      saved: {
        tab: 'nonsense',
        selected: 1e9,
        camera: 'x',
        memoryRange: [0, 1e9],
        sort: { column: 'gone' },
        dockHeight: 'tall',
      },
    });
    assert.equal(await page.getByRole('tab', { name: 'Layers' }).getAttribute('aria-selected'), 'true');
  });

  it('shows hostile names as text and nothing else', async () => {
    const page = await open(hostileView(), { saved: { tab: 'layers', selected: 0 } });
    assert.equal(await textIn(page, 'h1'), hostileNames[1].split('/').pop());
    for (const tab of ['Graph', 'Patches', 'Problems', 'Layers']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.mouse.move(400, 500);
    }
    const box = (await page.locator('.memory-chart').boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + box.height - 50);
    assert.equal(await textIn(page, '.memory-chart .tooltip-title'), hostileNames[0]);
    assert.equal(await page.evaluate('window.harmed'), undefined);
    assert.equal(await page.locator('img, script:not([nonce]), iframe').count(), 0);
  });

  it('takes over the theme while it is open', async () => {
    const page = await open(plannedView(), { saved: { tab: 'graph' } });
    const brightness = (): Promise<number> =>
      page.locator('.graph-stage canvas').evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        let [sum, weight] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {
          sum += data[i + 1] * data[i + 3];
          weight += data[i + 3];
        }
        return sum / weight;
      });
    const dark = await brightness();
    await suite.harness.setTheme(page, 'light');
    assert.ok((await brightness()) > dark + 60);
  });

  describe('a search that goes on', () => {
    it('shows the plans it has tried and the fastest that keeps to the budget, until it ends', async () => {
      const page = await open(plannedView());
      const tell = (tried: readonly TriedPlan[]): Promise<unknown> =>
        suite.harness.send(page, 'showProgress', {
          stage: 'Fitting weights',
          done: 1,
          total: 4,
          overall: { step: 4, steps: 4, share: 0.5, msLeft: null, tried },
        });
      const all = sampleTried();
      await tell(all.slice(1, 2));
      assert.match(await textIn(page, '.search-curve'), /1 plan tried, not within 1\.00/);
      await tell(all);
      assert.match(await textIn(page, '.search-curve'), /5 plans tried; fastest within 1\.00: 274 ms, loss 0\.92/);
      assert.equal(await page.locator('.search-kept').count(), 2);
      assert.equal(await page.locator('.search-over').count(), 2);
      await suite.harness.send(page, 'showProgress', null);
      assert.equal(await page.locator('.search-curve').isVisible(), false);
    });
  });

  describe('generated sources', () => {
    it('are told with totals and the code that runs them, and lead on', async () => {
      const page = await open(plannedView());
      await suite.harness.send(page, 'showGenerated', sampleGenerated());
      const card = await textIn(page, '.outcome:not([hidden])');
      assert.match(card, /C sources in firmware\/lib\/mobilenetv2/);
      assert.match(card, /SRAM 183 KiB/);
      assert.match(card, /Flash 1\.86 MiB/);
      assert.match(card, /mobilenetv2_run\(const void \*input\)/);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('button', { name: 'Insert into main.c' }).click();
      await page.getByRole('button', { name: 'Open Header' }).click();
      await page.getByRole('button', { name: 'Run on Emulator…' }).click();
      assert.deepEqual(await suite.harness.read(page, 'changes'), [
        ['copyText', sampleGenerated().code],
        ['insertUsage'],
        ['openHeader'],
      ]);
      assert.deepEqual(await suite.harness.read(page, 'commands'), ['selftest']);
    });

    it('are offered to be generated again only where they went somewhere', async () => {
      const page = await open(plannedView());
      const again = page.getByRole('button', { name: /^Generate again/ });
      assert.equal(await again.isVisible(), false);
      await page.evaluate(() => {
        (globalThis as unknown as { harness: { answers: object } }).harness.answers = {
          generatedInto: { value: 'fw' },
        };
      });
      await suite.harness.show(page, plannedView());
      await page.getByRole('button', { name: 'Generate again into fw' }).click();
      assert.deepEqual(await suite.harness.read(page, 'commands'), ['generateAgain']);
    });
  });
});
