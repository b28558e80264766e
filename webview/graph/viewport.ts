import type { CanvasSurface } from '../canvas';
import { clampCamera, fitBox, toDrawing, zoomAt, type Camera, type Point } from './camera';
import type { Box } from './scene';

interface ViewportOptions {
  /** The drawing's extent; null while there is no drawing. */
  readonly bounds: () => Box | null;
  readonly onMove: (camera: Camera) => void;
  readonly reducedMotion: () => boolean;
}

/** What part of a drawing a surface shows: panning, zooming and gliding. */
export class Viewport {
  /** Null until the drawing is shown for the first time. */
  camera: Camera | null = null;
  private animation = 0;

  constructor(
    private readonly surface: CanvasSurface,
    private readonly options: ViewportOptions,
  ) {}

  set(camera: Camera): void {
    const bounds = this.options.bounds();
    if (bounds === null) return;
    this.camera = clampCamera(camera, bounds);
    this.options.onMove(this.camera);
  }

  zoom(factor: number): void {
    const { width, height } = this.surface;
    if (this.camera !== null) this.set(zoomAt(this.camera, this.surface, width / 2, height / 2, factor));
  }

  fit(): void {
    const bounds = this.options.bounds();
    if (bounds !== null) this.set(fitBox(bounds, this.surface));
  }

  /** Moves there within a fifth of a second, or at once where motion is reduced. */
  glide(target: Camera): void {
    this.stop();
    if (this.options.reducedMotion() || this.camera === null) {
      this.set(target);
      return;
    }
    const from = this.camera;
    let start: number | null = null;
    const frame = (now: number): void => {
      start ??= now;
      const time = Math.min(1, (now - start) / 180);
      const eased = 1 - (1 - time) ** 3;
      const mix = (a: number, b: number): number => a + (b - a) * eased;
      this.set({ x: mix(from.x, target.x), y: mix(from.y, target.y), scale: mix(from.scale, target.scale) });
      if (time < 1) this.animation = requestAnimationFrame(frame);
    };
    this.animation = requestAnimationFrame(frame);
  }

  /** Ends a glide. */
  stop(): void {
    cancelAnimationFrame(this.animation);
  }

  /** Where an event is in the drawing; null while nothing is shown. */
  pointAt(event: MouseEvent): Point | null {
    if (this.camera === null) return null;
    const { x, y } = this.local(event);
    return toDrawing(this.camera, this.surface, x, y);
  }

  /** Zooms with Ctrl or Cmd, otherwise pans. */
  onWheel(event: WheelEvent): void {
    if (this.camera === null) return;
    this.stop();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const { x, y } = this.local(event);
    if (event.ctrlKey || event.metaKey) {
      this.set(zoomAt(this.camera, this.surface, x, y, Math.exp(-event.deltaY * unit * 0.004)));
      return;
    }
    const [dx, dy] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
    const { scale } = this.camera;
    this.set({ scale, x: this.camera.x + (dx * unit) / scale, y: this.camera.y + (dy * unit) / scale });
  }

  /** Drags the drawing while a button is held on an element. @param onClick called at its end if it did not move */
  drag(element: HTMLElement, event: PointerEvent, onClick: () => void): void {
    this.stop();
    const start = this.camera;
    const [x, y] = [event.clientX, event.clientY];
    let moved = false;
    element.setPointerCapture(event.pointerId);
    const move = (drag: PointerEvent): void => {
      moved ||= Math.hypot(drag.clientX - x, drag.clientY - y) > 3;
      if (moved && start !== null)
        this.set({
          scale: start.scale,
          x: start.x - (drag.clientX - x) / start.scale,
          y: start.y - (drag.clientY - y) / start.scale,
        });
    };
    element.addEventListener('pointermove', move);
    element.addEventListener(
      'lostpointercapture',
      () => {
        element.removeEventListener('pointermove', move);
        if (!moved) onClick();
      },
      { once: true },
    );
  }

  private local(event: MouseEvent): Point {
    const box = this.surface.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}
