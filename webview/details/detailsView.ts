import type { EditorView, LayerView } from '../../src/protocol/views';
import { bitsBadge } from '../badges';
import { bitsChoices, bitsKindText, type BitsKind } from '../bitsChoices';
import type { Context } from '../context';
import { fill, h, type Child } from '../dom';
import { bytesText, countText, millisecondsText, plain, shapeText } from '../format';
import { icon } from '../icons';
import { t } from '../l10n';
import { kindText } from '../layers/layerText';
import { openMenu } from '../menu';
import { iconButton, linkButton } from '../ui';
import { reasonsSection } from './reasons';
import { Distributions } from './distributions';
import { facts } from './facts';
import { GeneratedCode } from './generatedCode';
import { modelSummary } from './modelSummary';

/** How many producers or consumers are listed. */
const listedNeighbors = 12;

/** Everything about the selected layer. */
export class DetailsView {
  readonly element = h('aside', { class: 'details', aria: { label: t('Details') } });
  private consumers: readonly (readonly number[])[] = [];
  private readonly distributions: Distributions;
  private readonly code: GeneratedCode;

  constructor(
    private readonly context: Context,
    private readonly onClose: () => void,
  ) {
    this.distributions = new Distributions(context);
    this.code = new GeneratedCode(context);
    context.store.onChange((changed) => {
      if (changed.has('selected')) this.draw();
    });
  }

  render(view: EditorView): void {
    const consumers: number[][] = view.model.layers.map(() => []);
    for (const layer of view.model.layers) {
      for (const input of layer.inputs) consumers[input]?.push(layer.id);
    }
    this.consumers = consumers;
    this.draw();
  }

  private draw(): void {
    const { store } = this.context;
    const layer = store.selectedLayer;
    const close = iconButton('close', t('Close details'), this.onClose);
    if (layer === null) {
      fill(
        this.element,
        h('div', { class: 'details-head' }, h('h2', {}, t('Overview')), close),
        h(
          'div',
          { class: 'details-body', tabIndex: 0, role: 'region', aria: { label: t('Overview of the model') } },
          ...(store.view === null ? [] : modelSummary(store.view)),
          h('p', { class: 'muted' }, t('Select a layer to see its shapes, its bits and why it got them.')),
        ),
      );
      return;
    }
    fill(
      this.element,
      h(
        'div',
        { class: 'details-head' },
        h(
          'div',
          { class: 'details-title' },
          h('h2', {}, kindText(layer.kind), layer.detail !== '' && h('span', { class: 'muted' }, ` ${layer.detail}`)),
          h('p', { class: 'node-name' }, layer.name),
        ),
        close,
      ),
      h(
        'div',
        { class: 'details-body', tabIndex: 0, role: 'region', aria: { label: t('Properties of the layer') } },
        layer.problem &&
          h(
            'div',
            { class: 'details-problem' },
            icon('error'),
            h('div', {}, h('p', {}, layer.problem.message), h('p', { class: 'remedy' }, layer.problem.remedy)),
          ),
        this.planSection(layer),
        layer.plan && this.distributions.element,
        layer.plan && this.code.element,
        this.layerSection(layer),
        this.neighbors(t('Reads from'), layer.inputs),
        this.neighbors(t('Read by'), this.consumers[layer.id] ?? []),
      ),
    );
    if (layer.plan === null) return;
    this.distributions.show(layer);
    this.code.show(layer);
  }

  private planSection(layer: LayerView): Child {
    const { plan } = layer;
    if (plan === null) return null;
    const { edits, store } = this.context;
    const search = store.view?.plan?.search;
    const flow = h(
      'div',
      { class: 'bits-flow' },
      this.flowItem(layer, t('input'), 'inputBits', plan.inputBits),
      h('span', { class: 'flow-sign', aria: { hidden: true } }, '×'),
      this.flowItem(layer, t('weights'), 'weightBits', plan.weightBits),
      h('span', { class: 'flow-sign', aria: { hidden: true } }, '→'),
      this.flowItem(layer, t('output'), 'bits', plan.bits),
      h('span', { class: 'spacer' }),
      iconButton(
        plan.locked ? 'lock' : 'unlock',
        t('Keep these bits through the next search'),
        () => edits.apply({ kind: 'lock', layer: layer.id, locked: !plan.locked }),
        { class: 'icon-button lock-button', aria: { pressed: plan.locked } },
      ),
    );
    return h(
      'section',
      {},
      flow,
      facts([
        [t('Part'), plan.inPatchStage ? t('patch stage') : t('tail')],
        [t('MACs'), plan.macs === 0 ? '–' : countText(plan.macs)],
        [t('BitOPs'), plan.bitOps === 0 ? '–' : countText(plan.bitOps)],
        plan.latencyMs === null ? null : [t('Time (estimate)'), millisecondsText(plan.latencyMs)],
        ...(plan.counted === null
          ? []
          : ([
              [t('Instructions (estimate)'), countText(plan.instructions)],
              [t('Instructions (counted)'), countText(plan.counted)],
            ] satisfies [string, string][])),
        [t('Output map'), bytesText(plan.mapBytes)],
        [t('Weights'), plan.weightBytes === 0 ? '–' : bytesText(plan.weightBytes)],
        plan.snr === null ? null : [t('SNR of the output'), t('{0} dB', plain(plan.snr, 1))],
      ]),
      ...(search ? reasonsSection(plan, search) : []),
    );
  }

  /** One place of the flow; a button where the bits may be chosen. */
  private flowItem(layer: LayerView, label: string, kind: BitsKind, bits: number | null): HTMLElement {
    const badge = bits === null ? h('span', { class: 'bits bits-none' }, '–') : bitsBadge(bits);
    const choices = bitsChoices(layer, kind, this.context.edits);
    if (choices === null || bits === null)
      return h('span', { class: 'flow-item' }, badge, h('span', { class: 'flow-label' }, label));
    const button = h(
      'button',
      {
        class: 'flow-item flow-button',
        title: bitsKindText(kind),
        aria: { haspopup: 'menu' },
        on: { click: () => openMenu(button, bitsKindText(kind), bitsChoices(layer, kind, this.context.edits) ?? []) },
      },
      badge,
      h('span', { class: 'flow-label' }, label, icon('chevronDown')),
    );
    button.type = 'button';
    return button;
  }

  private layerSection(layer: LayerView): HTMLElement {
    return h(
      'section',
      {},
      h('h3', {}, t('Layer')),
      facts([
        [t('Position'), plain(layer.id, 0)],
        [t('Operators'), layer.operators],
        [t('Output'), layer.outputName],
        [t('Shape'), shapeText(layer.output)],
        layer.plan === null ? [t('MACs'), layer.macs === 0 ? '–' : countText(layer.macs)] : null,
        [t('Parameters'), layer.parameters === 0 ? '–' : countText(layer.parameters)],
      ]),
    );
  }

  private neighbors(title: string, ids: readonly number[]): Child {
    const { store } = this.context;
    const layers = store.view?.model.layers ?? [];
    if (ids.length === 0) return null;
    return h(
      'section',
      {},
      h('h3', {}, title),
      h(
        'ul',
        { class: 'neighbor-list' },
        ...ids.slice(0, listedNeighbors).map((id) => {
          const layer = layers[id];
          return layer === undefined
            ? null
            : h(
                'li',
                {},
                linkButton(store.shortName(id), () => store.update({ selected: id }), {
                  class: 'link-button node-name',
                  title: layer.name,
                }),
                h('span', { class: 'muted' }, ` ${kindText(layer.kind)}`),
              );
        }),
      ),
      ids.length > listedNeighbors && h('p', { class: 'muted' }, t('and {0} more', ids.length - listedNeighbors)),
    );
  }
}
