import type { EditorView, ModelView, PreviewView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h } from '../dom';
import { plain } from '../format';
import { coreText } from '../coreText';
import { icon } from '../icons';
import { t } from '../l10n';
import { button } from '../ui';
import { figureElement } from './figure';
import { figuresOf, previewedPlan } from './figures';

/** Name, board, actions and figures of the model. */
export class HeaderView {
  readonly element = h('header', { class: 'header' });
  private readonly figures = h('div', { class: 'figures', role: 'list', aria: { label: t('Figures') } });

  constructor(private readonly context: Context) {}

  render(view: EditorView): void {
    const { host } = this.context;
    const { model, plan } = view;
    const blocked = model.problems.length > 0;
    const quantize = button(plan === null ? t('Quantize…') : t('Quantize again…'), plan === null && !blocked ? 'primary' : 'secondary', () => void host.runCommand('quantize'), 'chip');
    const actions = plan === null ? [quantize] : [
      button(t('Generate C…'), 'primary', () => void host.runCommand('generate'), 'code'),
      button(t('Evaluate…'), 'secondary', () => void host.runCommand('evaluate'), 'target'), quantize, button(t('Open plan'), 'secondary', () => void host.runCommand('openPlan'), 'file'),
    ];
    fill(this.element,
      h('div', { class: 'header-line' },
        h('div', { class: 'header-title' },
          h('h1', { title: model.file }, modelTitle(model)),
          h('p', { class: 'header-facts' }, ...facts(view))),
        h('div', { class: 'header-actions' }, ...(blocked && plan === null ? [] : actions))),
      this.figures);
    fill(this.figures, ...figuresOf(view).map(figureElement));
    this.figures.classList.remove('preview');
  }

  /** Shows what is known at once of a change, until `render` brings the exact figures. */
  preview(view: EditorView, preview: PreviewView): void {
    if (view.plan === null) return;
    fill(this.figures, ...figuresOf({ ...view, plan: previewedPlan(view.plan, preview) }).map(figureElement));
    this.figures.classList.add('preview');
  }
}

/** The file's name: the graph's own is often the exporter's, such as `main_graph`. */
function modelTitle({ file, name }: ModelView): string {
  return (file.split(/[\\/]/).pop() ?? '').replace(/\.onnx$/i, '') || name;
}

function facts({ model, plan }: EditorView): HTMLElement[] {
  const ports = (list: readonly { readonly name: string; readonly type: string; readonly shape: string }[]): string => list.slice(0, 4).map((port) => port.shape).join(', ') + (list.length > 4 ? ' …' : '');
  const io = h('span', {
    class: 'fact',
    title: [...model.inputs, ...model.outputs].slice(0, 24).map((port) => `${port.name}: ${port.type} ${port.shape}`).join('\n'),
  }, `${ports(model.inputs)} → ${ports(model.outputs)}`);
  if (plan === null) return [io];
  const { target, stage, search } = plan;
  return [
    h('span', { class: 'fact fact-target', title: t('{0} MHz · figures from {1}', target.clockMHz, target.source) }, icon('chip'), `${target.name} · ${coreText(target.core)}`),
    io,
    h('span', { class: 'fact' }, stage === null ? t('layer by layer') : t('{0}×{1} patches over {2} layers', stage.rows, stage.cols, stage.layers)),
    h('span', { class: 'fact', title: t('φ = {0}, λ = {1}', search.phi, search.lambda) }, t('calibrated on {0} images', plain(search.images, 0))),
  ];
}
