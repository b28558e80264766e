import type { BufferView, PlanView } from '../../src/protocol/views';
import { CanvasSurface } from '../canvas';
import type { Context } from '../context';
import type { Picture } from '../export/pictures';
import { setAria } from '../dom';
import { bytesText, plain } from '../format';
import { t } from '../l10n';
import { Tooltip, tooltipRows } from '../tooltip';
import { bytesAt, gutter, paintMemory, plotWidth, stepAt, xOf, type Scale } from './paint';
import { aliveAt, axisTop, timelineOf, type Timeline } from './timeline';

/** What a buffer is for, by the roles of the program. */
function roleText(role: string): string {
  const texts: Partial<Record<string, string>> = {
    input: t('input of the network'),
    output: t('output of the network'),
    map: t('whole feature map'),
    branch: t('part of a feature map, for one branch'),
    cache: t('halo kept between branches'),
    view: t('requantized copy for one reader'),
    scratch: t('working memory of a kernel'),
    flags: t('classes of the branches'),
  };
  return texts[role] ?? role;
}

/**
 * The memory chart with its cursor: pointer and arrow keys name the buffers, click and Enter select the layer, wheel
 * and + − zoom the steps.
 */
export class MemoryChart {
  readonly element: HTMLElement;
  private readonly surface: CanvasSurface;
  private readonly tooltip = new Tooltip();
  private timeline: Timeline | null = null;
  private plan: PlanView | null = null;
  private step: number | null = null;
  private buffer: BufferView | null = null;
  fullScale = false;

  constructor(private readonly context: Context) {
    this.surface = new CanvasSurface((ctx, width, height) => {
      if (this.timeline === null) return;
      paintMemory(
        ctx,
        this.timeline,
        this.scale(width, height),
        {
          nameOf: (buffer) => this.nameOf(buffer),
          selectedLayer: context.store.ui.selected,
          cursorStep: this.step,
          cursorBuffer: this.buffer?.id ?? null,
        },
        context.theme.colors,
      );
    });
    this.element = this.surface.stage('memory-chart', t('memory chart'), {
      pointermove: (event) => this.onMove(event),
      pointerleave: () => this.clear(),
      click: () => this.choose(),
      dblclick: () => context.store.update({ memoryRange: null }),
      keydown: (event) => this.onKey(event),
      blur: () => this.clear(),
    });
    this.element.append(this.tooltip.element);
    this.element.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    context.theme.onChange(() => this.surface.invalidate());
    context.store.onChange((changed) => {
      if (changed.has('selected') || changed.has('memoryRange')) this.surface.invalidate();
    });
  }

  render(plan: PlanView): void {
    this.plan = plan;
    this.timeline = timelineOf(plan);
    const { peakStep, peakBytes, limitBytes } = this.timeline;
    setAria(
      this.element,
      'label',
      t(
        'Memory over {0} steps: peak {1} of {2} at step {3}. Arrow keys move over steps and buffers.',
        plan.steps.length,
        bytesText(peakBytes),
        bytesText(limitBytes),
        peakStep,
      ),
    );
    this.clear();
  }

  /** All steps in a given size, without cursor and selection. */
  picture(width: number, height: number): Picture {
    const timeline = this.timeline!;
    return {
      width,
      height,
      paint: (context, colors) =>
        paintMemory(
          context,
          timeline,
          {
            from: 0,
            to: Math.max(0, timeline.steps.length - 1),
            width,
            height,
            top: axisTop(timeline, this.fullScale),
          },
          { nameOf: (buffer) => this.nameOf(buffer), selectedLayer: null, cursorStep: null, cursorBuffer: null },
          colors,
        ),
    };
  }

  private nameOf(buffer: BufferView): string {
    return buffer.layer >= 0 && buffer.role !== 'scratch' ? this.context.store.shortName(buffer.layer) : buffer.name;
  }

  redraw(): void {
    this.surface.invalidate();
  }

  private scale(width: number, height: number): Scale {
    const [from, to] = this.range();
    return { from, to, width, height, top: axisTop(this.timeline!, this.fullScale) };
  }

  private range(): readonly [number, number] {
    return this.context.store.ui.memoryRange ?? [0, Math.max(0, (this.timeline?.steps.length ?? 1) - 1)];
  }

  private onMove(event: PointerEvent): void {
    const box = this.surface.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const scale = this.scale(this.surface.width, this.surface.height);
    const step = stepAt(scale, x);
    if (
      this.timeline === null ||
      x < gutter.left ||
      x > gutter.left + plotWidth(scale) ||
      step < scale.from ||
      step > scale.to
    ) {
      this.clear();
      return;
    }
    const byte = bytesAt(scale, y);
    this.step = step;
    this.buffer =
      aliveAt(this.timeline, step).find((buffer) => byte >= buffer.offset && byte < buffer.offset + buffer.bytes) ??
      null;
    this.showTooltip(event.clientX, event.clientY);
    this.surface.invalidate();
  }

  private clear(): void {
    this.step = null;
    this.buffer = null;
    this.tooltip.hide();
    this.surface.invalidate();
  }

  private showTooltip(clientX: number, clientY: number): void {
    const { plan, buffer } = this;
    const step = plan?.steps[this.step ?? -1];
    if (plan === null || step === undefined) return;
    const where = step.branch < 0 ? t('tail') : t('branch {0}', step.branch + 1);
    const stepRows: [string, string][] = [
      [t('Step'), `${plain(step.id, 0)} · ${where}`],
      [t('Runs'), `${step.op} · ${this.context.store.shortName(step.layer)}`],
      [t('In use'), bytesText(this.timeline?.used[step.id] ?? 0)],
    ];
    if (buffer === null) this.tooltip.show(clientX, clientY, ...tooltipRows(t('Free'), stepRows));
    else {
      this.tooltip.show(
        clientX,
        clientY,
        ...tooltipRows(buffer.name, [
          [t('Size'), `${bytesText(buffer.bytes)} · ${t('{0} bits', buffer.bits)}`],
          [t('Offset'), plain(buffer.offset, 0)],
          [t('Role'), roleText(buffer.role)],
          [t('Alive'), `${Math.max(0, buffer.firstStep)}–${Math.min(plan.steps.length - 1, buffer.lastStep)}`],
          ...stepRows,
        ]),
      );
    }
  }

  private choose(): void {
    const layer = this.buffer?.layer ?? (this.step === null ? undefined : this.plan?.steps[this.step]?.layer);
    if (layer === undefined || layer < 0) return;
    this.context.store.update({ selected: layer });
    this.context.store.showDetails();
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    const x = event.clientX - this.surface.canvas.getBoundingClientRect().left;
    const [from, to] = this.range();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const delta = event.shiftKey ? event.deltaY : event.deltaX;
      this.setRange(from + Math.sign(delta) * Math.max(1, Math.round((to - from) * 0.08)), to - from + 1);
    } else {
      const scale = this.scale(this.surface.width, this.surface.height);
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.max(0, Math.min(1, (x - gutter.left) / plotWidth(scale))));
    }
  }

  private zoom(factor: number, at: number): void {
    const [from, to] = this.range();
    const length = to - from + 1;
    const next = Math.max(
      4,
      factor > 1 ? Math.max(length + 1, Math.round(length * factor)) : Math.round(length * factor),
    );
    this.setRange(Math.round(from + (length - next) * at), next);
  }

  private setRange(from: number, length: number): void {
    const total = this.timeline?.steps.length ?? 0;
    if (length >= total) {
      this.context.store.update({ memoryRange: null });
      return;
    }
    const start = Math.max(0, Math.min(total - length, from));
    this.context.store.update({ memoryRange: [start, start + length - 1] });
  }

  private onKey(event: KeyboardEvent): void {
    if (this.timeline === null) return;
    const last = this.timeline.steps.length - 1;
    const at = this.step ?? this.timeline.peakStep;
    const step = {
      ArrowLeft: this.step === null ? at : at - 1,
      ArrowRight: this.step === null ? at : at + 1,
      Home: 0,
      End: last,
      PageUp: at - 10,
      PageDown: at + 10,
    }[event.key];
    if (step !== undefined) this.moveCursor(Math.max(0, Math.min(last, step)), null);
    else if (event.key === 'ArrowUp' || event.key === 'ArrowDown')
      this.moveCursor(at, event.key === 'ArrowUp' ? 1 : -1);
    else if (event.key === 'Enter') this.choose();
    else if (event.key === '+' || event.key === '=') this.zoom(0.7, 0.5);
    else if (event.key === '-') this.zoom(1.4, 0.5);
    else if (event.key === '0') this.context.store.update({ memoryRange: null });
    else if (event.key === 'Escape') this.clear();
    else return;
    event.preventDefault();
  }

  /** Moves to a step, or to the next buffer up or down within it, and says where that is. */
  private moveCursor(step: number, direction: 1 | -1 | null): void {
    const alive = aliveAt(this.timeline!, step);
    if (direction !== null && this.step === step) {
      const index = alive.findIndex((buffer) => buffer.id === this.buffer?.id);
      this.buffer =
        alive[
          Math.max(
            0,
            Math.min(alive.length - 1, index < 0 ? (direction > 0 ? 0 : alive.length - 1) : index + direction),
          )
        ] ?? null;
    } else {
      this.buffer = null;
    }
    this.step = step;
    const [from, to] = this.range();
    if (step < from || step > to) this.setRange(step - Math.floor((to - from) / 2), to - from + 1);
    const view = this.timeline!.steps[step];
    const layer = this.context.store.shortName(view.layer);
    this.context.announce(
      this.buffer === null
        ? t(
            'Step {0}, {1} {2}, {3} in use, {4} buffers',
            step,
            view.op,
            layer,
            bytesText(this.timeline!.used[step]),
            alive.length,
          )
        : t(
            'Buffer {0}, {1}, {2} bits, offset {3}',
            this.buffer.name,
            bytesText(this.buffer.bytes),
            this.buffer.bits,
            this.buffer.offset,
          ),
    );
    const box = this.surface.canvas.getBoundingClientRect();
    this.showTooltip(box.left + xOf(this.scale(this.surface.width, this.surface.height), step + 1), box.top + 20);
    this.surface.invalidate();
  }
}
