/* The editor's page in a headless Chromium: layers, figures and memory, graph, patches, by mouse and keyboard. */
import assert from 'node:assert/strict';
import type { BufferView, EditorView } from '../../../src/protocol/views';
import { timelineOf } from '../../../webview/memory/timeline';
import { PageSuite, textIn } from '../../support/webviewHarness/suite';
import { branchedView, chainView, plannedView, unquantizedView } from '../../support/webviewHarness/samples';

describe('views of the editor page', () => {
  const suite = new PageSuite();
  const open = suite.open.bind(suite);

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
      assert.equal(
        await textIn(page, '.layers-view .toolbar-note'),
        `${expected} of ${view.model.layers.length} layers`,
      );
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
      assert.match(await textIn(page, '.details h2'), /Conv/);
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
      assert.match(await textIn(page, '.figure'), new RegExp(`SRAM peak ${kib} of 320 KiB`));
      assert.match(await textIn(page, '.memory-view .toolbar-note'), new RegExp(`^peak ${kib}`));
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
      assert.equal(await textIn(page, '.memory-chart .tooltip-title'), buffer.name);
      await page.mouse.click(box.x + x, box.y + y);
      assert.equal(await textIn(page, '.details .node-name'), view.model.layers[buffer.layer].name);
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
      assert.equal(await textIn(page, '.details .node-name'), view.model.layers[view.plan!.steps[1].layer].name);
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
      assert.equal(await textIn(page, '.details .node-name'), view.model.layers[2].name);
      await page.keyboard.press('ArrowUp');
      assert.match(
        await page.locator('body > .sr-only').innerText(),
        /^Depthwise 3×3 .*4 bits, patch stage, 1 inputs, 1 readers/,
      );
      await page.keyboard.press('End');
      assert.equal(await textIn(page, '.details .node-name'), view.model.layers[view.model.layers.length - 1].name);
    });

    it('selects what is clicked, and search goes from match to match', async () => {
      const view = branchedView();
      const page = await open(view, { saved: { tab: 'graph', direction: 'down', foldGraph: false } });
      const field = page.locator('.graph-view vscode-text-field input');
      await field.fill('pool_proj');
      assert.equal(await textIn(page, '.graph-view .toolbar-note'), '9 of 83 layers');
      await field.press('Enter');
      assert.equal(await textIn(page, '.details .node-name'), 'b0/pool_proj');
      await field.press('Enter');
      assert.equal(await textIn(page, '.details .node-name'), 'b1/pool_proj');
      await field.press('Shift+Enter');
      await field.press('Shift+Enter');
      assert.equal(await textIn(page, '.details .node-name'), 'b8/pool_proj');
      // It was out of sight: the view has moved so that it lies in the middle.
      const box = (await page.locator('.graph-stage').boundingBox())!;
      // Between two ranks.
      await page.mouse.click(box.x + 5, box.y + box.height / 2 + 27);
      assert.equal(await textIn(page, '.details h2'), 'Overview');
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      assert.equal(await textIn(page, '.details .node-name'), 'b8/pool_proj');
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
      assert.match(await textIn(page, '.graph-view .tooltip-title'), /block0\/Conv/);
    });

    it('shows a chain of 3000 layers and zooms it', async () => {
      const page = await open(chainView(), { saved: { tab: 'graph', foldGraph: false } });
      await page.locator('.graph-stage').focus();
      await page.keyboard.press('0');
      await page.keyboard.press('End');
      assert.match(await textIn(page, '.details .node-name'), /block2999/);
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
      assert.match(await textIn(page, '.patch-info'), /^Branch 6 · outlier class/);
      const frame = (await page.locator('.patch-frame').boundingBox())!;
      const halo = (await page.locator('.patch-halo').boundingBox())!;
      assert.ok(Math.abs(halo.width / (frame.width - 2) - (branch.input[3] - branch.input[1])) < 0.01);
      assert.ok(Math.abs((halo.y - frame.y - 1) / (frame.height - 2) - branch.input[0]) < 0.01);
    });
  });
});
