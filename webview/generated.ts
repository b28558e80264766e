import type { GeneratedView } from '../src/protocol/editor';
import type { PlanView } from '../src/protocol/views';
import type { Context } from './context';
import { h, type Child } from './dom';
import { bytesText, millisecondsText } from './format';
import { t } from './l10n';
import { PlanCard } from './planCard';
import { button, iconButton } from './ui';

/** What was generated, in one card: the firmware's totals, the code that runs the network, and what to do next. */
export class GeneratedCard extends PlanCard<GeneratedView> {
  constructor(context: Context) {
    super(context, t('Generated sources'));
  }

  protected content(generated: GeneratedView, { figures }: PlanView): Child[] {
    const { host, edits } = this.context;
    const { latencyMs } = figures;
    const total = (label: string, value: string, about: string): HTMLElement =>
      h('div', {}, h('dt', {}, label), h('dd', {}, h('strong', {}, value), h('span', { class: 'muted' }, ` ${about}`)));
    return [
      this.head(t('C sources in {0}', generated.folder), filesText(generated)),
      h(
        'dl',
        { class: 'outcome-changes' },
        total(t('SRAM'), bytesText(generated.arenaBytes), t('arena')),
        total(t('Flash'), bytesText(generated.flashBytes), t('{0} of it weights', bytesText(generated.weightBytes))),
        ...(latencyMs === null
          ? []
          : [total(t('Time (estimate)'), millisecondsText(latencyMs), t('for one inference'))]),
      ),
      h(
        'div',
        { class: 'snippet' },
        h('pre', { tabIndex: 0, aria: { label: t('Code that runs the network') } }, generated.code.trimEnd()),
        iconButton('copy', t('Copy'), () => {
          void host.copyText(generated.code).then(
            () => this.context.announce(t('Copied.')),
            () => undefined,
          );
        }),
      ),
      h(
        'div',
        { class: 'outcome-next' },
        button(t('Insert into main.c'), 'primary', () => edits.run(() => host.insertUsage()), 'code'),
        button(t('Run on Emulator…'), 'secondary', () => void host.runCommand('selftest'), 'play'),
        button(t('Open Header'), 'secondary', () => edits.run(() => host.openHeader()), 'file'),
      ),
      this.notes(t('What to add to the build'), generated.instructions),
    ];
  }
}

function filesText({ layout, written, removed, upToDate }: GeneratedView): string {
  const files = written + removed === 0 ? t('all {0} files up to date', upToDate) : t('{0} files written', written);
  return `${files} · ${layout}`;
}
