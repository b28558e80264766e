import type { OutcomeView } from '../src/protocol/editor';
import type { PlanView } from '../src/protocol/views';
import { boardText } from './boardText';
import type { Context } from './context';
import { h, type Child } from './dom';
import { bytesText, millisecondsText, percent, plain } from './format';
import { t } from './l10n';
import { PlanCard } from './planCard';
import { button } from './ui';

/** What a quantization came to, in one card: before and after, what limited it, and what to do next. */
export class OutcomeCard extends PlanCard<OutcomeView> {
  constructor(context: Context) {
    super(context, t('Result'));
  }

  protected content(outcome: OutcomeView, plan: PlanView): Child[] {
    const { host } = this.context;
    return [
      this.head(t('Plan for {0}', boardText(plan.target)), t('{0} s', plain(outcome.seconds.total, 0))),
      h('dl', { class: 'outcome-changes' }, ...changes(plan).flatMap(changeElements), ...accuracy(plan, outcome)),
      h(
        'div',
        { class: 'outcome-foot' },
        h('p', { class: 'outcome-limit' }, limitText(plan, outcome)),
        h(
          'div',
          { class: 'outcome-next' },
          button(t('Generate C…'), 'primary', () => void host.runCommand('generate'), 'code'),
          outcome.limitedBy === 'reduction'
            ? button(t('Weigh other plans'), 'secondary', () => this.context.store.update({ tab: 'tradeOff' }))
            : button(t('Try a larger budget…'), 'secondary', () => void host.runCommand('largerBudget')),
        ),
      ),
      this.notes(outcome.notes.length === 1 ? t('1 note') : t('{0} notes', outcome.notes.length), outcome.notes),
    ];
  }
}

interface Change {
  readonly label: string;
  readonly before: string | null;
  readonly after: string;
}

/** The plan against the same network at 8 bits layer by layer. */
function changes({ figures }: PlanView): Change[] {
  const { int8Layerwise: before } = figures;
  const time = (ms: number | null): string | null => (ms === null ? null : millisecondsText(ms));
  return [
    { label: t('SRAM'), before: bytesText(before.arenaBytes), after: bytesText(figures.arenaBytes) },
    { label: t('Flash'), before: bytesText(before.flashBytes), after: bytesText(figures.flashBytes) },
    {
      label: t('Time (estimate)'),
      before: time(before.latencyMs),
      after: time(figures.latencyMs) ?? t('no estimate'),
    },
  ];
}

function changeElements({ label, before, after }: Change): HTMLElement[] {
  return [
    h(
      'div',
      {},
      h('dt', { title: t('8 bits, layer by layer → this plan') }, label),
      h('dd', {}, before === null ? null : h('span', { class: 'muted' }, `${before} → `), h('strong', {}, after)),
    ),
  ];
}

/** Measured on labelled images where there is such a measurement, else what is expected. */
function accuracy({ figures }: PlanView, { loss }: OutcomeView): Child[] {
  const measured = figures.accuracy;
  const entry = (label: string, value: Child, about: string): HTMLElement =>
    h('div', {}, h('dt', {}, label), h('dd', {}, value, h('span', { class: 'muted' }, ` ${about}`)));
  if (measured?.quantizedTop1 != null && measured.floatTop1 !== null) {
    const [low, high] = wilson(measured.quantizedTop1, measured.images);
    return [
      entry(
        t('Top-1 accuracy'),
        h(
          'span',
          {},
          h('span', { class: 'muted' }, `${percent(measured.floatTop1)} → `),
          h('strong', {}, percent(measured.quantizedTop1)),
        ),
        t('({0} to {1}, {2} images)', percent(low), percent(high), plain(measured.images, 0)),
      ),
    ];
  }
  if (loss === null) return [entry(t('Accuracy'), h('strong', {}, '–'), t('not evaluated'))];
  const { expected, interval, images, unit } = loss;
  return [
    entry(
      t('Expected loss'),
      h('strong', {}, `${plain(expected, 2)} ${unit}`),
      interval === null
        ? t('({0} images)', images)
        : t('({0} to {1}, {2} images)', plain(interval.low, 2), plain(interval.high, 2), images),
    ),
  ];
}

/** Why it is not smaller, in one or two sentences. */
function limitText({ figures, target }: PlanView, { limitedBy, loss }: OutcomeView): string {
  const saved = savedText(figures.bitOpsInt8, figures.bitOps);
  const budget = loss?.budget ?? null;
  if (loss !== null && budget !== null && loss.at8 > budget)
    return t('Even 8 bits lose more than the {0} allowed.', plain(budget, 2));
  if (loss !== null && budget !== null && loss.expected > budget)
    return t('This loses more than the {0} allowed: memory requires fewer bits.', plain(budget, 2));
  switch (limitedBy) {
    case 'loss':
      return `${saved} ${t('Fewer still would lose more than the {0} allowed.', plain(budget ?? 0, 2))}`;
    case 'reduction':
      return `${saved} ${t('This is the target that was set.')}`;
    case 'time':
      return `${saved} ${t('The latency budget is met.')}`;
    case 'person':
      return `${saved} ${t('The search was stopped before its end.')}`;
    case 'bits':
      return `${saved} ${t('No other choice of bits saves more.')}`;
    case 'score':
      break;
  }
  return figures.arenaBytes > 0.9 * target.sramBytes ? `${saved} ${t('The SRAM is nearly full.')}` : saved;
}

/** BitOPs against 8 bits, as a sentence. */
function savedText(int8: number, plan: number): string {
  const times = plan > 0 ? plain(int8 / plan, 2) : plain(1, 2);
  return times === plain(1, 2) ? t('As many BitOPs as at 8 bits.') : t('{0}× fewer BitOPs than at 8 bits.', times);
}

/** 95 % interval of a share of `n` (Wilson 1927). */
function wilson(share: number, n: number): readonly [number, number] {
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
