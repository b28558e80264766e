import type { EditorView } from '../../src/protocol/views';
import type { BitsKind } from '../bitsChoices';
import { CanvasSurface } from '../canvas';
import type { Context } from '../context';
import { h, setAria } from '../dom';
import type { Picture } from '../export/pictures';
import { t } from '../l10n';
import type { Direction } from '../state';
import { Tooltip, tooltipRows } from '../tooltip';
import { iconButton } from '../ui';
import { firstCamera, fitBox, sees, type Camera } from './camera';
import { ColorButton } from './colorButton';
import { coloringOf, type Coloring } from './coloring';
import { GraphSearch } from './graphSearch';
import { keyOf, type FoldedGraph } from './folding';
import { Folds } from './folds';
import { graphPicture } from './graphPicture';
import { nodeFacts, spoken } from './graphText';
import { Layouts } from './layouts';
import { Minimap } from './minimap';
import { paintGraph } from './paint';
import type { GraphMarks } from './paintNode';
import { LEGIBLE, Scene } from './scene';
import { openNodeBits } from './nodeBits';
import { placeAtStrip, STRIP_KEYS, stripAt } from './strips';
import { Viewport } from './viewport';
import { Waiting } from './waiting';

const NEXT: Readonly<Record<Direction, Direction>> = { wrap: 'down', down: 'right', right: 'wrap' };

/** The drawing of the network: pan, zoom, search, and walking along its edges with the arrow keys. */
export class GraphView {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly surface: CanvasSurface;
  private readonly minimap: Minimap;
  private readonly tooltip = new Tooltip();
  private readonly search: GraphSearch;
  private readonly waiting = new Waiting();
  private readonly layouts: Layouts;
  private readonly folds: Folds;
  private readonly anchor = h('span', { class: 'graph-anchor', aria: { hidden: true } });
  private readonly colorButton: ColorButton;
  private coloring: Coloring | null = null;
  private view: EditorView | null = null;
  private scene: Scene | null = null;
  private readonly viewport: Viewport;
  private hovered: number | null = null;
  private shown = false;
  /** The selection that the view has been moved to. */
  private revealed: number | null = null;

  constructor(private readonly context: Context) {
    const { store, theme } = context;
    this.layouts = new Layouts(context.host);
    this.folds = new Folds(store, (text) => context.announce(text));
    this.colorButton = new ColorButton(store);
    // A saved camera already shows what its person was looking at.
    if (store.ui.camera !== null) this.revealed = store.ui.selected;
    this.surface = new CanvasSurface(
      (ctx, width, height) => this.paint(ctx, { width, height }),
      () => {
        // Columns fill the room that there is.
        if (store.ui.direction === 'wrap') this.forget();
        this.catchUp();
      },
    );
    this.viewport = new Viewport(this.surface, {
      bounds: () => this.scene?.bounds ?? null,
      onMove: (camera) => {
        store.update({ camera });
        this.surface.invalidate();
      },
      reducedMotion: () => theme.reducedMotion,
    });
    this.minimap = new Minimap(theme, (x, y) => this.viewport.set({ ...this.camera!, x, y }));
    this.search = new GraphSearch(store, (node) => this.select(node));
    this.stage = this.newStage();
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.element = this.newElement();
    theme.onChange(() => {
      this.minimap.forgetColors();
      this.surface.invalidate();
    });
    store.onChange((changed) => {
      if (changed.has('filter')) this.find();
      if (changed.has('direction') || changed.has('foldGraph')) this.forget();
      else if (changed.has('unfolded')) this.refold();
      if (changed.has('colorBy')) this.recolor();
      if (changed.has('selected')) this.reveal(store.ui.selected);
    });
  }

  private newStage(): HTMLElement {
    const { store } = this.context;
    return this.surface.stage('graph-stage', t('graph'), {
      keydown: (event) => this.onKey(event),
      focus: () => this.surface.invalidate(),
      blur: () => this.surface.invalidate(),
      pointerdown: (event) => this.onPress(event),
      pointermove: (event) => this.onHover(event),
      pointerleave: () => this.hover(null),
      dblclick: () => store.showDetails(),
    });
  }

  private newElement(): HTMLElement {
    const { store } = this.context;
    return h(
      'div',
      { class: 'graph-view' },
      h(
        'div',
        { class: 'toolbar' },
        ...this.search.elements,
        h('span', { class: 'spacer' }),
        this.colorButton.element,
        this.folds.button,
        iconButton('minus', t('Zoom out'), () => this.viewport.zoom(1 / 1.3)),
        iconButton('plus', t('Zoom in'), () => this.viewport.zoom(1.3)),
        iconButton('fit', t('Show the whole graph'), () => this.viewport.fit()),
        iconButton('rotate', t('Turn the graph'), () =>
          store.update({ direction: NEXT[store.ui.direction], camera: null }),
        ),
      ),
      h('div', { class: 'graph-area' }, this.stage, this.anchor, this.waiting.element, this.minimap.element),
      this.tooltip.element,
    );
  }

  private paint(ctx: CanvasRenderingContext2D, size: { readonly width: number; readonly height: number }): void {
    const scene = this.ensureScene();
    if (scene === null || this.camera === null) return;
    const { theme } = this.context;
    const marks = {
      selected: this.selectedNode(),
      hovered: this.hovered,
      found: this.search.found,
      focused: this.stage.contains(document.activeElement),
      ...this.meaning(),
    };
    paintGraph(ctx, scene, this.camera, size, marks, theme.colors);
    this.minimap.show(scene, this.camera, size);
  }

  private get camera(): Camera | null {
    return this.viewport.camera;
  }

  render(view: EditorView): void {
    if (this.layouts.setLayers(view.model.layers) && this.view !== null) this.viewport.camera = null;
    this.view = view;
    this.scene = null;
    this.recolor();
    this.folds.setLayers(view.model.layers);
    setAria(
      this.stage,
      'label',
      t(
        'Graph of {0} layers. Arrow keys follow the edges, Enter unfolds a block, F folds it again, plus and minus ' +
          'zoom, 0 shows everything.',
        view.model.layers.length,
      ),
    );
    this.find();
    this.surface.invalidate();
  }

  /** Layout waits until somebody looks. */
  setShown(shown: boolean): void {
    this.shown = shown;
    if (!shown) {
      this.hover(null);
      return;
    }
    this.surface.invalidate();
    this.catchUp();
  }

  /** Moves to what was selected in another view, once this one is seen and has a size. */
  private catchUp(): void {
    requestAnimationFrame(() => {
      const { selected } = this.context.store.ui;
      if (selected !== this.revealed && this.ensureScene() !== null) this.reveal(selected);
    });
  }

  focusSearch(): void {
    this.search.focus();
  }

  private ensureScene(): Scene | null {
    const { store } = this.context;
    if (this.view === null || !this.shown || this.surface.width === 0) return null;
    if (this.scene === null) {
      const graph = this.folds.in(this.room());
      const layout = this.layouts.at(store.ui.direction, graph);
      if (layout === null) {
        void this.fetchLayout(graph);
        return null;
      }
      this.scene = new Scene(graph, this.view, store.ui.direction, layout, this.room());
    }
    this.viewport.camera ??=
      store.ui.direction === 'wrap'
        ? fitBox(this.scene.bounds, this.surface)
        : (store.ui.camera ??
          firstCamera(this.scene.bounds, this.scene.start, this.surface, store.ui.direction === 'down'));
    return this.scene;
  }

  /** Asks for the layout; the drawing follows. Only a graph that takes its time is announced. */
  private async fetchLayout(nodes: FoldedGraph): Promise<void> {
    const { direction } = this.context.store.ui;
    if (!(await this.waiting.during(this.layouts.fetch(direction, nodes), nodes.nodes.length))) return;
    this.surface.invalidate();
    this.catchUp();
  }

  /** The whole graph, for a file, in the direction that is shown or another. */
  async picture(direction: Direction = this.context.store.ui.direction): Promise<Picture> {
    const { view } = this;
    const whole = this.folds.whole;
    const layout = view === null ? null : await this.layouts.fetch(direction, whole);
    if (view === null || layout === null) throw new Error(t('The model has changed since. Try again.'));
    return graphPicture(new Scene(whole, view, direction, layout, this.room()), this.meaning());
  }

  private meaning(): Pick<GraphMarks, 'coloring' | 'name'> {
    const { store } = this.context;
    if (this.view !== null) this.coloring ??= coloringOf(this.view, store.ui.colorBy) ?? coloringOf(this.view, 'bits');
    return { coloring: this.coloring!, name: (layer) => store.shortName(layer) };
  }

  private room(): { readonly width: number; readonly height: number } {
    const { width, height } = this.surface;
    return { width: Math.max(1, width - 36), height: Math.max(1, height - 36) };
  }

  private recolor(): void {
    this.coloring = null;
    this.minimap.forgetColors();
    if (this.view !== null) this.colorButton.render(this.view);
    this.surface.invalidate();
  }

  /** The node of the selected layer. */
  private selectedNode(): number | null {
    const { selected } = this.context.store.ui;
    return selected === null ? null : (this.scene?.graph.nodeOf[selected] ?? null);
  }

  /** The strip of a layer's node that the pointer is on, where there is a choice. */
  private stripUnder(event: MouseEvent, node: number): BitsKind | null {
    const point = this.viewport.pointAt(event);
    if (this.scene === null || point === null || this.camera!.scale < LEGIBLE) return null;
    return stripAt(this.scene, node, point, this.camera!.scale);
  }

  /** The menu of a node's bits, at the node. */
  private openBits(node: number, kind: BitsKind): void {
    if (this.scene === null || this.camera === null) return;
    placeAtStrip(this.anchor, this.scene, node, kind, this.camera, this.surface);
    openNodeBits(this.context, this.scene, node, kind, this.anchor, () => this.stage.focus());
  }

  /** Draws other nodes of the same network; what is selected stays in sight. */
  private refold(): void {
    this.scene = null;
    this.hover(null);
    this.tooltip.hide();
    if (this.context.store.ui.direction === 'wrap') this.viewport.camera = null;
    this.revealed = null;
    this.surface.invalidate();
    this.catchUp();
  }

  private forget(): void {
    this.scene = null;
    this.viewport.camera = null;
    this.surface.invalidate();
    const { selected } = this.context.store.ui;
    if (selected !== null) requestAnimationFrame(() => this.reveal(selected));
  }

  /** Moves to a node that is out of sight; what is in sight stays where it is. */
  private reveal(node: number | null): void {
    this.surface.invalidate();
    const at = this.selectedNode();
    if (node === null || at === null || !this.shown || this.camera === null || this.scene === null) return;
    this.revealed = node;
    const { x, y } = this.scene.at(at);
    if (!sees(this.camera, this.surface, this.scene.boxOf(at)) || this.camera.scale < LEGIBLE)
      this.viewport.glide({ x, y, scale: Math.max(this.camera.scale, 0.7) });
  }

  private find(): void {
    this.search.find(this.view?.model.layers ?? []);
    this.surface.invalidate();
  }

  private select(layer: number): void {
    const { store } = this.context;
    store.update({ selected: layer });
    const node = this.selectedNode();
    if (this.scene !== null && node !== null)
      this.context.announce(spoken(this.scene.graph, node, (other) => store.shortName(other)));
  }

  private hover(node: number | null): void {
    if (node === null) this.tooltip.hide();
    if (node === this.hovered) return;
    this.hovered = node;
    this.surface.invalidate();
  }

  private nodeUnder(event: MouseEvent): number | null {
    const point = this.viewport.pointAt(event);
    return this.scene === null || point === null ? null : this.scene.nodeAt(point.x, point.y);
  }

  private onHover(event: PointerEvent): void {
    if (event.buttons !== 0) return;
    const node = this.nodeUnder(event);
    this.hover(node);
    if (node === null || this.scene === null) return;
    this.tooltip.show(event.clientX, event.clientY, ...tooltipRows(...nodeFacts(this.scene.nodes[node])));
  }

  private onPress(event: PointerEvent): void {
    if (event.button !== 0 && event.button !== 1) return;
    const node = this.nodeUnder(event);
    this.tooltip.hide();
    this.viewport.drag(this.stage, event, () => {
      if (event.button === 0) this.click(event, node);
    });
  }

  private click(event: MouseEvent, node: number | null): void {
    const point = this.viewport.pointAt(event);
    const handle = point === null ? null : (this.scene?.handleAt(point) ?? null);
    if (handle !== null) this.folds.close(handle);
    else if (node === null || this.scene === null) this.context.store.update({ selected: null });
    else {
      const { layers } = this.scene.nodes[node];
      this.select(layers[0].id);
      if (layers.length > 1) {
        this.unfold(node);
        return;
      }
      const kind = this.stripUnder(event, node);
      if (kind !== null) this.openBits(node, kind);
    }
  }

  private unfold(node: number): void {
    const group = this.scene!.nodes[node];
    this.folds.open(keyOf(group));
    this.context.announce(t('{0} layers unfolded', group.layers.length));
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.camera === null) return;
    this.hover(null);
    this.viewport.onWheel(event);
  }

  private onKey(event: KeyboardEvent): void {
    const { store } = this.context;
    const { scene } = this;
    const at = this.selectedNode();
    const node = at === null ? null : (scene?.nodes[at] ?? null);
    const next = event.key.startsWith('Arrow') && at === null ? 0 : scene?.toward(at ?? 0, event.key);
    if (next !== undefined) {
      const to = next === null ? undefined : scene?.nodes[next];
      if (to !== undefined) this.select(to.layers[0].id);
    } else if (event.key === '+' || event.key === '=') this.viewport.zoom(1.3);
    else if (event.key === '-') this.viewport.zoom(1 / 1.3);
    else if (event.key === '0') this.viewport.fit();
    else if (event.key === 'Enter') {
      if (node !== null && node.layers.length > 1) this.unfold(node.id);
      else store.showDetails();
    } else if (node !== null && event.key === 'f' && !event.ctrlKey && !event.metaKey) {
      if (!this.folds.closeAround(scene!.graph, node.id)) this.context.announce(t('There is nothing to unfold'));
    } else if (node !== null && STRIP_KEYS[event.key] !== undefined) this.openBits(node.id, STRIP_KEYS[event.key]);
    else return;
    event.preventDefault();
  }
}
