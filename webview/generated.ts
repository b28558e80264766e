import type { GeneratedView } from '../src/protocol/editor';
import type { EditorView } from '../src/protocol/views';
import type { Context } from './context';
import { fill, h } from './dom';
import { bytesText, millisecondsText } from './format';
import { icon } from './icons';
import { t } from './l10n';
import { button, iconButton } from './ui';

/** What was generated, in one card: the firmware's totals, the code that runs the network, and what to do next. */
export class GeneratedCard {
  readonly element = h('section', { class: 'outcome', role: 'status', aria: { label: t('Generated sources') } });
  private generated: GeneratedView | null = null;
  private view: EditorView | null = null;

  constructor(private readonly context: Context) {
    this.element.hidden = true;
  }

  show(generated: GeneratedView): void {
    this.generated = generated;
    this.draw();
  }

  render(view: EditorView): void {
    this.view = view;
    this.draw();
  }

  hide(): void {
    this.generated = null;
    this.element.hidden = true;
  }

  private draw(): void {
    const { generated, view } = this;
    this.element.hidden = generated === null || view?.plan == null;
    if (generated === null || view?.plan == null) return;
    const { host, edits } = this.context;
    const { latencyMs } = view.plan.figures;
    const total = (label: string, value: string, about: string): HTMLElement =>
      h('div', {}, h('dt', {}, label), h('dd', {}, h('strong', {}, value), h('span', { class: 'muted' }, ` ${about}`)));
    fill(
      this.element,
      h(
        'div',
        { class: 'outcome-head' },
        icon('check'),
        h('h2', {}, t('C sources in {0}', generated.folder)),
        h('span', { class: 'muted' }, filesText(generated)),
        h('span', { class: 'spacer' }),
        iconButton('close', t('Close'), () => this.hide()),
      ),
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
      generated.instructions.length > 0 &&
        h(
          'details',
          { class: 'outcome-notes' },
          h('summary', {}, t('What to add to the build')),
          h('ul', {}, ...generated.instructions.map((line) => h('li', {}, line))),
        ),
    );
  }
}

function filesText({ layout, written, removed, upToDate }: GeneratedView): string {
  const files = written + removed === 0 ? t('all {0} files up to date', upToDate) : t('{0} files written', written);
  return `${files} · ${layout}`;
}
