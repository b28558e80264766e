import type { EditorView, LayerView } from '../../src/protocol/views';
import { bitsChoices, bitsKindText, type BitsKind } from '../bitsChoices';
import { CanvasSurface } from '../canvas';
import type { Context } from '../context';
import { fill, h, setAria } from '../dom';
import type { Picture } from '../export/pictures';
import { countText, plain, shapeText } from '../format';
import { kindText, matcher, searchText } from '../layers/layerText';
import { t } from '../l10n';
import { openMenu } from '../menu';
import type { Direction } from '../state';
import { Tooltip, tooltipRows } from '../tooltip';
import { iconButton, progressRing, searchField } from '../ui';
import { clampCamera, firstCamera, fitBox, toDrawing, visiblePart, zoomAt, type Camera } from './camera';
import { ColorButton } from './colorButton';
import { coloringOf, type Coloring } from './coloring';
import { Layouts } from './layouts';
import { Minimap } from './minimap';
import { paintGraph, stripBox, stripsOf, type GraphMarks } from './paint';
import { nodeHeight, nodeWidth, overlaps, Scene } from './scene';

const NEXT: Readonly<Record<Direction, Direction>> = { wrap: 'down', down: 'right', right: 'wrap' };

/** Keys that open the bits of the selected node. */
const STRIP_KEYS: Readonly<Record<string, BitsKind>> = { i: 'inputBits', w: 'weightBits', o: 'bits' };

/** The drawing of the network: pan, zoom, search, and walking along its edges with the arrow keys. */
export class GraphView {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly surface: CanvasSurface;
  private readonly minimap: Minimap;
  private readonly tooltip = new Tooltip();
  private readonly field: HTMLElement & { value: string };
  private readonly waiting = h('div', { class: 'graph-waiting', role: 'status' });
  private readonly layouts: Layouts;
  private readonly anchor = h('span', { class: 'graph-anchor', aria: { hidden: true } });
  private readonly colorButton: ColorButton;
  private coloring: Coloring | null = null;
  private readonly counter = h('span', { class: 'muted toolbar-note', role: 'status' });
  private view: EditorView | null = null;
  private scene: Scene | null = null;
  private camera: Camera | null = null;
  private found: ReadonlySet<number> | null = null;
  private hovered: number | null = null;
  private consumers: readonly (readonly number[])[] = [];
  private shown = false;
  private animation = 0;
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
      (ctx, width, height) => {
        const scene = this.ensureScene();
        if (scene === null || this.camera === null) return;
        paintGraph(
          ctx,
          scene,
          this.camera,
          { width, height },
          {
            selected: store.ui.selected,
            hovered: this.hovered,
            found: this.found,
            focused: this.stage.contains(document.activeElement),
            ...this.meaning(),
          },
          theme.colors,
        );
        this.minimap.show(scene, this.camera, { width, height });
      },
      () => {
        // Columns fill the room that there is.
        if (store.ui.direction === 'wrap') this.forget();
        this.catchUp();
      },
    );
    this.minimap = new Minimap(theme, (x, y) => this.setCamera({ ...this.camera!, x, y }));
    this.field = searchField(t('Find by name, operation or bits'), store.ui.filter, (filter) =>
      store.update({ filter }),
    );
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.nextFound(event.shiftKey ? -1 : 1);
    });
    this.stage = h(
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
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.element = h(
      'div',
      { class: 'graph-view' },
      h(
        'div',
        { class: 'toolbar' },
        this.field,
        this.counter,
        h('span', { class: 'spacer' }),
        this.colorButton.element,
        iconButton('minus', t('Zoom out'), () => this.zoom(1 / 1.3)),
        iconButton('plus', t('Zoom in'), () => this.zoom(1.3)),
        iconButton('fit', t('Show the whole graph'), () => this.fit()),
        iconButton('rotate', t('Turn the graph'), () =>
          store.update({ direction: NEXT[store.ui.direction], camera: null }),
        ),
      ),
      h('div', { class: 'graph-area' }, this.stage, this.anchor, this.waiting, this.minimap.element),
      this.tooltip.element,
    );
    theme.onChange(() => {
      this.minimap.forgetColors();
      this.surface.invalidate();
    });
    store.onChange((changed) => {
      if (changed.has('filter')) this.search();
      if (changed.has('direction')) this.forget();
      if (changed.has('colorBy')) this.recolor();
      if (changed.has('selected')) this.reveal(store.ui.selected);
    });
  }

  render(view: EditorView): void {
    if (this.layouts.setLayers(view.model.layers) && this.view !== null) this.camera = null;
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
    this.search();
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
    this.field.focus();
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
    this.camera ??=
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
      fill(
        this.waiting,
        progressRing(t('Laying out')),
        t('Laying out {0} layers…', plain(this.view?.model.layers.length ?? 0, 0)),
      );
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
    if (this.scene === null || this.camera === null || this.camera.scale < 0.4) return null;
    const { x, y } = this.local(event);
    const point = toDrawing(this.camera, this.surface, x, y);
    const box = this.scene.boxOf(node);
    const strips = stripsOf(this.scene.layers[node]);
    const at = strips.findIndex((_, i) => overlaps(stripBox(box, i), { ...point, width: 0, height: 0 }));
    return at < 0 ? null : strips[at].kind;
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
    const box = this.scene.boxOf(node);
    const { scale } = this.camera;
    const at = stripBox(
      box,
      stripsOf(layer).findIndex((strip) => strip.kind === kind),
    );
    this.anchor.style.left = `${(at.x - this.camera.x) * scale + this.surface.width / 2}px`;
    this.anchor.style.top = `${(at.y - this.camera.y) * scale + this.surface.height / 2}px`;
    this.anchor.style.height = `${at.height * scale}px`;
    openMenu(this.anchor, bitsKindText(kind), choices, () => this.stage.focus());
  }

  private forget(): void {
    this.scene = null;
    this.camera = null;
    this.surface.invalidate();
    const { selected } = this.context.store.ui;
    if (selected !== null) requestAnimationFrame(() => this.reveal(selected));
  }

  private setCamera(camera: Camera): void {
    if (this.scene === null) return;
    this.camera = clampCamera(camera, this.scene.bounds);
    this.context.store.update({ camera: this.camera });
    this.surface.invalidate();
  }

  private zoom(factor: number): void {
    if (this.camera !== null)
      this.setCamera(zoomAt(this.camera, this.surface, this.surface.width / 2, this.surface.height / 2, factor));
  }

  private fit(): void {
    if (this.scene !== null) this.setCamera(fitBox(this.scene.bounds, this.surface));
  }

  /** Moves to a node that is out of sight; what is in sight stays where it is. */
  private reveal(node: number | null): void {
    this.surface.invalidate();
    if (node === null || !this.shown || this.camera === null || this.scene === null || node >= this.scene.layers.length)
      return;
    this.revealed = node;
    const { x, y } = this.scene.at(node);
    const part = visiblePart(this.camera, this.surface);
    const inside =
      x - nodeWidth / 2 >= part.x &&
      x + nodeWidth / 2 <= part.x + part.width &&
      y - nodeHeight / 2 >= part.y &&
      y + nodeHeight / 2 <= part.y + part.height;
    if (!inside || this.camera.scale < 0.5) this.glide({ x, y, scale: Math.max(this.camera.scale, 0.7) });
  }

  private glide(target: Camera): void {
    cancelAnimationFrame(this.animation);
    if (this.context.theme.reducedMotion || this.camera === null) {
      this.setCamera(target);
      return;
    }
    const from = this.camera;
    let start: number | null = null;
    const frame = (now: number): void => {
      start ??= now;
      const time = Math.min(1, (now - start) / 180);
      const eased = 1 - (1 - time) ** 3;
      const mix = (a: number, b: number): number => a + (b - a) * eased;
      this.setCamera({ x: mix(from.x, target.x), y: mix(from.y, target.y), scale: mix(from.scale, target.scale) });
      if (time < 1) this.animation = requestAnimationFrame(frame);
    };
    this.animation = requestAnimationFrame(frame);
  }

  private search(): void {
    const { filter } = this.context.store.ui;
    if (this.field.value !== filter) this.field.value = filter;
    const layers = this.view?.model.layers ?? [];
    if (filter.trim() === '') {
      this.found = null;
      this.counter.textContent = '';
    } else {
      const matches = matcher(filter);
      this.found = new Set(layers.filter((layer) => matches(searchText(layer))).map((layer) => layer.id));
      this.counter.textContent = t('{0} of {1} layers', plain(this.found.size, 0), plain(layers.length, 0));
    }
    this.surface.invalidate();
  }

  private nextFound(step: 1 | -1): void {
    const nodes = [...(this.found ?? [])];
    if (nodes.length === 0) return;
    const { selected } = this.context.store.ui;
    const after =
      step > 0
        ? nodes.find((node) => node > (selected ?? -1))
        : nodes.filter((node) => node < (selected ?? Infinity)).pop();
    this.select(after ?? (step > 0 ? nodes[0] : nodes[nodes.length - 1]));
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

  private local(event: MouseEvent): { readonly x: number; readonly y: number } {
    const box = this.surface.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private nodeUnder(event: MouseEvent): number | null {
    if (this.scene === null || this.camera === null) return null;
    const { x, y } = this.local(event);
    const point = toDrawing(this.camera, this.surface, x, y);
    return this.scene.nodeAt(point.x, point.y);
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
    cancelAnimationFrame(this.animation);
    const start = this.camera;
    const [x, y] = [event.clientX, event.clientY];
    let moved = false;
    const node = this.nodeUnder(event);
    this.stage.setPointerCapture(event.pointerId);
    this.tooltip.hide();
    const move = (drag: PointerEvent): void => {
      moved ||= Math.hypot(drag.clientX - x, drag.clientY - y) > 3;
      if (moved && start !== null)
        this.setCamera({
          scale: start.scale,
          x: start.x - (drag.clientX - x) / start.scale,
          y: start.y - (drag.clientY - y) / start.scale,
        });
    };
    this.stage.addEventListener('pointermove', move);
    this.stage.addEventListener(
      'lostpointercapture',
      () => {
        this.stage.removeEventListener('pointermove', move);
        if (!moved && event.button === 0) {
          if (node === null) this.context.store.update({ selected: null });
          else {
            this.select(node);
            const kind = this.stripUnder(event, node);
            if (kind !== null) this.openBits(node, kind);
          }
        }
      },
      { once: true },
    );
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.camera === null) return;
    cancelAnimationFrame(this.animation);
    this.hover(null);
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const { x, y } = this.local(event);
    if (event.ctrlKey || event.metaKey)
      this.setCamera(zoomAt(this.camera, this.surface, x, y, Math.exp(-event.deltaY * unit * 0.004)));
    else {
      const [dx, dy] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
      this.setCamera({
        ...this.camera,
        x: this.camera.x + (dx * unit) / this.camera.scale,
        y: this.camera.y + (dy * unit) / this.camera.scale,
      });
    }
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
      else if (event.key === forward) next = this.nearest(at, this.consumers[at] ?? []);
      else if (event.key === back) next = this.nearest(at, layers[at]?.inputs ?? []);
      else next = this.scene?.sibling(at, event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Home') next = 0;
    else if (event.key === 'End') next = layers.length - 1;
    else if (event.key === '+' || event.key === '=') this.zoom(1.3);
    else if (event.key === '-') this.zoom(1 / 1.3);
    else if (event.key === '0') this.fit();
    else if (event.key === 'Enter') store.showDetails();
    else if (at !== null && STRIP_KEYS[event.key] !== undefined) this.openBits(at, STRIP_KEYS[event.key]);
    else return;
    event.preventDefault();
    if (next != null && next >= 0) this.select(next);
  }

  /** Of several neighbours the one that lies straightest ahead. */
  private nearest(from: number, nodes: readonly number[]): number | null {
    if (this.scene === null || nodes.length === 0) return null;
    const a = this.scene.at(from);
    const distance = (node: number): number => Math.hypot(this.scene!.at(node).x - a.x, this.scene!.at(node).y - a.y);
    return nodes.reduce((best, node) => (distance(node) < distance(best) ? node : best));
  }
}

function tooltipFacts(layer: LayerView): [string, string][] {
  const rows: [string, string][] = [
    [t('Operators'), layer.operators],
    [t('Shape'), shapeText(layer.output)],
  ];
  if (layer.macs > 0) rows.push([t('MACs'), countText(layer.plan?.macs ?? layer.macs)]);
  if (layer.plan !== null)
    rows.push([t('Bits'), `${layer.plan.inputBits} × ${layer.plan.weightBits ?? '–'} → ${layer.plan.bits}`]);
  if (layer.problem !== null) rows.push([t('Problem'), layer.problem.message]);
  return rows;
}

function spoken(layer: LayerView, consumers: number): string {
  const bits =
    layer.plan === null
      ? ''
      : `, ${t('{0} bits', layer.plan.bits)}${layer.plan.inPatchStage ? `, ${t('patch stage')}` : ''}`;
  return (
    `${kindText(layer.kind)} ${layer.detail} ${layer.name}, ${shapeText(layer.output)}${bits}, ` +
    `${t('{0} inputs, {1} readers', layer.inputs.length, consumers)}`
  );
}
