import type { LayerView } from '../../src/protocol/views';
import { h } from '../dom';
import { plain } from '../format';
import { matcher, searchText } from '../layers/layerText';
import { t } from '../l10n';
import type { Store } from '../state';
import { searchField } from '../ui';

/** The field that finds nodes, and how many it found; Enter goes from one to the next. */
export class GraphSearch {
  /** Nodes that match; null where nothing is searched for. */
  found: ReadonlySet<number> | null = null;
  private readonly field: HTMLElement & { value: string };
  private readonly counter = h('span', { class: 'muted toolbar-note', role: 'status' });

  constructor(
    private readonly store: Store,
    private readonly select: (node: number) => void,
  ) {
    this.field = searchField(t('Find by name, operation or bits'), store.ui.filter, (filter) =>
      store.update({ filter }),
    );
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.next(event.shiftKey ? -1 : 1);
    });
  }

  get elements(): readonly HTMLElement[] {
    return [this.field, this.counter];
  }

  focus(): void {
    this.field.focus();
  }

  find(layers: readonly LayerView[]): void {
    const { filter } = this.store.ui;
    if (this.field.value !== filter) this.field.value = filter;
    if (filter.trim() === '') {
      this.found = null;
      this.counter.textContent = '';
      return;
    }
    const matches = matcher(filter);
    this.found = new Set(layers.filter((layer) => matches(searchText(layer))).map((layer) => layer.id));
    this.counter.textContent = t('{0} of {1} layers', plain(this.found.size, 0), plain(layers.length, 0));
  }

  private next(step: 1 | -1): void {
    const nodes = [...(this.found ?? [])];
    if (nodes.length === 0) return;
    const { selected } = this.store.ui;
    const after =
      step > 0
        ? nodes.find((node) => node > (selected ?? -1))
        : nodes.filter((node) => node < (selected ?? Infinity)).pop();
    this.select(after ?? (step > 0 ? nodes[0] : nodes[nodes.length - 1]));
  }
}
