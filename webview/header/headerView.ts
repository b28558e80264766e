import { coreName } from '../../src/protocol/boards';
import type { EditorView, ModelView, PlanView, PreviewView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, setAria } from '../dom';
import { plain } from '../format';
import { boardText } from '../boardText';
import { icon } from '../icons';
import { t } from '../l10n';
import { openMenu } from '../menu';
import { joinStages } from '../stages';
import { button, iconButton, menuButton, progressRing } from '../ui';
import { gridChoices, lambdaChoices, targetChoices } from './choices';
import { figureElement } from './figure';
import { figuresOf, previewedPlan } from './figures';

/** What the header's buttons do that is not a command of the host. */
export interface HeaderActions {
  compare(which: 'int8' | 'pick'): void;
  exportAs(anchor: HTMLElement): void;
}

/** Name, board, actions and figures of the model. */
export class HeaderView {
  readonly element = h('header', { class: 'header' });
  private readonly figures = h('div', { class: 'figures', role: 'list', aria: { label: t('Figures') } });
  /** Where there is little room, board, patches and shapes are behind it. */
  private readonly more = iconButton(
    'chevronDown',
    t('Board and patches'),
    () => {
      const expanded = this.element.classList.toggle('expanded');
      setAria(this.more, 'expanded', expanded);
      this.more.classList.toggle('turned', expanded);
    },
    { class: 'icon-button header-more', aria: { expanded: false } },
  );
  private readonly working = h(
    'span',
    { class: 'header-working' },
    progressRing(t('Planning')),
    h('span', { class: 'muted', aria: { hidden: true } }, t('Planning…')),
  );

  /** Generates with the answers of last time; where there are some. */
  private readonly again = iconButton(
    'again',
    t('Generate again'),
    () => void this.context.host.runCommand('generateAgain'),
    { class: 'icon-button framed' },
  );

  constructor(
    private readonly context: Context,
    private readonly actions: HeaderActions,
  ) {
    this.working.hidden = true;
    this.again.hidden = true;
    context.edits.onBusy((busy) => {
      this.working.hidden = !busy;
      if (busy) context.announce(t('Planning…'));
    });
  }

  render(view: EditorView): void {
    const { host } = this.context;
    const { model, plan } = view;
    const blocked = model.problems.length > 0;
    const quantize = button(
      plan === null ? t('Quantize…') : t('Quantize again…'),
      plan === null && !blocked ? 'primary' : 'secondary',
      () => void host.runCommand('quantize'),
      'chip',
    );
    const buttons =
      plan === null
        ? blocked
          ? []
          : [quantize]
        : [
            button(t('Generate C…'), 'primary', () => void host.runCommand('generate'), 'code'),
            this.again,
            quantize,
            button(t('Evaluate…'), 'secondary', () => void host.runCommand('evaluate'), 'target'),
          ];
    const compare = iconButton(
      'compare',
      t('Compare…'),
      () =>
        openMenu(compare, t('Compare with'), [
          { label: t('8 bits, layer by layer'), chosen: false, run: () => this.actions.compare('int8') },
          { label: t('Another plan…'), chosen: false, run: () => this.actions.compare('pick') },
        ]),
      { class: 'icon-button framed', aria: { haspopup: 'menu' } },
    );
    const save = iconButton('export', t('Export…'), () => this.actions.exportAs(save), {
      class: 'icon-button framed',
      aria: { haspopup: 'menu' },
    });
    const open = iconButton('file', t('Open plan'), () => void host.runCommand('openPlan'), {
      class: 'icon-button framed',
    });
    const focused = this.focusedName();
    fill(
      this.element,
      h(
        'div',
        { class: 'header-line' },
        h('h1', { class: 'header-title', title: model.file }, modelTitle(model)),
        h(
          'div',
          { class: 'header-actions' },
          ...buttons,
          ...(plan === null ? [save] : [compare, save, open]),
          this.more,
        ),
      ),
      h('div', { class: 'header-facts' }, ...this.facts(view), this.working),
      this.figures,
    );
    if (plan !== null) this.generated();
    fill(this.figures, ...figuresOf(view).map(figureElement));
    this.figures.classList.remove('preview');
    // A control that was just used is recreated with the plan that it changed.
    if (focused !== null) this.element.querySelector<HTMLElement>(`[data-name="${focused}"]`)?.focus();
  }

  /** Asks where the sources went, so that they can go there again. */
  generated(): void {
    void this.context.host.generatedInto().then(
      (project) => {
        this.again.hidden = project == null;
        if (project == null) return;
        const label = t('Generate again into {0}', project);
        this.again.title = label;
        setAria(this.again, 'label', label);
      },
      () => undefined,
    );
  }

  /** Shows what is known at once of a change, until `render` brings the exact figures. */
  preview(view: EditorView, preview: PreviewView): void {
    if (view.plan === null) return;
    fill(this.figures, ...figuresOf({ ...view, plan: previewedPlan(view.plan, preview) }).map(figureElement));
    this.figures.classList.add('preview');
  }

  private focusedName(): string | null {
    const active = document.activeElement;
    return active instanceof HTMLElement && this.element.contains(active) ? (active.dataset['name'] ?? null) : null;
  }

  private facts({ model, plan }: EditorView): HTMLElement[] {
    const ports = (list: readonly { readonly name: string; readonly type: string; readonly shape: string }[]): string =>
      list
        .slice(0, 4)
        .map((port) => port.shape)
        .join(', ') + (list.length > 4 ? ' …' : '');
    const io = h(
      'span',
      {
        class: 'fact',
        title: [...model.inputs, ...model.outputs]
          .slice(0, 24)
          .map((port) => `${port.name}: ${port.type} ${port.shape}`)
          .join('\n'),
      },
      `${ports(model.inputs)} → ${ports(model.outputs)}`,
    );
    if (plan === null) return [io];
    const { target, stage, search } = plan;
    const { edits, host } = this.context;
    const board = menuButton(
      'board',
      t('Board'),
      h(
        'span',
        { class: 'ellipsis' },
        icon('chip'),
        [boardText(target), coreName(target.core)].filter((text) => text !== '').join(' · '),
      ),
      (anchor) => {
        void host.targets().then(
          (targets) => openMenu(anchor, t('Board'), targetChoices(targets, target, edits)),
          () => undefined,
        );
      },
      target.clockMHz > 0 ? t('{0} MHz · figures from {1}', target.clockMHz, target.source) : t('Figures of your own'),
    );
    const grid = menuButton(
      'grid',
      t('Patches'),
      stagesText(plan),
      (anchor) => openMenu(anchor, t('Patches'), gridChoices(stage, edits)),
      t('How the first layers are cut into patches'),
    );
    const lambda = menuButton(
      'lambda',
      'λ',
      `λ ${String(search.lambda)}`,
      (anchor) => openMenu(anchor, 'λ', lambdaChoices(search.lambda, edits)),
      t('Weight of lost entropy against saved BitOPs. Changing λ searches the bits again; locked ones stay.'),
    );
    return [
      fact(board),
      fact(plan.calibrated ? grid : h('span', {}, grid.textContent)),
      ...(search.method === 'sensitivity' ? [measuredFact(search)] : plan.calibrated ? [fact(lambda)] : []),
      io,
      h(
        'span',
        {
          class: 'fact',
          title:
            search.method === 'sensitivity'
              ? `φ = ${String(search.phi)}`
              : t('φ = {0}, λ = {1}', search.phi, search.lambda),
        },
        t('calibrated on {0} images', plain(search.images, 0)),
      ),
    ];
  }
}

/** How bits were measured, in place of λ. */
function measuredFact({ bitOpsTarget, accuracyBudget }: PlanView['search']): HTMLElement {
  const text =
    accuracyBudget !== undefined
      ? t('bits measured, loss ≤ {0}', accuracyBudget)
      : bitOpsTarget !== undefined
        ? t('bits measured for {0}×', bitOpsTarget)
        : t('bits measured');
  return h(
    'span',
    {
      class: 'fact',
      title: t(
        "Bits were chosen by how much the network's output changes when there are fewer. The budget is in " +
          "points of top-1, or percent of the outputs' power for networks without classes.",
      ),
    },
    text,
  );
}

/** How the network is cut into patches, in a few words. */
export function stagesText({ stage, tailStages }: PlanView): string {
  const first =
    stage === null
      ? ''
      : stage.layers === 1
        ? t('{0}×{1} patches over 1 layer', stage.rows, stage.cols)
        : t('{0}×{1} patches over {2} layers', stage.rows, stage.cols, stage.layers);
  return joinStages(stage, first, tailStages);
}

const fact = (content: HTMLElement): HTMLElement => h('span', { class: 'fact fact-control' }, content);

/** The file's name: the graph's own is often the exporter's, such as `main_graph`. */
export function modelTitle({ file, name }: ModelView): string {
  return (file.split(/[\\/]/).pop() ?? '').replace(/\.onnx$/i, '') || name;
}
