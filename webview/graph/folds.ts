import type { LayerView } from '../../src/protocol/views';
import { t } from '../l10n';
import type { Store } from '../state';
import { iconButton } from '../ui';
import { chooseFolds, foldedGraph, type FoldedGraph, type Group } from './folding';
import { placesIn } from './scene';

/** What is folded: by the room there is, unless somebody chose, and but for groups that they opened. */
export class Folds {
  readonly button = iconButton('fold', t('Fold blocks that repeat'), () => this.toggle());
  private layers: readonly LayerView[] = [];
  /** The last answers: choosing looks at all pairs of blocks. */
  private groups: { readonly key: string; readonly value: readonly Group[] } | null = null;
  private graph: { readonly key: string; readonly value: FoldedGraph } | null = null;

  constructor(
    private readonly store: Store,
    private readonly announce: (text: string) => void,
  ) {}

  setLayers(layers: readonly LayerView[]): void {
    this.layers = layers;
    this.groups = null;
    this.graph = null;
  }

  /** The nodes to be drawn in a room, in pixels. */
  in(room: { readonly width: number; readonly height: number }): FoldedGraph {
    const { foldGraph, unfolded } = this.store.ui;
    const capacity = placesIn(room);
    const key = `${String(foldGraph)} ${capacity}`;
    if (this.groups?.key !== key) {
      this.groups = {
        key,
        value: foldGraph === false ? [] : chooseFolds(this.layers, capacity, foldGraph === true),
      };
      this.graph = null;
    }
    const { value: groups } = this.groups;
    const graphKey = unfolded.join(' ');
    if (this.graph?.key !== graphKey)
      this.graph = { key: graphKey, value: foldedGraph(this.layers, groups, new Set(unfolded)) };
    this.button.setAttribute('aria-pressed', String(groups.length > 0));
    return this.graph.value;
  }

  /** Every layer a node of its own. */
  get whole(): FoldedGraph {
    return foldedGraph(this.layers, [], new Set());
  }

  open(key: string): void {
    this.store.update({ unfolded: [...this.store.ui.unfolded.filter((other) => other !== key), key] });
  }

  close(key: string): void {
    this.store.update({ unfolded: this.store.ui.unfolded.filter((other) => other !== key) });
  }

  /** Folds the smallest open group that a node is in. @returns whether there is one */
  closeAround(graph: FoldedGraph, node: number): boolean {
    const around = graph.open
      .filter(({ nodes }) => nodes.includes(node))
      .reduce<FoldedGraph['open'][number] | null>(
        (least, open) => (least !== null && least.nodes.length <= open.nodes.length ? least : open),
        null,
      );
    if (around !== null) this.close(around.key);
    return around !== null;
  }

  private toggle(): void {
    const folded = (this.groups?.value.length ?? 0) > 0;
    if (!folded && chooseFolds(this.layers, Infinity, true).length === 0) {
      this.announce(t('No block repeats in this network'));
      return;
    }
    this.store.update({ foldGraph: !folded, unfolded: [] });
  }
}
