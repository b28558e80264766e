import type { EditorHost } from '../../src/protocol/editor';
import type { DrawingView } from '../../src/protocol/drawing';
import type { LayerView } from '../../src/protocol/views';
import type { Direction } from '../state';
import { keyOf, type FoldedGraph } from './folding';
import { layoutRequest } from './scene';

/** Layouts of the network that is shown: asked for once per direction and folding, kept while only the plan changes. */
export class Layouts {
  private layers: readonly LayerView[] = [];
  private readonly known = new Map<string, Promise<DrawingView>>();
  private readonly done = new Map<string, DrawingView>();

  constructor(private readonly host: EditorHost) {}

  /** @returns whether it is another network than before */
  setLayers(layers: readonly LayerView[]): boolean {
    const old = this.layers;
    this.layers = layers;
    const same =
      old.length === layers.length &&
      layers.every(
        ({ inputs }, i) =>
          inputs.length === old[i].inputs.length && inputs.every((input, k) => input === old[i].inputs[k]),
      );
    if (same) return false;
    this.known.clear();
    this.done.clear();
    return true;
  }

  /** The layout if it is there already. */
  at(direction: Direction, graph: FoldedGraph): DrawingView | null {
    return this.done.get(layoutKey(direction, graph)) ?? null;
  }

  /** Asks for a layout. Resolves to null if another network has been shown since. */
  async fetch(direction: Direction, graph: FoldedGraph): Promise<DrawingView | null> {
    const key = layoutKey(direction, graph);
    let asked = this.known.get(key);
    if (asked === undefined)
      this.known.set(key, (asked = this.host.layout(layoutRequest(graph.nodes, drawn(direction)))));
    try {
      const layout = await asked;
      if (this.known.get(key) !== asked) return null;
      this.done.set(key, layout);
      return layout;
    } catch (error) {
      if (this.known.get(key) === asked) this.known.delete(key);
      throw error;
    }
  }
}

function layoutKey(direction: Direction, { nodes }: FoldedGraph): string {
  return [drawn(direction), ...nodes.filter(({ layers }) => layers.length > 1).map(keyOf)].join(' ');
}

/** Columns are cut from the drawing downwards. */
function drawn(direction: Direction): Direction {
  return direction === 'wrap' ? 'down' : direction;
}
