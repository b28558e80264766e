/**
 * What the page knows: the view it was given and what the person chose to look at. The second survives hiding and
 * reloading the page (getState/setState).
 */
import type { EditorView, LayerView } from '../src/protocol/views';
import { COLORINGS, type ColorBy } from './graph/coloring';
import { shortNames } from './layers/shortNames';

export type Tab = 'fit' | 'graph' | 'layers' | 'patches' | 'detections' | 'tradeOff' | 'compare' | 'problems';
export type TradeOffMode = 'accuracy' | 'memory' | 'phi';
/** `wrap`: downwards in as many columns as show the whole best. */
export type Direction = 'wrap' | 'down' | 'right';

export interface UiState {
  /** Null: choose by what the model has to show. */
  readonly tab: Tab | null;
  readonly selected: number | null;
  readonly filter: string;
  readonly sort: { readonly column: string; readonly descending: boolean } | null;
  /** The memory panel under the graph and the layers, and under the other views. */
  readonly dockOpen: boolean;
  readonly dockOpenElsewhere: boolean;
  readonly dockHeight: number;
  readonly memoryMode: 'chart' | 'table';
  /** First and last step on the memory chart; null: all. */
  readonly memoryRange: readonly [number, number] | null;
  readonly detailsOpen: boolean;
  readonly detailsWidth: number;
  readonly direction: Direction;
  /** Whether blocks of the graph that repeat are drawn as one node; null: where there is no room for all layers. */
  readonly foldGraph: boolean | null;
  /** Groups that are shown unfolded. */
  readonly unfolded: readonly string[];
  /** What the nodes' colours tell. */
  readonly colorBy: ColorBy;
  /** Centre of the graph view in drawing units, and pixels per unit. */
  readonly camera: { readonly x: number; readonly y: number; readonly scale: number } | null;
  readonly branch: number | null;
  readonly tradeOff: TradeOffMode;
  /** Sample image that boxes are shown on, by its position. */
  readonly image: number;
  /** Least score of boxes that are shown; null: the head's. */
  readonly score: number | null;
}

const initialState: UiState = {
  tab: null,
  selected: null,
  filter: '',
  sort: null,
  dockOpen: true,
  dockOpenElsewhere: false,
  dockHeight: 250,
  memoryMode: 'chart',
  memoryRange: null,
  detailsOpen: true,
  detailsWidth: 300,
  direction: 'wrap',
  foldGraph: null,
  unfolded: [],
  colorBy: 'bits',
  camera: null,
  branch: null,
  tradeOff: 'accuracy',
  image: 0,
  score: null,
};

/** Where the state is kept between two lives of the page. */
export interface StateKeeper {
  getState(): unknown;
  setState(state: unknown): void;
}

type Listener = (changed: ReadonlySet<keyof UiState | 'view'>) => void;

export class Store {
  private current: UiState;
  private shown: EditorView | null = null;
  private names: readonly string[] = [];
  private readonly listeners: Listener[] = [];
  private readonly detailsListeners: (() => void)[] = [];
  private saving: number | undefined;

  constructor(private readonly keeper: StateKeeper) {
    this.current = restore(keeper.getState());
  }

  get ui(): UiState {
    return this.current;
  }

  get view(): EditorView | null {
    return this.shown;
  }

  get selectedLayer(): LayerView | null {
    const id = this.current.selected;
    return id === null ? null : (this.shown?.model.layers[id] ?? null);
  }

  /** Name of a layer for narrow places; `—` where there is no such layer. */
  shortName(layer: number): string {
    return this.names[layer] ?? '—';
  }

  setView(view: EditorView): void {
    this.shown = view;
    this.names = shortNames(view.model.layers).map(
      (name, layer) => name || view.model.layers[layer].outputName || `${view.model.layers[layer].kind} ${layer}`,
    );
    const changed = new Set<keyof UiState | 'view'>(['view']);
    const { selected, branch, memoryRange } = this.current;
    const steps = view.plan?.steps.length ?? 0;
    const valid: Partial<UiState> = {
      selected: selected !== null && selected < view.model.layers.length ? selected : null,
      branch: branch !== null && branch < (view.plan?.branches.length ?? 0) ? branch : null,
      memoryRange: memoryRange !== null && memoryRange[1] < steps ? memoryRange : null,
    };
    this.current = { ...this.current, ...valid };
    this.publish(changed);
  }

  /** Changes the state, tells the listeners what changed, and saves it soon. */
  update(change: Partial<UiState>): void {
    const changed = new Set<keyof UiState | 'view'>();
    for (const key of Object.keys(change) as (keyof UiState)[]) {
      if (change[key] !== this.current[key]) changed.add(key);
    }
    if (changed.size === 0) return;
    this.current = { ...this.current, ...change };
    this.publish(changed);
    // Dragging and scrolling change the state many times a second; saving goes to another process.
    window.clearTimeout(this.saving);
    this.saving = window.setTimeout(() => this.keeper.setState(this.current), 150);
  }

  /** Opens the details of what is selected; where there is little room they are distinguished from those left open. */
  showDetails(): void {
    this.update({ detailsOpen: true });
    for (const listener of this.detailsListeners) listener();
  }

  onDetails(listener: () => void): void {
    this.detailsListeners.push(listener);
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  private publish(changed: ReadonlySet<keyof UiState | 'view'>): void {
    for (const listener of this.listeners) listener(changed);
  }
}

/** Takes over what has the right type from a state that an older version of the page may have written. */
function restore(saved: unknown): UiState {
  if (typeof saved !== 'object' || saved === null) return initialState;
  const old = saved as Record<string, unknown>;
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  const isPair = (value: unknown): value is [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every(isNumber);
  const one = <T>(value: unknown, allowed: readonly T[], otherwise: T): T =>
    allowed.includes(value as T) ? (value as T) : otherwise;
  const index = (value: unknown): number | null =>
    isNumber(value) && Number.isInteger(value) && value >= 0 ? value : null;
  const sort = old['sort'] as { column?: unknown; descending?: unknown } | null;
  const camera = old['camera'] as { x?: unknown; y?: unknown; scale?: unknown } | null;
  return {
    tab: one<Tab | null>(old['tab'], ['fit', 'graph', 'layers', 'patches', 'detections', 'tradeOff', 'problems'], null),
    selected: index(old['selected']),
    filter: typeof old['filter'] === 'string' ? old['filter'] : '',
    sort: typeof sort?.column === 'string' ? { column: sort.column, descending: sort.descending === true } : null,
    dockOpen: old['dockOpen'] !== false,
    dockOpenElsewhere: old['dockOpenElsewhere'] === true,
    dockHeight: isNumber(old['dockHeight']) ? old['dockHeight'] : initialState.dockHeight,
    memoryMode: one(old['memoryMode'], ['chart', 'table'] as const, 'chart'),
    memoryRange: isPair(old['memoryRange']) ? old['memoryRange'] : null,
    detailsOpen: old['detailsOpen'] !== false,
    detailsWidth: isNumber(old['detailsWidth']) ? old['detailsWidth'] : initialState.detailsWidth,
    direction: one<Direction>(old['direction'], ['wrap', 'down', 'right'], 'wrap'),
    foldGraph: typeof old['foldGraph'] === 'boolean' ? old['foldGraph'] : null,
    unfolded: Array.isArray(old['unfolded']) ? old['unfolded'].filter((key) => typeof key === 'string') : [],
    colorBy: one<ColorBy>(old['colorBy'], COLORINGS, 'bits'),
    camera:
      isNumber(camera?.x) && isNumber(camera.y) && isNumber(camera.scale)
        ? { x: camera.x, y: camera.y, scale: camera.scale }
        : null,
    branch: index(old['branch']),
    tradeOff: one<TradeOffMode>(old['tradeOff'], ['accuracy', 'memory', 'phi'], 'accuracy'),
    image: index(old['image']) ?? 0,
    score: isNumber(old['score']) && old['score'] >= 0 && old['score'] <= 1 ? old['score'] : null,
  };
}
