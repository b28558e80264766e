/** The plans that a search has tried, while it goes on: loss against time, with what is allowed. */
import type { TriedPlan } from '../src/engine/common/progress';
import { fill, h, svg } from './dom';
import { millisecondsText, plain } from './format';
import { t } from './l10n';

const WIDTH = 320;
const HEIGHT = 84;
const LEFT = 6;
const BOTTOM = 18;
const TOP = 8;

/** The fastest within what is allowed; null: there is none. */
function bestOf(tried: readonly TriedPlan[]): TriedPlan | null {
  return tried
    .filter(({ loss, budget }) => loss <= budget)
    .reduce<TriedPlan | null>((best, p) => (best === null || p.instructions < best.instructions ? p : best), null);
}

export class SearchCurve {
  readonly element = h('div', { class: 'search-curve' });
  private count = 0;

  constructor() {
    this.element.hidden = true;
  }

  /** Draws what is new. */
  render(tried: readonly TriedPlan[]): void {
    this.element.hidden = tried.length === 0;
    if (tried.length === this.count) return;
    this.count = tried.length;
    if (tried.length > 0) fill(this.element, drawing(tried), h('span', { class: 'muted' }, summary(tried)));
  }
}

function costText({ ms, instructions }: TriedPlan): string {
  return ms === null ? t('{0} M instructions', plain(instructions / 1e6, 1)) : millisecondsText(ms);
}

function summary(tried: readonly TriedPlan[]): string {
  const best = bestOf(tried);
  if (tried.length === 1 && best === null) return t('1 plan tried, not within {0}', plain(tried[0].budget, 2));
  return best === null
    ? t('{0} plans tried, none within {1} yet', tried.length, plain(tried[0].budget, 2))
    : t(
        '{0} plans tried; fastest within {1}: {2}, loss {3}',
        tried.length,
        plain(best.budget, 2),
        costText(best),
        plain(best.loss, 2),
      );
}

function drawing(tried: readonly TriedPlan[]): SVGElement {
  const [{ budget }] = tried;
  const best = bestOf(tried);
  const times = tried.map(({ instructions }) => instructions);
  const slow = Math.max(...times);
  const fast = Math.min(...times);
  // Losses far beyond what is allowed would flatten the rest.
  const most = Math.min(Math.max(...tried.map(({ loss }) => loss), 1.5 * budget), 4 * Math.max(budget, 0.01));
  const x = (n: number): number =>
    LEFT + 8 + (WIDTH - 2 * LEFT - 16) * (slow > fast ? (n - fast) / (slow - fast) : 0.5);
  const y = (loss: number): number => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * Math.min(1, Math.max(0, loss) / most);
  const label = (text: string, at: number, height: number, anchor: 'start' | 'end'): SVGElement => {
    const element = svg('text', { x: at, y: height, 'text-anchor': anchor, class: 'search-label' });
    element.textContent = text;
    return element;
  };
  return svg(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      width: WIDTH,
      height: HEIGHT,
      role: 'img',
      'aria-label': t('Loss against time'),
    },
    svg('path', { class: 'search-axis', d: `M${LEFT} ${TOP - 4}V${HEIGHT - BOTTOM}H${WIDTH - LEFT}` }),
    svg('path', { class: 'search-budget', d: `M${LEFT} ${y(budget)}H${WIDTH - LEFT}` }),
    label(t('allowed: {0}', plain(budget, 2)), WIDTH - LEFT, y(budget) - 4, 'end'),
    ...tried.map((plan) =>
      svg('circle', {
        class: plan === best ? 'search-best' : plan.loss <= budget ? 'search-kept' : 'search-over',
        cx: x(plan.instructions),
        cy: y(plan.loss),
        r: plan === best ? 5 : 3.5,
      }),
    ),
    label(costText(tried[times.indexOf(fast)]), LEFT, HEIGHT - 5, 'start'),
    ...(slow > fast ? [label(costText(tried[times.indexOf(slow)]), WIDTH - LEFT, HEIGHT - 5, 'end')] : []),
  );
}
