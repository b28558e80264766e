import type { EditorHost } from '../../src/protocol/editor';
import type { DrawingView } from '../../src/protocol/drawing';
import type { LayerView } from '../../src/protocol/views';
import type { Direction } from '../state';
import { layoutRequest } from './scene';

/** Layouts of the network that is shown: asked for once per direction, kept while only the plan changes. */
export class Layouts {
  private layers: readonly LayerView[] = [];
  private readonly known = new Map<Direction, Promise<DrawingView>>();
  private readonly done = new Map<Direction, DrawingView>();

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
  at(of: Direction): DrawingView | null {
    const direction = drawn(of);
    return this.done.get(direction) ?? null;
  }

  /** Asks for a layout. Resolves to null where another network has come in the meantime. */
  async fetch(of: Direction): Promise<DrawingView | null> {
    const direction = drawn(of);
    let asked = this.known.get(direction);
    if (asked === undefined)
      this.known.set(direction, (asked = this.host.layout(layoutRequest(this.layers, direction))));
    try {
      const layout = await asked;
      if (this.known.get(direction) !== asked) return null;
      this.done.set(direction, layout);
      return layout;
    } catch (error) {
      if (this.known.get(direction) === asked) this.known.delete(direction);
      throw error;
    }
  }
}

/** Columns are cut from the drawing downwards. */
function drawn(direction: Direction): Direction {
  return direction === 'wrap' ? 'down' : direction;
}
