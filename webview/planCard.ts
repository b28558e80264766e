import type { EditorView, PlanView } from '../src/protocol/views';
import type { Context } from './context';
import { fill, h, type Child } from './dom';
import { icon } from './icons';
import { t } from './l10n';
import { iconButton } from './ui';

/** A card about something that was done with the plan: there until it is closed, or the plan is gone. */
export abstract class PlanCard<Shown> {
  readonly element: HTMLElement;
  private shown: Shown | null = null;
  private view: EditorView | null = null;

  constructor(
    protected readonly context: Context,
    label: string,
  ) {
    this.element = h('section', { class: 'outcome', role: 'status', aria: { label } });
    this.element.hidden = true;
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.draw();
  }

  /** The plan's figures follow what is changed and measured. */
  render(view: EditorView): void {
    this.view = view;
    this.draw();
  }

  hide(): void {
    this.shown = null;
    this.element.hidden = true;
  }

  /** The content of the card, its head first. */
  protected abstract content(shown: Shown, plan: PlanView): Child[];

  /** Title, the text next to it, and the button that closes the card. */
  protected head(title: string, aside: string): HTMLElement {
    return h(
      'div',
      { class: 'outcome-head' },
      icon('check'),
      h('h2', {}, title),
      h('span', { class: 'muted' }, aside),
      h('span', { class: 'spacer' }),
      iconButton('close', t('Close'), () => this.hide()),
    );
  }

  /** Lines to open below, where there are any. */
  protected notes(summary: string, lines: readonly string[]): Child {
    return (
      lines.length > 0 &&
      h(
        'details',
        { class: 'outcome-notes' },
        h('summary', {}, summary),
        h('ul', {}, ...lines.map((line) => h('li', {}, line))),
      )
    );
  }

  private draw(): void {
    const plan = this.view?.plan ?? null;
    this.element.hidden = this.shown === null || plan === null;
    if (this.shown !== null && plan !== null) fill(this.element, ...this.content(this.shown, plan));
  }
}
