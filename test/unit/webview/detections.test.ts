/* Boxes of a detector in the page: side by side, by score, image by image, after a change of the plan. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { pairBoxes } from '../../../webview/detections/pairs';
import { detectionsAnswers, detectorView, sampleDetections } from '../../support/webviewHarness/detector';
import { PageSuite, seriousFindings } from '../../support/webviewHarness/suite';
import { plannedView } from '../../support/webviewHarness/samples';

describe('boxes in the editor page', function () {
  const suite = new PageSuite();
  let page: Page;
  const open = async (): Promise<void> => {
    page = await suite.openWith(detectorView(), detectionsAnswers(), { saved: { tab: 'detections' } });
    await page.locator('.detections-body').waitFor();
  };
  const answer = (answers: Record<string, unknown>): Promise<void> => suite.answer(page, answers);
  const label = async (side: string): Promise<string> =>
    (await page.locator('figure', { hasText: side }).locator('canvas').getAttribute('aria-label'))!;
  const rows = (): Promise<string[]> =>
    page
      .locator('.detections-list tbody tr')
      .evaluateAll((list) => list.map((r) => [...r.children].map((c) => c.textContent).join(' ')));

  it('pairs boxes of one class that overlap', () => {
    const { float, firmware } = sampleDetections();
    const pairs = pairBoxes(float, firmware);
    assert.deepEqual(
      pairs.map((p) => [p.float?.label ?? null, p.firmware?.label ?? null]),
      [
        [3, 3],
        [1, 1],
        [null, 5],
        [2, null],
        [4, null],
      ],
    );
    assert.ok(Math.abs(pairs[0].overlap - (0.35 * 0.34) / (0.36 * 0.36 + 0.36 * 0.34 - 0.35 * 0.34)) < 1e-9);
  });

  it('draws both networks and lists their boxes, at the head’s score', async () => {
    await open();
    assert.equal(await label('Float'), 'Float: dog 0.91, car 0.77, cat 0.34');
    assert.equal(await label('Firmware'), 'Firmware: dog 0.88, car 0.71, sofa 0.41');
    assert.deepEqual(await rows(), ['dog 0.91 0.88 89.5 %', 'car 0.77 0.71 89.9 %', 'sofa – 0.41 –', 'cat 0.34 – –']);
    assert.match(
      await page.locator('.detections-summary').innerText(),
      /2 boxes found by both.*2 known boxes are dotted/,
    );
    const painted = await page
      .locator('figure canvas')
      .first()
      .evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        return new Set((canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height).data).size;
      });
    assert.ok(painted > 20);
  });

  it('follows the score slider by keyboard', async () => {
    await open();
    const slider = page.getByLabel('Score threshold');
    await slider.focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight');
    assert.equal(await page.locator('.detections-score').innerText(), '0.42');
    assert.deepEqual((await rows()).length, 2);
    await slider.fill('5');
    assert.equal((await rows()).length, 5);
  });

  it('goes to another image, and asks again when the plan changes', async () => {
    await open();
    await answer({ detections: { value: sampleDetections(23) } });
    await page.getByRole('button', { name: 'Previous image' }).click();
    await page.getByText('24 of 24').waitFor();
    await answer({ detections: { value: { ...sampleDetections(23), firmware: [] } } });
    await suite.harness.show(page, detectorView());
    await page.getByText('0 boxes found by both').waitFor();
    assert.equal(await label('Firmware'), 'Firmware: no boxes');
  });

  it('says what is missing where there are no images', async () => {
    await open();
    await answer({ detections: { value: null } });
    await suite.harness.show(page, detectorView());
    await page.getByText(/calibration images of this plan are not on this machine/).waitFor();
  });

  it('tells mean average precision in the header and by class', async () => {
    await open();
    const header = (await page.locator('.figure', { hasText: 'mAP@0.5' }).innerText()).replace(/\s+/g, ' ');
    assert.match(header, /mAP@0.5 54.1 % −1.1 points, on 208 images/);
    const classes = await page.locator('.detections-classes tbody tr').allInnerTexts();
    assert.equal(classes[1].replace(/\s+/g, ' ').trim(), 'dog 68.0 % 67.0 % 206');
    assert.match(classes[3], /mAP@0.5/);
    await page.getByText('Detection head').waitFor();
  });

  it('has no such tab for other networks', async () => {
    page = await suite.open(plannedView(), { saved: { tab: 'detections' } });
    assert.equal(await page.getByRole('tab', { name: 'Boxes' }).count(), 0);
    assert.equal(await page.getByRole('tab', { selected: true }).innerText(), 'Layers');
  });

  it('is accessible', async () => {
    await open();
    assert.deepEqual(await seriousFindings(page, '.detections-view'), []);
  });
});
