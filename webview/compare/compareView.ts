import type { OtherPlan } from '../../src/protocol/editor';
import type { EditorView, LayerPlanView, PlanView } from '../../src/protocol/views';
import { bitsBadge, middleEllipsis } from '../badges';
import { boardText } from '../boardText';
import type { Context } from '../context';
import { fill, h, type Child } from '../dom';
import { bytesText, countText, millisecondsText, percent, plain } from '../format';
import { stagesText } from '../header/headerView';
import { t } from '../l10n';
import { iconButton } from '../ui';
import { accuracyName, classRows } from './detectors';
import { VirtualGrid, type Column } from '../virtualGrid';
import { layerPairs, type LayerPair } from './differences';

/** Two plans of one model side by side: figures, settings, and the layers, those that differ first. */
export class CompareView {
  readonly element: HTMLElement;
  private readonly head = h('div', { class: 'compare-head' });
  private readonly count = h('p', { class: 'muted compare-count', role: 'status' });
  private readonly grid: VirtualGrid<LayerPair>;
  private other: OtherPlan | null = null;
  private pairs: readonly LayerPair[] = [];

  constructor(
    private readonly context: Context,
    private readonly onClose: () => void,
  ) {
    const { store } = context;
    this.grid = new VirtualGrid<LayerPair>({
      label: t('Layers of both plans'),
      rowHeight: 26,
      key: ({ layer }) => layer.id,
      rowClass: ({ differs }) => (differs ? 'differs' : ''),
      onSelect: ({ layer }) => store.update({ selected: layer.id }),
      onActivate: ({ layer }) => {
        store.update({ selected: layer.id });
        store.showDetails();
      },
    });
    this.element = h('div', { class: 'compare-view' }, this.head, this.count, this.grid.element);
    store.onChange((changed) => {
      if (changed.has('selected')) this.grid.select(store.ui.selected);
    });
  }

  get isOpen(): boolean {
    return this.other !== null;
  }

  open(other: OtherPlan): void {
    this.other = other;
  }

  close(): void {
    this.other = null;
  }

  /** The layers as they are listed. */
  get table(): readonly LayerPair[] {
    return this.pairs;
  }

  render(view: EditorView): void {
    const { other } = this;
    if (other === null || view.plan === null || other.view.plan === null) return;
    fill(this.head, this.figures(view.plan, other.view.plan, other.title));
    const pairs = layerPairs(view, other.view);
    const different = pairs.filter(({ differs }) => differs);
    this.pairs = [...different, ...pairs.filter(({ differs }) => !differs)];
    this.count.textContent =
      different.length === 0
        ? t('All {0} layers have the same bits.', pairs.length)
        : t('{0} of {1} layers differ and are listed first.', different.length, pairs.length);
    this.grid.setColumns(this.columns());
    this.grid.setRows(this.pairs);
    this.grid.select(this.context.store.ui.selected);
  }

  private figures(own: PlanView, other: PlanView, title: string): HTMLElement {
    const row = (name: string, mine: string, theirs: string, change: Child = ''): HTMLElement =>
      h(
        'tr',
        { class: mine === theirs ? 'same' : 'differs' },
        h('th', { class: 'compare-name' }, name),
        h('td', {}, mine),
        h('td', {}, theirs),
        h('td', { class: 'compare-change' }, change),
      );
    const amount = (
      name: string,
      mine: number | null,
      theirs: number | null,
      write: (value: number) => string,
    ): HTMLElement =>
      row(
        name,
        mine === null ? '–' : write(mine),
        theirs === null ? '–' : write(theirs),
        mine === null || theirs === null ? '' : changeText(mine, theirs),
      );
    const accuracy = ({ figures }: PlanView): string => {
      const a = figures.accuracy;
      const boxes = a?.detection;
      const share = boxes ? (boxes.map50?.quantized ?? boxes.boxAgreement) : (a?.quantizedTop1 ?? a?.agreement ?? null);
      return a === null || share === null ? '–' : t('{0} on {1} images', percent(share), plain(a.images, 0));
    };
    const outliers = (plan: PlanView): string =>
      t('{0} of {1}', plan.branches.filter((branch) => branch.class === 'outlier').length, plan.branches.length);
    const a = own.figures;
    const b = other.figures;
    const header = (text: string): HTMLElement => h('th', { class: 'compare-plan', title: text }, text);
    return h(
      'table',
      { class: 'compare-figures' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', {}, iconButton('close', t('Close comparison'), this.onClose)),
          header(t('This plan')),
          header(title),
          h('th', { class: 'compare-change' }, t('Change')),
        ),
      ),
      h(
        'tbody',
        {},
        amount(t('SRAM peak'), a.arenaBytes, b.arenaBytes, bytesText),
        amount(t('Flash'), a.flashBytes, b.flashBytes, bytesText),
        amount(t('BitOPs'), a.bitOps, b.bitOps, (v) => countText(v)),
        amount(t('Latency (estimate)'), a.latencyMs, b.latencyMs, millisecondsText),
        row(accuracyName(own) ?? accuracyName(other) ?? t('Accuracy'), accuracy(own), accuracy(other)),
        ...classRows(own, other).map(([name, mine, theirs]) => row(name, mine, theirs)),
        row(t('Board'), boardText(own.target), boardText(other.target)),
        row(t('Patches'), stagesText(own), stagesText(other)),
        row(t('Outlier patches'), outliers(own), outliers(other)),
        row(t('φ, λ'), parameters(own), parameters(other)),
      ),
    );
  }

  private columns(): Column<LayerPair>[] {
    const { store } = this.context;
    return [
      {
        id: 'id',
        title: '#',
        width: 44,
        align: 'end',
        sortBy: ({ layer }) => layer.id,
        render: (cell, { layer }) => fill(cell, h('span', { class: 'muted' }, String(layer.id))),
      },
      {
        id: 'name',
        title: t('Layer'),
        width: 130,
        grow: 1.5,
        sortBy: ({ layer }) => layer.name,
        render: (cell, { layer }) => {
          cell.title = layer.name;
          fill(cell, middleEllipsis(store.shortName(layer.id)));
        },
      },
      bitsColumn('inputBits', t('In'), t('Bits of the input feature map'), (plan) => plan.inputBits),
      bitsColumn('weightBits', t('W'), t('Bits of the weights'), (plan) => plan.weightBits),
      bitsColumn('bits', t('Out'), t('Bits of the output feature map'), (plan) => plan.bits),
      amountColumn(
        'bitOps',
        t('BitOPs'),
        (plan) => plan.bitOps,
        (v) => countText(v),
      ),
      amountColumn('mapBytes', t('Map'), (plan) => plan.mapBytes, bytesText),
      amountColumn('latency', t('Time'), (plan) => plan.latencyMs, millisecondsText),
    ];
  }
}

/** Bits in both plans, where they differ. */
function bitsColumn(
  id: string,
  title: string,
  description: string,
  read: (plan: LayerPlanView) => number | null,
): Column<LayerPair> {
  return {
    id,
    title,
    description,
    width: 84,
    align: 'center',
    sortBy: ({ own }) => read(own),
    render: (cell, { own, other }) => {
      const [mine, theirs] = [read(own), read(other)];
      const badge = (value: number | null): HTMLElement =>
        value === null ? h('span', { class: 'muted' }, '–') : bitsBadge(value);
      fill(
        cell,
        badge(mine),
        ...(mine === theirs ? [] : [h('span', { class: 'muted', aria: { label: t('against') } }, '↔'), badge(theirs)]),
      );
    },
  };
}

/** An amount, and how it differs from the other plan's. */
function amountColumn(
  id: string,
  title: string,
  read: (plan: LayerPlanView) => number | null,
  write: (value: number) => string,
): Column<LayerPair> {
  return {
    id,
    title,
    width: 118,
    align: 'end',
    sortBy: ({ own, other }) => (read(own) ?? 0) - (read(other) ?? 0),
    render: (cell, { own, other }) => {
      const [mine, theirs] = [read(own), read(other)];
      cell.title = theirs === null ? '' : t('{0} in the other plan', write(theirs));
      fill(
        cell,
        mine === null || mine === 0 ? h('span', { class: 'muted' }, '–') : write(mine),
        mine !== null &&
          theirs !== null &&
          mine !== theirs &&
          h('span', { class: 'compare-change' }, changeText(mine, theirs)),
      );
    },
  };
}

/** `−12 %`: what the first is against the second. */
function changeText(mine: number, theirs: number): string {
  if (mine === theirs) return '';
  if (theirs === 0) return '';
  const part = mine / theirs - 1;
  return `${part > 0 ? '+' : '−'}${percent(Math.abs(part), Math.abs(part) < 0.0995 ? 1 : 0)}`;
}

/** φ, and λ where it decided. */
function parameters({ search: { method, phi, lambda } }: PlanView): string {
  return method === 'entropy' ? `${phi}, ${lambda}` : `${phi}, –`;
}
