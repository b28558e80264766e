import type { EditorView } from '../../src/protocol/views';
import { bitsChoices, bitsKindText, type BitsKind } from '../bitsChoices';
import { CanvasSurface } from '../canvas';
import type { Context } from '../context';
import { fill, h, setAria } from '../dom';
import type { Picture } from '../export/pictures';
import { plain } from '../format';
import { t } from '../l10n';
import { openMenu } from '../menu';
import type { Direction } from '../state';
import { Tooltip, tooltipRows } from '../tooltip';
import { iconButton, progressRing } from '../ui';
import { firstCamera, fitBox, sees, type Camera } from './camera';
import { ColorButton } from './colorButton';
import { coloringOf, type Coloring } from './coloring';
import { GraphSearch } from './graphSearch';
import { spoken, tooltipFacts } from './graphText';
import { Layouts } from './layouts';
import { Minimap } from './minimap';
import { paintGraph, type GraphMarks } from './paint';
import { nodeHeight, nodeWidth, Scene } from './scene';
import { placeAtStrip, STRIP_KEYS, stripAt } from './strips';
import { Viewport } from './viewport';

const NEXT: Readonly<Record<Direction, Direction>> = { wrap: 'down', down: 'right', right: 'wrap' };

/** The drawing of the network: pan, zoom, search, and walking along its edges with the arrow keys. */
export class GraphView {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly surface: CanvasSurface;
  private readonly minimap: Minimap;
  private readonly tooltip = new Tooltip();
  private readonly search: GraphSearch;
  private readonly waiting = h('div', { class: 'graph-waiting', role: 'status' });
  private readonly layouts: Layouts;
  private readonly anchor = h('span', { class: 'graph-anchor', aria: { hidden: true } });
  private readonly colorButton: ColorButton;
  private coloring: Coloring | null = null;
  private view: EditorView | null = null;
  private scene: Scene | null = null;
  private readonly viewport: Viewport;
  private hovered: number | null = null;
  private consumers: readonly (readonly number[])[] = [];
  private shown = false;
  /** The selection that the view has been moved to. */
  private revealed: number | null = null;

  constructor(private readonly context: Context) {
    const { store, theme } = context;
    this.layouts = new Layouts(context.host);
    this.colorButton = new ColorButton(store);
    this.waiting.hidden = true;
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
      if (changed.has('direction')) this.forget();
      if (changed.has('colorBy')) this.recolor();
      if (changed.has('selected')) this.reveal(store.ui.selected);
    });
  }

  private newStage(): HTMLElement {
    const { store } = this.context;
    return h(
      'div',
      {
        class: 'graph-stage',
        tabIndex: 0,
        role: 'application',
        aria: { roledescription: t('graph') },
        on: {
          keydown: (event) => this.onKey(event),
          focus: () => this.surface.invalidate(),
          blur: () => this.surface.invalidate(),
          pointerdown: (event) => this.onPress(event),
          pointermove: (event) => this.onHover(event),
          pointerleave: () => this.hover(null),
          dblclick: () => store.showDetails(),
        },
      },
      this.surface.canvas,
    );
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
        iconButton('minus', t('Zoom out'), () => this.viewport.zoom(1 / 1.3)),
        iconButton('plus', t('Zoom in'), () => this.viewport.zoom(1.3)),
        iconButton('fit', t('Show the whole graph'), () => this.viewport.fit()),
        iconButton('rotate', t('Turn the graph'), () =>
          store.update({ direction: NEXT[store.ui.direction], camera: null }),
        ),
      ),
      h('div', { class: 'graph-area' }, this.stage, this.anchor, this.waiting, this.minimap.element),
      this.tooltip.element,
    );
  }

  private paint(ctx: CanvasRenderingContext2D, size: { readonly width: number; readonly height: number }): void {
    const scene = this.ensureScene();
    if (scene === null || this.camera === null) return;
    const { store, theme } = this.context;
    const marks = {
      selected: store.ui.selected,
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
    const consumers: number[][] = view.model.layers.map(() => []);
    for (const layer of view.model.layers) for (const input of layer.inputs) consumers[input]?.push(layer.id);
    this.consumers = consumers;
    setAria(
      this.stage,
      'label',
      t(
        'Graph of {0} layers. Arrow keys follow the edges, plus and minus zoom, 0 shows everything.',
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
      const layout = this.layouts.at(store.ui.direction);
      if (layout === null) {
        void this.fetchLayout();
        return null;
      }
      this.scene = new Scene(this.view.model.layers, this.view, store.ui.direction, layout, this.room());
    }
    this.viewport.camera ??=
      store.ui.direction === 'wrap'
        ? fitBox(this.scene.bounds, this.surface)
        : (store.ui.camera ??
          firstCamera(this.scene.bounds, this.scene.start, this.surface, store.ui.direction === 'down'));
    return this.scene;
  }

  /** Asks for the layout; the drawing follows. Only a graph that takes its time is announced. */
  private async fetchLayout(): Promise<void> {
    const timer = window.setTimeout(() => {
      this.waiting.hidden = false;
      const count = plain(this.view?.model.layers.length ?? 0, 0);
      fill(this.waiting, progressRing(t('Laying out')), t('Laying out {0} layers…', count));
    }, 200);
    try {
      await this.layouts.fetch(this.context.store.ui.direction);
      this.waiting.hidden = true;
      this.surface.invalidate();
      this.catchUp();
    } catch (error) {
      this.waiting.hidden = false;
      fill(this.waiting, t('The graph cannot be drawn: {0}', error instanceof Error ? error.message : String(error)));
    } finally {
      window.clearTimeout(timer);
    }
  }

  /** The whole graph, for a file, in the direction that is shown or another. */
  async picture(direction: Direction = this.context.store.ui.direction): Promise<Picture> {
    const { view } = this;
    const layout = view === null ? null : await this.layouts.fetch(direction);
    if (view === null || layout === null) throw new Error(t('The model has changed meanwhile. Try again.'));
    const scene = new Scene(view.model.layers, view, direction, layout, this.room());
    const margin = 16;
    const { x, y, width, height } = scene.bounds;
    const size = { width: width + 2 * margin, height: height + 2 * margin };
    return {
      ...size,
      paint: (context, colors) =>
        paintGraph(
          context,
          scene,
          { x: x + width / 2, y: y + height / 2, scale: 1 },
          size,
          { selected: null, hovered: null, found: null, focused: false, ...this.meaning() },
          colors,
        ),
    };
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

  /** The strip of a node that the pointer is on, where there is a choice. */
  private stripUnder(event: MouseEvent, node: number): BitsKind | null {
    const point = this.viewport.pointAt(event);
    return this.scene === null || point === null || this.camera!.scale < 0.4 ? null : stripAt(this.scene, node, point);
  }

  /** The menu of a node's bits, at the node. */
  private openBits(node: number, kind: BitsKind): void {
    const layer = this.view?.model.layers[node];
    if (layer === undefined || this.scene === null || this.camera === null) return;
    const choices = this.view?.plan?.calibrated === true ? bitsChoices(layer, kind, this.context.edits) : null;
    if (choices === null) {
      this.context.announce(t('There is no choice of bits here'));
      return;
    }
    placeAtStrip(this.anchor, this.scene, node, kind, this.camera, this.surface);
    openMenu(this.anchor, bitsKindText(kind), choices, () => this.stage.focus());
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
    if (node === null || !this.shown || this.camera === null || this.scene === null || node >= this.scene.layers.length)
      return;
    this.revealed = node;
    const { x, y } = this.scene.at(node);
    const box = { x: x - nodeWidth / 2, y: y - nodeHeight / 2, width: nodeWidth, height: nodeHeight };
    if (!sees(this.camera, this.surface, box) || this.camera.scale < 0.5)
      this.viewport.glide({ x, y, scale: Math.max(this.camera.scale, 0.7) });
  }

  private find(): void {
    this.search.find(this.view?.model.layers ?? []);
    this.surface.invalidate();
  }

  private select(node: number): void {
    this.context.store.update({ selected: node });
    const layer = this.view?.model.layers[node];
    if (layer !== undefined) this.context.announce(spoken(layer, this.consumers[node]?.length ?? 0));
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
    const layer = node === null ? undefined : this.view?.model.layers[node];
    if (layer !== undefined)
      this.tooltip.show(event.clientX, event.clientY, ...tooltipRows(layer.name, tooltipFacts(layer)));
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
    if (node === null) {
      this.context.store.update({ selected: null });
      return;
    }
    this.select(node);
    const kind = this.stripUnder(event, node);
    if (kind !== null) this.openBits(node, kind);
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.camera === null) return;
    this.hover(null);
    this.viewport.onWheel(event);
  }

  private onKey(event: KeyboardEvent): void {
    const { store } = this.context;
    const layers = this.view?.model.layers ?? [];
    const down = store.ui.direction !== 'right';
    const at = store.ui.selected;
    const forward = down ? 'ArrowDown' : 'ArrowRight';
    const back = down ? 'ArrowUp' : 'ArrowLeft';
    let next: number | null | undefined;
    if (event.key.startsWith('Arrow')) {
      if (at === null) next = layers.length > 0 ? 0 : null;
      else if (event.key === forward) next = this.scene?.nearest(at, this.consumers[at] ?? []);
      else if (event.key === back) next = this.scene?.nearest(at, layers[at]?.inputs ?? []);
      else next = this.scene?.sibling(at, event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Home') next = 0;
    else if (event.key === 'End') next = layers.length - 1;
    else if (event.key === '+' || event.key === '=') this.viewport.zoom(1.3);
    else if (event.key === '-') this.viewport.zoom(1 / 1.3);
    else if (event.key === '0') this.viewport.fit();
    else if (event.key === 'Enter') store.showDetails();
    else if (at !== null && STRIP_KEYS[event.key] !== undefined) this.openBits(at, STRIP_KEYS[event.key]);
    else return;
    event.preventDefault();
    if (next != null && next >= 0) this.select(next);
  }
}
