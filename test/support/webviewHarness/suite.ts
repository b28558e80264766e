import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { EditorView } from '../../../src/protocol/views';
import { Harness } from './harness';

/**
 * The editor's page for the tests of the suite that makes this: one browser, skipped where there is none, and pages
 * that each test opens. After every test nothing may have gone uncaught, or been refused by the
 * Content-Security-Policy.
 */
export class PageSuite {
  harness!: Harness;
  private readonly pages: Page[] = [];

  constructor() {
    const start = async (suite: Mocha.Context): Promise<void> => {
      this.harness = await Harness.startOrSkip(suite);
    };
    before(function () {
      return start(this);
    });
    after(() => (this.harness as Harness | undefined)?.close());
    afterEach(async () => {
      for (const page of this.pages.splice(0)) {
        assert.deepEqual(await this.harness.read(page, 'violations'), []);
        assert.deepEqual(this.harness.errorsOf(page), []);
        await page.context().close();
      }
    });
  }

  async open(view: EditorView | null, options: Parameters<Harness['open']>[1] = {}): Promise<Page> {
    const page = await this.harness.open(view, options);
    this.pages.push(page);
    return page;
  }

  /** Opens a page whose host gives these answers, by method, and shows the view in it. */
  async openWith(
    view: EditorView,
    answers: Record<string, unknown>,
    options: Parameters<Harness['open']>[1] = {},
  ): Promise<Page> {
    const page = await this.open(null, options);
    await this.answer(page, answers);
    await this.harness.show(page, view);
    return page;
  }

  /** What the host answers from now on, by method. */
  async answer(page: Page, answers: Record<string, unknown>): Promise<void> {
    await page.evaluate(
      (given) => Object.assign((globalThis as unknown as { harness: { answers: object } }).harness.answers, given),
      answers,
    );
  }
}

/** The text of the first element, spaces and line ends folded. */
export async function textIn(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');
}

/** Serious and critical findings of axe-core in a part of the page, as short lines. */
export async function seriousFindings(page: Page, part: string): Promise<string[]> {
  // Evaluated through the debugger: the page's policy would refuse it as a script of the page.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async (selector) => {
    const run = await (globalThis as unknown as { axe: typeof axe }).axe.run(selector, { resultTypes: ['violations'] });
    return run.violations
      .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
      .flatMap((violation) =>
        violation.nodes
          .slice(0, 4)
          .map((node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`),
      );
  }, part);
}
