import { CanvasSurface } from '../canvas';
import { h } from '../dom';
import { bitsColor, type Theme } from '../theme';
import { commonBits } from './coloring';
import { visiblePart, type Camera, type Size } from './camera';
import type { Scene } from './scene';

/**
 * The whole graph as a strip along the view, with the part that is seen; clicking and dragging move there. For the
 * pointer only: keys move in the graph itself.
 */
export class Minimap {
  readonly element: HTMLElement;
  private readonly surface: CanvasSurface;
  private scene: Scene | null = null;
  private camera: Camera | null = null;
  private viewSize: Size = { width: 1, height: 1 };
  /** The nodes, drawn once per scene and theme. */
  private picture: { readonly canvas: HTMLCanvasElement; readonly key: string } | null = null;

  constructor(
    private readonly theme: Theme,
    onMove: (x: number, y: number) => void,
  ) {
    this.surface = new CanvasSurface((ctx, width, height) => this.paint(ctx, width, height));
    this.element = h('div', { class: 'minimap', aria: { hidden: true } }, this.surface.canvas);
    const move = (event: PointerEvent): void => {
      const box = this.surface.canvas.getBoundingClientRect();
      const fit = this.fit();
      if (fit !== null)
        onMove((event.clientX - box.left - fit.x) / fit.scaleX, (event.clientY - box.top - fit.y) / fit.scaleY);
    };
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      move(event);
      event.stopPropagation();
    });
    this.element.addEventListener('pointermove', (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) move(event);
      event.stopPropagation();
    });
  }

  show(scene: Scene, camera: Camera, viewSize: Size): void {
    if (scene !== this.scene) this.picture = null;
    this.scene = scene;
    this.camera = camera;
    this.viewSize = viewSize;
    // What is wrapped fills the view and needs no map.
    this.element.hidden = scene.direction === 'wrap';
    this.element.classList.toggle('minimap-right', scene.direction === 'right');
    this.surface.invalidate();
  }

  forgetColors(): void {
    this.picture = null;
    this.surface.invalidate();
  }

  /** The strip is much longer than wide: both axes have their own scale, never more than a tenth. */
  private fit(): { x: number; y: number; scaleX: number; scaleY: number } | null {
    if (this.scene === null) return null;
    const { bounds } = this.scene;
    const { width, height } = this.surface;
    const scaleX = Math.min(0.12, (width - 8) / bounds.width);
    const scaleY = Math.min(0.12, (height - 8) / bounds.height);
    return {
      x: width / 2 - (bounds.x + bounds.width / 2) * scaleX,
      y: height / 2 - (bounds.y + bounds.height / 2) * scaleY,
      scaleX,
      scaleY,
    };
  }

  private paint(ctx: CanvasRenderingContext2D, width: number, height: number): void {
    const fit = this.fit();
    if (fit === null || this.camera === null || this.scene === null) return;
    const key = `${width}×${height}@${window.devicePixelRatio}`;
    if (this.picture?.key !== key) this.picture = { key, canvas: this.drawNodes(width, height, fit) };
    ctx.drawImage(this.picture.canvas, 0, 0, width, height);
    const part = visiblePart(this.camera, this.viewSize);
    const { colors } = this.theme;
    const x0 = Math.max(1, fit.x + part.x * fit.scaleX);
    const y0 = Math.max(1, fit.y + part.y * fit.scaleY);
    const x1 = Math.min(width - 1, fit.x + (part.x + part.width) * fit.scaleX);
    const y1 = Math.min(height - 1, fit.y + (part.y + part.height) * fit.scaleY);
    ctx.fillStyle = ctx.strokeStyle = colors.foreground;
    ctx.globalAlpha = 0.1;
    ctx.fillRect(x0, y0, x1 - x0, Math.max(2, y1 - y0));
    ctx.globalAlpha = colors.highContrast ? 1 : 0.5;
    ctx.strokeRect(x0 + 0.5, y0 + 0.5, Math.max(1, x1 - x0 - 1), Math.max(2, y1 - y0 - 1));
    ctx.globalAlpha = 1;
  }

  private drawNodes(
    width: number,
    height: number,
    fit: { x: number; y: number; scaleX: number; scaleY: number },
  ): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const ctx = canvas.getContext('2d')!;
    ctx.scale(ratio, ratio);
    const { colors } = this.theme;
    const { stage, nodes } = this.scene!;
    if (stage !== null) {
      ctx.fillStyle = colors.stage;
      ctx.globalAlpha = 0.25;
      ctx.fillRect(
        fit.x + stage.x * fit.scaleX,
        fit.y + stage.y * fit.scaleY,
        stage.width * fit.scaleX,
        stage.height * fit.scaleY,
      );
    }
    ctx.globalAlpha = 0.85;
    for (const { id, layers } of nodes) {
      const box = this.scene!.boxOf(id);
      const problem = layers.some((layer) => layer.problem !== null);
      ctx.fillStyle = problem ? colors.error : bitsColor(colors, commonBits(layers));
      ctx.fillRect(
        fit.x + box.x * fit.scaleX,
        fit.y + box.y * fit.scaleY,
        Math.max(1.5, box.width * fit.scaleX),
        Math.max(1, box.height * fit.scaleY),
      );
    }
    return canvas;
  }
}
