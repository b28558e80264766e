import type { GeneratedView, OutcomeView } from '../src/protocol/editor';
import type { ProgressEvent } from '../src/protocol/engine';
import type { EditorView } from '../src/protocol/views';
import type { Context } from './context';
import { fill, h } from './dom';
import { GeneratedCard } from './generated';
import { icon } from './icons';
import { t } from './l10n';
import { OutcomeCard } from './outcome';
import { SearchCurve } from './searchCurve';
import { button, iconButton, progressRing } from './ui';

export type Progress = ProgressEvent;

/**
 * What the person must know before the figures: a plan that is out of date or cannot be read, and work that is going
 * on.
 */
export class Banners {
  readonly element = h('div', { class: 'banners' });
  private readonly notices = h('div', {});
  private readonly failure = h('div', { class: 'banner banner-warning', role: 'alert' });
  private readonly result = h('div', { class: 'banner', role: 'status' });
  private readonly running = h('div', { class: 'banner banner-progress', role: 'status' });
  private readonly stage = h('span', { class: 'banner-text' });
  private readonly track = h('div', { class: 'progress-fill' });

  private readonly outcome: OutcomeCard;
  private readonly generated: GeneratedCard;
  private readonly keep: HTMLElement;
  private readonly curve = new SearchCurve();

  constructor(private readonly context: Context) {
    this.outcome = new OutcomeCard(context);
    this.generated = new GeneratedCard(context);
    this.keep = button(t('Stop here and keep'), 'secondary', () => void context.host.runCommand('keep'));
    this.running.hidden = true;
    this.running.append(
      progressRing(t('Working')),
      this.stage,
      h('div', { class: 'progress', aria: { hidden: true } }, this.track),
      this.keep,
      button(t('Cancel'), 'secondary', () => void context.host.runCommand('cancel')),
    );
    this.failure.hidden = true;
    this.result.hidden = true;
    this.element.append(
      this.notices,
      this.failure,
      this.outcome.element,
      this.generated.element,
      this.result,
      this.running,
      this.curve.element,
    );
  }

  render(view: EditorView): void {
    this.outcome.render(view);
    this.generated.render(view);
    const { host } = this.context;
    const notices: HTMLElement[] = [];
    if (view.planProblem !== null) {
      notices.push(
        notice(
          view.planProblem,
          button(t('Open plan'), 'secondary', () => void host.runCommand('openPlan')),
          button(t('Quantize again…'), 'primary', () => void host.runCommand('quantize')),
        ),
      );
    }
    if (view.plan?.stale === true) {
      notices.push(
        notice(
          t('The model has changed since this plan was made. What you see here may no longer match it.'),
          button(t('Quantize again…'), 'primary', () => void host.runCommand('quantize')),
        ),
      );
    }
    if (view.plan?.unfitted === true) {
      notices.push(
        h(
          'div',
          { class: 'banner', role: 'status' },
          icon('info'),
          h(
            'span',
            { class: 'banner-text' },
            t(
              'Bits have changed since the weights were fitted to the images. Until you fit them again, ' +
                'figures and generated code use weights that are only rounded, which is less accurate.',
            ),
          ),
          button(t('Fit weights'), 'primary', () => this.context.edits.run(() => host.fitWeights())),
        ),
      );
    }
    fill(this.notices, ...notices);
  }

  /** Why a change was not possible, until the next one or until it is closed. */
  showFailure(message: string | null): void {
    this.failure.hidden = message === null;
    if (message === null) return;
    fill(
      this.failure,
      icon('warning'),
      h('span', { class: 'banner-text' }, message),
      iconButton('close', t('Close'), () => this.context.edits.dismiss()),
    );
  }

  /** What came of a run, until the next one or until it is closed. */
  showResult({ ok, message }: { readonly ok: boolean; readonly message: string }): void {
    this.result.hidden = false;
    this.result.className = `banner ${ok ? 'banner-progress' : 'banner-warning'}`;
    fill(
      this.result,
      icon(ok ? 'check' : 'error'),
      h('span', { class: 'banner-text' }, message),
      iconButton('close', t('Close'), () => {
        this.result.hidden = true;
      }),
    );
  }

  /** What a quantization came to, in place of what came of the runs before it. */
  showOutcome(outcome: OutcomeView): void {
    this.result.hidden = true;
    this.generated.hide();
    this.outcome.show(outcome);
  }

  /** What was generated, in place of what came of the runs before it. */
  showGenerated(generated: GeneratedView): void {
    this.result.hidden = true;
    this.outcome.hide();
    this.generated.show(generated);
  }

  showProgress(progress: Progress | null): void {
    if (progress !== null && this.running.hidden) this.outcome.hide();
    this.running.hidden = progress === null;
    this.curve.render(progress?.overall?.tried ?? []);
    if (progress === null) return;
    const { stage, done, total, overall } = progress;
    const share = overall?.share ?? (total > 0 ? Math.min(1, done / total) : null);
    const label = overall
      ? [stage, t('step {0} of {1}', overall.step, overall.steps), timeLeft(overall.msLeft)].filter(Boolean).join(' · ')
      : share === null
        ? stage
        : `${stage} · ${done} / ${total}`;
    // Until there is a plan there is nothing to keep.
    this.keep.hidden = overall === undefined || overall.step < 3;
    if (this.stage.textContent !== label) this.stage.textContent = label;
    this.track.style.width = `${(share ?? 0) * 100}%`;
    this.track.parentElement!.hidden = share === null;
  }
}

function timeLeft(ms: number | null): string {
  if (ms === null) return '';
  const minutes = Math.round(ms / 60_000);
  return minutes < 1 ? t('less than a minute left') : t('about {0} min left', minutes);
}

function notice(message: string, ...actions: HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'banner banner-warning', role: 'alert' },
    icon('warning'),
    h('span', { class: 'banner-text' }, message),
    ...actions,
  );
}
