import type { EditorView, LayerView } from '../../src/protocol/views';
import type { Context } from '../context';
import { h } from '../dom';
import { plain } from '../format';
import { t } from '../l10n';
import { searchField } from '../ui';
import { VirtualGrid } from '../virtualGrid';
import { layerColumns } from './columns';
import { matcher, searchText } from './layerText';

/** The table of layers with its filter box. */
export class LayersView {
  readonly element: HTMLElement;
  private readonly grid: VirtualGrid<LayerView>;
  private readonly field: HTMLElement & { value: string };
  private readonly counter = h('span', { class: 'muted toolbar-note', role: 'status' });
  private readonly empty = h('p', { class: 'empty-note' });
  private texts: readonly string[] = [];

  constructor(private readonly context: Context) {
    const { store } = context;
    this.field = searchField(t('Filter by name, operation or bits, e.g. “conv 4-bit”'), store.ui.filter, (filter) =>
      store.update({ filter }),
    );
    this.grid = new VirtualGrid<LayerView>({
      label: t('Layers'),
      rowHeight: 26,
      key: (layer) => layer.id,
      rowClass: (layer) =>
        `${layer.plan?.inPatchStage === true ? 'in-stage' : ''} ${layer.problem ? 'has-problem' : ''}`,
      onSelect: (layer) => store.update({ selected: layer.id }),
      onActivate: (layer) => {
        store.update({ selected: layer.id });
        store.showDetails();
      },
      onSort: (sort) => store.update({ sort }),
    });
    this.element = h(
      'div',
      { class: 'layers-view' },
      h('div', { class: 'toolbar' }, this.field, this.counter),
      this.empty,
      this.grid.element,
    );
    store.onChange((changed) => {
      if (changed.has('filter')) this.filter();
      if (changed.has('selected')) this.grid.select(store.ui.selected);
    });
  }

  render(view: EditorView): void {
    this.texts = view.model.layers.map(searchText);
    this.grid.setColumns(
      layerColumns(view.model, view.plan, (layer) => this.context.store.shortName(layer), this.context.edits),
    );
    this.filter();
    this.grid.setSort(this.context.store.ui.sort);
    this.grid.select(this.context.store.ui.selected);
  }

  focusFilter(): void {
    this.field.focus();
  }

  private filter(): void {
    const { store } = this.context;
    const layers = store.view?.model.layers ?? [];
    if (this.field.value !== store.ui.filter) this.field.value = store.ui.filter;
    const matches = matcher(store.ui.filter);
    const rows = layers.filter((_, index) => matches(this.texts[index] ?? ''));
    this.grid.setRows(rows);
    this.empty.hidden = rows.length > 0;
    this.empty.textContent = layers.length === 0 ? t('This model has no layers.') : t('Nothing matches the filter.');
    this.counter.textContent =
      rows.length === layers.length
        ? t('{0} layers', plain(layers.length, 0))
        : t('{0} of {1} layers', plain(rows.length, 0), plain(layers.length, 0));
  }
}
