/** Pictures of the page in all themes, to be looked at: `node test/support/screenshots.mjs`. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { EditorView, SampleImageView } from '../../../src/protocol/views';
import { Harness } from './harness';
import {
  boards,
  detailsAnswers,
  otherPlan,
  sampleFit,
  sampleGenerated,
  sampleOutcome,
  samplePreview,
  sampleTried,
  tradeOffAnswers,
} from './answers';
import { detectionsAnswers, detectorView } from './detector';
import { branchedView, chainView, plannedView, problemView, unquantizedView } from './samples';
import { themeNames, type ThemeName } from './themes';

interface Picture {
  readonly name: string;
  readonly view: () => EditorView;
  readonly saved?: Readonly<Record<string, unknown>>;
  readonly themes?: readonly ThemeName[];
  readonly width?: number;
  readonly height?: number;
  /** What the host answers, by method. */
  readonly answers?: Readonly<Record<string, unknown>>;
  /** What the host tells the page after the view. */
  readonly calls?: readonly (readonly [string, unknown])[];
  readonly before?: (page: Page) => Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: 'layers', view: () => plannedView(), saved: { tab: 'layers', selected: 5 } },
  { name: 'graph', view: () => plannedView(), saved: { tab: 'graph', selected: 7 } },
  { name: 'graph-whole', view: () => plannedView(), saved: { tab: 'graph' }, width: 1400, height: 900 },
  {
    name: 'graph-folded',
    view: () => plannedView(),
    saved: { tab: 'graph', foldGraph: true, selected: 30, unfolded: ['18-25'] },
  },
  { name: 'graph-chain', view: () => chainView(1000), saved: { tab: 'graph', unfolded: ['1-994'] }, themes: ['dark'] },
  { name: 'graph-right', view: () => plannedView(), saved: { tab: 'graph', direction: 'right' }, themes: ['dark'] },
  {
    name: 'patches',
    view: () => plannedView(),
    saved: { tab: 'patches', branch: 5, dockOpen: false, detailsOpen: false },
  },
  {
    name: 'patches-image',
    view: () => plannedView(),
    saved: { tab: 'patches', branch: 5, dockOpen: false, detailsOpen: false },
    answers: { sampleImage: { value: gradient() } },
  },
  {
    name: 'boxes',
    view: () => detectorView(),
    saved: { tab: 'detections', dockOpen: false },
    answers: detectionsAnswers(),
  },
  {
    name: 'boxes-narrow',
    view: () => detectorView(),
    saved: { tab: 'detections', dockOpen: false },
    answers: detectionsAnswers(),
    themes: ['dark'],
    width: 560,
    height: 640,
  },
  { name: 'bits-menu', view: () => plannedView(), saved: { tab: 'layers', selected: 6 }, before: openBitsMenu },
  { name: 'patches-small', view: () => plannedView(), saved: { tab: 'patches', branch: 0 }, themes: ['dark'] },
  {
    name: 'memory-table',
    view: () => plannedView(),
    saved: { tab: 'layers', memoryMode: 'table', dockHeight: 330 },
    themes: ['dark'],
  },
  {
    name: 'memory',
    view: () => plannedView(),
    saved: { tab: 'layers', dockHeight: 460, selected: 4 },
    themes: ['dark', 'light'],
    before: hoverMemory,
  },
  {
    name: 'memory-tail',
    view: () => plannedView(),
    saved: { tab: 'layers', dockHeight: 380, memoryRange: [205, 258] },
    themes: ['dark'],
  },
  { name: 'unquantized', view: unquantizedView, saved: { selected: 3 }, themes: ['dark', 'light'] },
  {
    name: 'outcome',
    view: () => plannedView(),
    saved: { tab: 'layers' },
    calls: [['showOutcome', sampleOutcome()]],
  },
  {
    name: 'generated',
    view: () => plannedView(),
    saved: { tab: 'layers' },
    answers: { generatedInto: { value: 'firmware' } },
    calls: [['showGenerated', sampleGenerated()]],
  },
  {
    name: 'grid-menu',
    view: () => plannedView(),
    saved: { tab: 'layers' },
    answers: { previewChange: { value: samplePreview() } },
    themes: ['dark', 'light'],
    before: openGrids,
  },
  {
    name: 'running',
    view: () => plannedView(),
    saved: { tab: 'graph' },
    calls: [
      [
        'showProgress',
        {
          stage: 'Compensating errors',
          done: 12,
          total: 64,
          overall: { step: 4, steps: 4, share: 0.6, msLeft: 95_000, tried: sampleTried() },
        },
      ],
    ],
    themes: ['dark'],
  },
  { name: 'fit', view: unquantizedView, answers: { fit: { value: sampleFit() } }, saved: { detailsOpen: false } },
  {
    name: 'fit-first',
    view: unquantizedView,
    answers: { fit: { isOpen: true } },
    saved: { detailsOpen: false },
  },
  { name: 'problems', view: problemView },
  { name: 'inception', view: () => branchedView(), saved: { tab: 'graph', detailsOpen: false }, themes: ['dark'] },
  { name: 'chain', view: () => chainView(), saved: { tab: 'graph' }, themes: ['dark'] },
  {
    name: 'tradeoff',
    view: () => plannedView(),
    saved: { tab: 'tradeOff', dockOpen: false, detailsOpen: false },
    answers: tradeOffAnswers(),
  },
  {
    name: 'tradeoff-memory',
    view: () => plannedView(),
    saved: { tab: 'tradeOff', tradeOff: 'memory', dockOpen: false, detailsOpen: false },
    answers: tradeOffAnswers(),
    themes: ['dark', 'light'],
  },
  {
    name: 'tradeoff-phi',
    view: () => plannedView(),
    saved: { tab: 'tradeOff', tradeOff: 'phi', dockOpen: false, detailsOpen: false },
    answers: tradeOffAnswers(),
    themes: ['dark', 'high-contrast'],
  },
  {
    name: 'tradeoff-empty',
    view: () => plannedView(),
    saved: { tab: 'tradeOff', detailsOpen: false },
    answers: { tradeOff: tradeOffAnswers()['tradeOff'] },
    themes: ['dark'],
  },
  {
    name: 'tradeoff-small',
    view: () => plannedView(),
    saved: { tab: 'tradeOff', tradeOff: 'phi' },
    answers: tradeOffAnswers(),
    themes: ['light'],
    width: 920,
    height: 680,
  },
  {
    name: 'details',
    view: () => plannedView(),
    saved: { tab: 'graph', selected: 6, detailsWidth: 330 },
    answers: detailsAnswers(),
    before: scrollDetails,
  },
  {
    name: 'compare',
    view: () => plannedView(),
    saved: { tab: 'layers', dockOpen: false, detailsOpen: false },
    answers: { otherPlan: { value: otherPlan() } },
    before: openComparison,
  },
  {
    name: 'compare-small',
    view: () => ({ ...plannedView(), plan: { ...plannedView().plan!, unfitted: true } }),
    saved: { tab: 'layers' },
    answers: { otherPlan: { value: otherPlan() } },
    before: openComparison,
    width: 920,
    height: 680,
  },
  {
    name: 'board-menu',
    view: () => plannedView(),
    saved: { tab: 'layers' },
    answers: { targets: { value: boards() } },
    themes: ['dark'],
    before: openBoards,
  },
  { name: 'wide', view: () => plannedView(), saved: { tab: 'layers', selected: 5 }, width: 1920, height: 1080 },
  {
    name: 'wide-graph',
    view: () => plannedView(),
    saved: { tab: 'graph', selected: 5 },
    width: 1920,
    height: 1080,
    themes: ['light'],
  },
  {
    name: 'narrow',
    view: () => plannedView(),
    saved: { tab: 'layers', detailsOpen: false },
    themes: ['dark'],
    width: 560,
    height: 640,
  },
];

/** A sample image: a disc on a gradient. */
function gradient(side = 96): SampleImageView {
  const rgba = Uint8Array.from({ length: side * side * 4 }, (_, i) => {
    const [x, y, k] = [(i >> 2) % side, Math.floor((i >> 2) / side), i & 3];
    const inside = Math.hypot(x - side / 2, y - side / 2) < side / 4;
    return k === 3 ? 255 : inside ? [230, 190, 90][k] : 40 + ((x + y) * 100) / side;
  });
  // A ring of outliers where the disc's edge is.
  const shares = Uint8Array.from({ length: 112 * 112 }, (_, i) => {
    const distance = Math.abs(Math.hypot((i % 112) - 56, Math.floor(i / 112) - 56) - 28);
    return distance < 1.2 ? 90 : distance < 2.2 && i % 3 === 0 ? 20 : 0;
  });
  return {
    name: 'images/disc.png',
    width: side,
    height: side,
    rgba,
    outliers: { phi: 0.96, width: 112, height: 112, shares },
  };
}

async function openBitsMenu(page: Page): Promise<void> {
  await page.getByRole('button', { name: /output$/ }).click();
}

async function openBoards(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Board/ }).click();
  await page.getByRole('menu').waitFor();
}

async function openGrids(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Patches/ }).click();
  await page.locator('.menu-figures').last().filter({ hasText: 'SRAM' }).waitFor();
}

async function openComparison(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Compare…' }).click();
  await page.getByRole('menuitemradio', { name: /8 bits/ }).click();
  await page.locator('.compare-figures').waitFor();
}

async function scrollDetails(page: Page): Promise<void> {
  await page.locator('.distribution').first().scrollIntoViewIfNeeded();
  await page.locator('.details-body').evaluate('(body) => { body.scrollTop += 330; }');
}

async function hoverMemory(page: Page): Promise<void> {
  const box = (await page.locator('.memory-chart').boundingBox())!;
  await page.mouse.move(box.x + 300, box.y + box.height - 60);
}

/** What a page of another size has shows up within so long. */
const SOON_MS = 5000;

interface HarnessGlobal {
  readonly harness: { readonly answers: object };
}

/**
 * @param only beginnings of pictures' names; none: all
 * @param size instead of each picture's own
 */
export async function takeScreenshots(
  folder: string,
  only: readonly string[],
  size?: { readonly width: number; readonly height: number },
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const harness = await Harness.start();
  try {
    for (const picture of pictures.filter((p) => only.length === 0 || only.some((name) => p.name.startsWith(name)))) {
      for (const theme of picture.themes ?? themeNames.slice(0, 3)) {
        const page = await harness.open(null, {
          theme,
          saved: picture.saved,
          width: size?.width ?? picture.width,
          height: size?.height ?? picture.height,
        });
        await page.evaluate(
          (answers) => Object.assign((globalThis as unknown as HarnessGlobal).harness.answers, answers),
          picture.answers ?? {},
        );
        await harness.show(page, picture.view());
        for (const [method, value] of picture.calls ?? []) await harness.send(page, method, value);
        if (size) page.setDefaultTimeout(SOON_MS);
        try {
          await picture.before?.(page);
        } catch (error) {
          // What is to be pressed may have no room at another size.
          if (!size) throw error;
          console.log(`${picture.name}, ${theme}: as it comes, ${(error as Error).message.split('\n')[0]}`);
        }
        await page.waitForTimeout(150);
        await page.screenshot({
          path: path.join(folder, `${picture.name}-${theme}${size ? `-${String(size.width)}` : ''}.png`),
        });
        await page.context().close();
      }
    }
  } finally {
    await harness.close();
  }
}
