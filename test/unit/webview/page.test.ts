/* The editor's page in a headless Chromium: what it shows, how the keyboard moves it, and what it must never do. */
import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { TriedPlan } from '../../../src/engine/common/progress';
import type { BufferView, EditorView } from '../../../src/protocol/views';
import { timelineOf } from '../../../webview/memory/timeline';
import { sampleGenerated, sampleOutcome, sampleTried } from '../../support/webviewHarness/answers';
import { Harness } from '../../support/webviewHarness/harness';
import {
  branchedView,
  chainView,
  hostileNames,
  hostileView,
  plannedView,
  problemView,
  unquantizedView,
} from '../../support/webviewHarness/samples';
import { themeNames } from '../../support/webviewHarness/themes';

describe('editor page', function () {
  let harness: Harness;
  const pages: Page[] = [];
  /** What the Content-Security-Policy refused in any of the tests; the last of them looks at it. */
  const violations: string[] = [];
  const errors: string[] = [];

  before(async function () {
    harness = await Harness.startOrSkip(this);
  });
  after(() => harness?.close());
  afterEach(async () => {
    for (const page of pages.splice(0)) {
      violations.push(...(await harness.read(page, 'violations')));
      errors.push(...harness.errorsOf(page));
      await page.context().close();
    }
  });

  async function open(view: EditorView | null, options: Parameters<Harness['open']>[1] = {}): Promise<Page> {
    const page = await harness.open(view, options);
    pages.push(page);
    return page;
  }

  const text = async (page: Page, selector: string): Promise<string> =>
    (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');

  describe('layers', () => {
    it('shows one row per layer in sight, with shapes, MACs and bits', async () => {
      const view = plannedView();
      const page = await open(view, { saved: { tab: 'layers' }, height: 1000 });
      const row = page.locator('.layers-view [role=row][aria-rowindex="5"]');
      const layer = view.model.layers[3];
      const cells = (await row.locator('[role=gridcell]').allInnerTexts()).map((cell) => cell.trim());
      assert.equal(cells[0], '3');
      assert.equal(cells[1], 'features.2/conv.0');
      assert.equal(cells[2].replace(/\s+/g, ' '), 'Conv 1×1');
      assert.deepEqual(cells.slice(3, 6), [
        String(layer.plan!.inputBits),
        String(layer.plan!.weightBits),
        String(layer.plan!.bits),
      ]);
      assert.equal(cells[6], '112×112×96');
      assert.equal(cells[7], '869 M');
      assert.equal(
        await page.locator('.layers-view [role=grid]').getAttribute('aria-rowcount'),
        String(view.model.layers.length + 1),
      );
    });

    it('draws few rows of many, whichever part is in sight', async () => {
      const page = await open(chainView(), { saved: { tab: 'layers' } });
      const rows = page.locator('.layers-view .grid-body [role=row]');
      assert.ok((await rows.count()) < 60);
      await page.locator('.layers-view [role=grid]').evaluate((grid) => {
        grid.scrollTop = 26 * 1500;
      });
      await page.locator('.layers-view [role=row][aria-rowindex="1502"]').waitFor();
      assert.ok((await rows.count()) < 60);
    });

    it('sorts by a column and filters by words', async () => {
      const view = unquantizedView();
      const page = await open(view, { saved: { tab: 'layers' } });
      const first = page.locator('.layers-view .grid-body [role=row]').first().locator('[role=gridcell]');
      const heading = page.getByRole('columnheader', { name: 'Multiply-accumulates' });
      await heading.click();
      await heading.click();
      assert.equal(await heading.getAttribute('aria-sort'), 'descending');
      const most = view.model.layers.reduce((a, b) => (b.macs > a.macs ? b : a));
      const top = await page
        .locator('.layers-view .grid-body [role=row]')
        .evaluateAll(
          (rows) =>
            rows.sort((a, b) => parseFloat((a as HTMLElement).style.top) - parseFloat((b as HTMLElement).style.top))[0]
              .children[0].textContent,
        );
      assert.equal(top, String(most.id));
      await page.locator('.layers-view vscode-text-field input').fill('depthwise s2');
      const expected = view.model.layers.filter(
        (layer) => layer.kind === 'depthwise' && layer.detail.includes('s2'),
      ).length;
      assert.equal(await text(page, '.layers-view .toolbar-note'), `${expected} of ${view.model.layers.length} layers`);
      assert.equal(await page.locator('.layers-view .grid-body [role=row]').count(), expected);
      assert.match(await first.nth(2).innerText(), /Depthwise/);
    });

    it('is walked with the keyboard: cells, pages, headings', async () => {
      const page = await open(chainView(), { saved: { tab: 'layers' } });
      await page.locator('.layers-view [role=gridcell][tabindex="0"]').focus();
      const focused = (): Promise<string> =>
        page.evaluate(() => {
          const cell = document.activeElement;
          const row = cell?.closest('[role=row]')?.getAttribute('aria-rowindex');
          return `${row},${cell?.getAttribute('aria-colindex')}`;
        });
      assert.equal(await focused(), '2,1');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      assert.equal(await focused(), '3,2');
      assert.match(await text(page, '.details h2'), /Conv/);
      await page.keyboard.press('Control+End');
      assert.equal(await focused(), '3001,6');
      await page.keyboard.press('PageUp');
      assert.notEqual(await focused(), '3001,6');
      await page.keyboard.press('Control+Home');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      assert.equal(await focused(), '1,1');
      assert.equal(await page.locator('[role=columnheader]').first().getAttribute('aria-sort'), 'ascending');
      await page.keyboard.press('Shift+Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'VSCODE-TEXT-FIELD');
    });
  });

  describe('figures and memory', () => {
    it('show the same peak: header, chart and table', async () => {
      const view = plannedView();
      const page = await open(view, { saved: { memoryMode: 'table', dockHeight: 300 } });
      const kib = `${(view.plan!.figures.arenaBytes / 1024).toFixed(0)} KiB`;
      assert.match(await text(page, '.figure'), new RegExp(`SRAM peak ${kib} of 320 KiB`));
      assert.match(await text(page, '.memory-view .toolbar-note'), new RegExp(`^peak ${kib}`));
      const cells = page.locator('.memory-view [role=row][aria-rowindex="2"] [role=gridcell]');
      await page.getByRole('columnheader', { name: 'Highest byte' }).click();
      await page.getByRole('columnheader', { name: 'Highest byte' }).click();
      assert.equal((await cells.nth(5).innerText()).trim(), kib);
    });

    it('count the bytes in use of a step, what overlaps once, wherever it lies', () => {
      const { plan } = plannedView();
      const at = (id: number, offset: number, bytes: number, firstStep: number, lastStep: number): BufferView => ({
        ...plan!.buffers[0],
        id,
        offset,
        bytes,
        firstStep,
        lastStep,
      });
      const { used, peakStep } = timelineOf({
        ...plan!,
        steps: plan!.steps.slice(0, 4),
        buffers: [at(0, 900, 100, -1, 1), at(1, 0, 50, 1, 3), at(2, 950, 100, 1, 2), at(3, 20, 10, 3, 9)],
      });
      assert.deepEqual([...used], [100, 200, 150, 50]);
      assert.equal(peakStep, 1);
    });

    it('name the buffer under the pointer and select its layer', async () => {
      const view = plannedView();
      const page = await open(view, { saved: { tab: 'layers' } });
      const box = (await page.locator('.memory-chart').boundingBox())!;
      const { steps, buffers } = view.plan!;
      const last = steps.length - 1;
      // The highest buffer of the peak step: the middle of its block in pixels, from the geometry of paint.ts.
      const peak = steps.reduce((a, b) => (b.peakBytes > a.peakBytes ? b : a));
      const buffer = buffers
        .filter((b) => b.firstStep <= peak.id && b.lastStep >= peak.id)
        .reduce((a, b) => (b.offset > a.offset ? b : a));
      const x = 60 + ((peak.id + 0.5) / (last + 1)) * (box.width - 60 - 132);
      const top = Math.max(view.plan!.figures.arenaBytes, view.plan!.target.sramBytes) * 1.08;
      const y = 10 + (1 - (buffer.offset + buffer.bytes / 2) / top) * (box.height - 32);
      await page.mouse.move(box.x + x, box.y + y);
      assert.equal(await text(page, '.memory-chart .tooltip-title'), buffer.name);
      await page.mouse.click(box.x + x, box.y + y);
      assert.equal(await text(page, '.details .node-name'), view.model.layers[buffer.layer].name);
    });

    it('are walked with the keyboard and spoken', async () => {
      const view = plannedView();
      const page = await open(view);
      await page.locator('.memory-chart').focus();
      await page.keyboard.press('Home');
      const spoken = page.locator('body > .sr-only');
      assert.match(await spoken.innerText(), /^Step 0, conv2d features\.0\.0/);
      await page.keyboard.press('ArrowUp');
      assert.match(await spoken.innerText(), /^Buffer input, 147 KiB, 8 bits, offset 0/);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      assert.equal(await text(page, '.details .node-name'), view.model.layers[view.plan!.steps[1].layer].name);
    });

    it('warn when the plan is too large for the board', async () => {
      const view = plannedView();
      const small: EditorView = {
        ...view,
        plan: { ...view.plan!, target: { ...view.plan!.target, sramBytes: 64 * 1024 } },
      };
      const page = await open(small);
      assert.equal(await page.locator('.figure.over').count(), 1);
    });
  });

  describe('graph', () => {
    it('follows edges with the arrow keys and says where it is', async () => {
      const view = plannedView();
      const page = await open(view, { saved: { tab: 'graph' } });
      await page.locator('.graph-stage').focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      assert.equal(await text(page, '.details .node-name'), view.model.layers[2].name);
      await page.keyboard.press('ArrowUp');
      assert.match(
        await page.locator('body > .sr-only').innerText(),
        /^Depthwise 3×3 .*4 bits, patch stage, 1 inputs, 1 readers/,
      );
      await page.keyboard.press('End');
      assert.equal(await text(page, '.details .node-name'), view.model.layers[view.model.layers.length - 1].name);
    });

    it('selects what is clicked, and search goes from match to match', async () => {
      const view = branchedView();
      const page = await open(view, { saved: { tab: 'graph', direction: 'down', foldGraph: false } });
      const field = page.locator('.graph-view vscode-text-field input');
      await field.fill('pool_proj');
      assert.equal(await text(page, '.graph-view .toolbar-note'), '9 of 83 layers');
      await field.press('Enter');
      assert.equal(await text(page, '.details .node-name'), 'b0/pool_proj');
      await field.press('Enter');
      assert.equal(await text(page, '.details .node-name'), 'b1/pool_proj');
      await field.press('Shift+Enter');
      await field.press('Shift+Enter');
      assert.equal(await text(page, '.details .node-name'), 'b8/pool_proj');
      // It was out of sight: the view has moved so that it lies in the middle.
      const box = (await page.locator('.graph-stage').boundingBox())!;
      // Between two ranks.
      await page.mouse.click(box.x + 5, box.y + box.height / 2 + 27);
      assert.equal(await text(page, '.details h2'), 'Overview');
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      assert.equal(await text(page, '.details .node-name'), 'b8/pool_proj');
    });

    it('and the layer table show what was selected in the other', async () => {
      const page = await open(chainView(400), { saved: { tab: 'graph', foldGraph: false } });
      await page.locator('.graph-stage').focus();
      await page.keyboard.press('End');
      await page.getByRole('tab', { name: 'Layers' }).click();
      const last = page.locator('.layers-view [role=row][aria-selected="true"]');
      await last.waitFor();
      assert.equal(await last.getAttribute('aria-rowindex'), '401');
      await page.keyboard.press('Tab');
      await page.locator('.layers-view [role=grid] [tabindex="0"]').first().focus();
      await page.keyboard.press('Control+Home');
      await page.getByRole('tab', { name: 'Graph' }).click();
      await page.evaluate('new Promise((done) => setTimeout(done, 100))');
      const box = (await page.locator('.graph-stage').boundingBox())!;
      // The first layer, which was out of sight, lies in the middle across and at the drawing's beginning.
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      assert.match(await text(page, '.graph-view .tooltip-title'), /block0\/Conv/);
    });

    it('shows a chain of 3000 layers and zooms it', async () => {
      const page = await open(chainView(), { saved: { tab: 'graph', foldGraph: false } });
      await page.locator('.graph-stage').focus();
      await page.keyboard.press('0');
      await page.keyboard.press('End');
      assert.match(await text(page, '.details .node-name'), /block2999/);
      const drawn = await page.locator('.graph-stage canvas').evaluate((canvas) => {
        const { data } = (canvas as HTMLCanvasElement)
          .getContext('2d')!
          .getImageData(0, 0, (canvas as HTMLCanvasElement).width, (canvas as HTMLCanvasElement).height);
        return data.some((value) => value !== 0);
      });
      assert.ok(drawn);
    });
  });

  describe('patches', () => {
    it('show class and halo of each patch and are walked with the keyboard', async () => {
      const view = plannedView();
      const page = await open(view, { saved: { tab: 'patches' } });
      assert.equal(await page.locator('.patch').count(), 16);
      assert.equal(await page.locator('.patch-grid .patch-outlier').count(), 4);
      await page.locator('.patch[tabindex="0"]').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowDown');
      const branch = view.plan!.branches[5];
      assert.match(await text(page, '.patch-info'), /^Branch 6 · outlier class/);
      const frame = (await page.locator('.patch-frame').boundingBox())!;
      const halo = (await page.locator('.patch-halo').boundingBox())!;
      assert.ok(Math.abs(halo.width / (frame.width - 2) - (branch.input[3] - branch.input[1])) < 0.01);
      assert.ok(Math.abs((halo.y - frame.y - 1) / (frame.height - 2) - branch.input[0]) < 0.01);
    });
  });

  describe('the host', () => {
    it('gets the commands of the buttons', async () => {
      const page = await open(plannedView());
      for (const name of ['Generate C…', 'Quantize again…', 'Open plan'])
        await page.getByRole('button', { name }).click();
      assert.deepEqual(await harness.read(page, 'commands'), ['generate', 'quantize', 'openPlan']);
    });

    it('shows progress with Cancel, and errors as one line', async () => {
      const page = await open(unquantizedView());
      await harness.send(page, 'showProgress', { stage: 'Calibrating', done: 12, total: 64 });
      assert.match(await text(page, '.banner-progress'), /Calibrating · 12 \/ 64/);
      await page.getByRole('button', { name: 'Cancel' }).click();
      assert.deepEqual(await harness.read(page, 'commands'), ['cancel']);
      await harness.send(page, 'showProgress', null);
      assert.equal(await page.locator('.banner-progress').isVisible(), false);
      await harness.send(page, 'showError', 'model.onnx is truncated: <b>byte 12</b>');
      assert.equal(await text(page, '.fatal p'), 'model.onnx is truncated: <b>byte 12</b>');
      await harness.show(page, unquantizedView());
      assert.equal(await page.locator('.fatal').count(), 0);
    });

    it('shows problems with remedies, grouped, and leads to the layer', async () => {
      const page = await open(problemView());
      assert.equal(await page.locator('.problem').count(), 3);
      await page.getByRole('button', { name: '/head/Loop_2' }).click();
      assert.equal(await text(page, '.details .node-name'), '/head/Loop_2');
      assert.equal(await page.getByRole('button', { name: 'Quantize…' }).count(), 0);
    });
  });

  describe('boards', () => {
    it('are the first answer for a new model, each with how it fits', async () => {
      const page = await open(unquantizedView());
      assert.equal(await page.getByRole('tab', { name: 'Boards' }).getAttribute('aria-selected'), 'true');
      await page.getByRole('heading', { name: 'Fits 2 of 4 boards' }).waitFor();
      const rows = page.locator('.fit-table tbody tr');
      const verdicts = await rows.evaluateAll((all) => (all as { className: string }[]).map((row) => row.className));
      assert.deepEqual(verdicts, ['fit-fits', 'fit-tight', 'fit-no', 'fit-no']);
      assert.match((await rows.nth(3).textContent()) ?? '', /needs at least 192 KiB SRAM, 1.88 MiB flash/);
    });

    it('start a quantization with the board chosen', async () => {
      const page = await open(unquantizedView());
      await page.getByRole('button', { name: 'Quantize for Raspberry Pi Pico 2 (RP2350)…' }).click();
      assert.deepEqual(await harness.changes(page), [
        ['quantizeFor', { id: 'rp2350', name: 'Raspberry Pi Pico 2 (RP2350)' }],
      ]);
    });

    it('say in the model’s words why there is no answer', async () => {
      const page = await open(null);
      await page.evaluate('window.harness.answers.fit = { error: "Too large for any board." }');
      await harness.show(page, unquantizedView());
      await page.getByRole('alert').filter({ hasText: 'Too large for any board.' }).waitFor();
    });
  });

  it('keeps tab, selection and filter when it is hidden and loaded again', async () => {
    const first = await open(plannedView());
    await first.locator('.layers-view vscode-text-field input').fill('add');
    await first.locator('.layers-view .grid-body [role=gridcell]').nth(1).click();
    await first.getByRole('tab', { name: 'Graph' }).click();
    for (let i = 0; i < 50 && ((await harness.read(first, 'saved')) as { tab?: string } | null)?.tab !== 'graph'; i++)
      await first.waitForTimeout(20);
    const second = await open(plannedView(), { saved: await harness.read(first, 'saved') });
    assert.equal(await second.getByRole('tab', { name: 'Graph' }).getAttribute('aria-selected'), 'true');
    assert.match(await text(second, '.details h2'), /Add/);
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
      await harness.show(page, view);
      for (const tab of ['Graph', 'Layers']) await page.getByRole('tab', { name: tab }).click();
      assert.equal(await text(page, '.layers-view .toolbar-note'), `${view.model.layers.length} layers`);
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
    assert.equal(await text(page, 'h1'), hostileNames[1].split('/').pop());
    for (const tab of ['Graph', 'Patches', 'Problems', 'Layers']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.mouse.move(400, 500);
    }
    const box = (await page.locator('.memory-chart').boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + box.height - 50);
    assert.equal(await text(page, '.memory-chart .tooltip-title'), hostileNames[0]);
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
    await harness.setTheme(page, 'light');
    assert.ok((await brightness()) > dark + 60);
  });

  describe('accessibility', () => {
    it('help opens by Alt+F1, is free of faults, and gives the focus back', async () => {
      const page = await open(plannedView(), { saved: { tab: 'layers' } });
      const tab = page.getByRole('tab', { name: 'Layers' });
      await tab.focus();
      await page.keyboard.press('Alt+F1');
      await page.getByRole('dialog', { name: 'Accessibility help' }).waitFor();
      await page.evaluate(axe.source);
      assert.deepEqual(await serious(page, '.help'), []);
      await page.keyboard.press('Escape');
      assert.equal(await page.getByRole('dialog').count(), 0);
      assert.equal(await tab.evaluate((element) => element === document.activeElement), true);
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
        await page.evaluate(axe.source);
        assert.deepEqual(await serious(page, 'body'), [], 'the whole page');
        for (const tab of ['Graph', 'Patches', 'Problems']) {
          await page.getByRole('tab', { name: tab }).click();
          assert.deepEqual(await serious(page, '.panels'), [], tab);
        }
        await harness.send(page, 'showOutcome', sampleOutcome());
        await harness.show(page, plannedView());
        await page.getByRole('tab', { name: 'Boards' }).click();
        await page.locator('.fit-table').waitFor();
        assert.deepEqual(await serious(page, 'body'), [], 'boards and a result');
        await harness.send(page, 'showGenerated', sampleGenerated());
        assert.deepEqual(await serious(page, '.banners'), [], 'generated sources');
        await page.getByRole('tab', { name: 'Layers' }).click();
        await page.getByRole('button', { name: 'Show as table' }).click();
        assert.deepEqual(await serious(page, '.dock'), [], 'memory table');
      });
    }
  });

  describe('a search that goes on', () => {
    it('shows the plans it has tried and the fastest that keeps to the budget, until it ends', async () => {
      const page = await open(plannedView());
      const tell = (tried: readonly TriedPlan[]): Promise<unknown> =>
        harness.send(page, 'showProgress', {
          stage: 'Fitting weights',
          done: 1,
          total: 4,
          overall: { step: 4, steps: 4, share: 0.5, msLeft: null, tried },
        });
      const all = sampleTried();
      await tell(all.slice(1, 2));
      assert.match(await text(page, '.search-curve'), /1 plan tried; it does not keep to 1\.00/);
      await tell(all);
      assert.match(await text(page, '.search-curve'), /5 plans tried; fastest within 1\.00: 274 ms, loss 0\.92/);
      assert.equal(await page.locator('.search-kept').count(), 2);
      assert.equal(await page.locator('.search-over').count(), 2);
      await harness.send(page, 'showProgress', null);
      assert.equal(await page.locator('.search-curve').isVisible(), false);
    });
  });

  describe('generated sources', () => {
    it('are told with totals and the code that runs them, and lead on', async () => {
      const page = await open(plannedView());
      await harness.send(page, 'showGenerated', sampleGenerated());
      const card = await text(page, '.outcome:not([hidden])');
      assert.match(card, /C sources in firmware\/lib\/mobilenetv2/);
      assert.match(card, /SRAM 183 KiB/);
      assert.match(card, /Flash 1\.86 MiB/);
      assert.match(card, /mobilenetv2_run\(const void \*input\)/);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('button', { name: 'Insert into main.c' }).click();
      await page.getByRole('button', { name: 'Open Header' }).click();
      await page.getByRole('button', { name: 'Run on Emulator…' }).click();
      assert.deepEqual(await harness.read(page, 'changes'), [
        ['copyText', sampleGenerated().code],
        ['insertUsage'],
        ['openHeader'],
      ]);
      assert.deepEqual(await harness.read(page, 'commands'), ['selftest']);
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
      await harness.show(page, plannedView());
      await page.getByRole('button', { name: 'Generate again into fw' }).click();
      assert.deepEqual(await harness.read(page, 'commands'), ['generateAgain']);
    });
  });

  describe('after all of this', () => {
    it('the Content-Security-Policy has refused nothing', () => assert.deepEqual(violations, []));
    it('no exception went uncaught', () => assert.deepEqual(errors, []));
  });

  /** Serious and critical findings of axe-core, as short lines. */
  async function serious(page: Page, part: string): Promise<string[]> {
    return page.evaluate(async (selector) => {
      const run = await (window as unknown as { axe: typeof axe }).axe.run(selector, { resultTypes: ['violations'] });
      return run.violations
        .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
        .flatMap((violation) =>
          violation.nodes
            .slice(0, 4)
            .map((node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`),
        );
    }, part);
  }
});
