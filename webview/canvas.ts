import { h, type Props } from './dom';

/** A canvas as large as its box, sharp on any screen, repainted at most once per frame. */
export class CanvasSurface {
  readonly canvas = h('canvas', { class: 'surface' });
  private readonly context2d = this.canvas.getContext('2d')!;
  private frame = 0;
  width = 0;
  height = 0;

  constructor(
    private readonly paint: (ctx: CanvasRenderingContext2D, width: number, height: number) => void,
    private readonly onResize: () => void = () => undefined,
  ) {
    new ResizeObserver(() => {
      const { clientWidth, clientHeight } = this.canvas;
      if (clientWidth === this.width && clientHeight === this.height) return;
      this.width = clientWidth;
      this.height = clientHeight;
      this.onResize();
      // At once: an empty frame between resizing and painting flickers.
      this.draw();
    }).observe(this.canvas);
  }

  /** What holds the canvas and has its keys and pointer. @param role what it is, for screen readers */
  stage(name: string, role: string, on: Props['on']): HTMLElement {
    const props = { class: name, tabIndex: 0, role: 'application', aria: { roledescription: role }, on };
    return h('div', props, this.canvas);
  }

  invalidate(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    if (this.width === 0 || this.height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const [w, ht] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== ht) {
      this.canvas.width = w;
      this.canvas.height = ht;
    }
    this.context2d.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context2d.clearRect(0, 0, this.width, this.height);
    this.paint(this.context2d, this.width, this.height);
  }
}

/** The longest beginning of `text` that fits, with an ellipsis when shortened. */
export function fitText(ctx: Pick<CanvasRenderingContext2D, 'measureText'>, text: string, width: number): string {
  if (width <= 0) return '';
  // A name may be megabytes long; nothing beyond this could fit.
  const start = text.length > 400 ? text.slice(0, 400) : text;
  if (start === text && ctx.measureText(text).width <= width) return text;
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(`${start.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${start.slice(0, low)}…`;
}
