/** Pictures of the page in all themes, to be looked at: `node test/support/screenshots.mjs`. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { EditorView } from '../../../src/protocol/views';
import { Harness } from './harness';
import { branchedView, chainView, plannedView, problemView, unquantizedView } from './samples';
import { themeNames, type ThemeName } from './themes';

interface Picture {
  readonly name: string;
  readonly view: () => EditorView;
  readonly saved?: Readonly<Record<string, unknown>>;
  readonly themes?: readonly ThemeName[];
  readonly width?: number;
  readonly height?: number;
  readonly before?: (page: Page) => Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: 'layers', view: () => plannedView(), saved: { tab: 'layers', selected: 5 } },
  { name: 'graph', view: () => plannedView(), saved: { tab: 'graph', selected: 7 } },
  { name: 'graph-right', view: () => plannedView(), saved: { tab: 'graph', direction: 'right' }, themes: ['dark'] },
  { name: 'patches', view: () => plannedView(), saved: { tab: 'patches', branch: 5, dockOpen: false, detailsOpen: false } },
  { name: 'patches-small', view: () => plannedView(), saved: { tab: 'patches', branch: 0 }, themes: ['dark'] },
  { name: 'memory-table', view: () => plannedView(), saved: { tab: 'layers', memoryMode: 'table', dockHeight: 330 }, themes: ['dark'] },
  { name: 'memory', view: () => plannedView(), saved: { tab: 'layers', dockHeight: 460, selected: 4 }, themes: ['dark', 'light'], before: hoverMemory },
  { name: 'memory-tail', view: () => plannedView(), saved: { tab: 'layers', dockHeight: 380, memoryRange: [205, 258] }, themes: ['dark'] },
  { name: 'unquantized', view: unquantizedView, saved: { selected: 3 }, themes: ['dark', 'light'] },
  { name: 'problems', view: problemView },
  { name: 'inception', view: () => branchedView(), saved: { tab: 'graph', detailsOpen: false }, themes: ['dark'] },
  { name: 'chain', view: () => chainView(), saved: { tab: 'graph' }, themes: ['dark'] },
  { name: 'narrow', view: () => plannedView(), saved: { tab: 'layers', detailsOpen: false }, themes: ['dark'], width: 560, height: 640 },
];

async function hoverMemory(page: Page): Promise<void> {
  const box = (await page.locator('.memory-chart').boundingBox())!;
  await page.mouse.move(box.x + 300, box.y + box.height - 60);
}

export async function takeScreenshots(folder: string, only: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const harness = await Harness.start();
  try {
    for (const picture of pictures.filter((p) => only.length === 0 || only.some((name) => p.name.startsWith(name)))) {
      for (const theme of picture.themes ?? themeNames.slice(0, 3)) {
        const page = await harness.open(picture.view(), { theme, saved: picture.saved, width: picture.width, height: picture.height });
        await picture.before?.(page);
        await page.waitForTimeout(150);
        await page.screenshot({ path: path.join(folder, `${picture.name}-${theme}.png`) });
        await page.context().close();
      }
    }
  } finally {
    await harness.close();
  }
}
