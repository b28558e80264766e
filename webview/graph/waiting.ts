import { fill, h } from '../dom';
import { plain } from '../format';
import { t } from '../l10n';
import { progressRing } from '../ui';

/** Says that a layout takes its time, or why there is none. */
export class Waiting {
  readonly element = h('div', { class: 'graph-waiting', role: 'status' });

  constructor() {
    this.element.hidden = true;
  }

  /** Waits for a layout; only one that takes longer than a moment is announced. @returns whether it came */
  async during(layout: Promise<unknown>, nodes: number): Promise<boolean> {
    const timer = window.setTimeout(() => {
      this.element.hidden = false;
      fill(this.element, progressRing(t('Laying out')), t('Laying out {0} layers…', plain(nodes, 0)));
    }, 200);
    try {
      await layout;
      this.element.hidden = true;
      return true;
    } catch (error) {
      this.element.hidden = false;
      fill(this.element, t('The graph cannot be drawn: {0}', error instanceof Error ? error.message : String(error)));
      return false;
    } finally {
      window.clearTimeout(timer);
    }
  }
}
