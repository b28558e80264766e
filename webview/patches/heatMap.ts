import type { EditorView, LayerView } from '../../src/protocol/views';
import { CanvasSurface, fitText } from '../canvas';
import type { Context } from '../context';
import { h, setAria } from '../dom';
import { t } from '../l10n';
import { bitsColor, fillAlpha } from '../theme';
import { Tooltip, tooltipRows } from '../tooltip';

const labelHeight = 92;
const labelWidth = 44;
const smallest = 12;

/** Bits of the feature maps of the patch stage, one row per branch. Outlier branches stay at 8 bits. */
export class HeatMap {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly surface: CanvasSurface;
  private readonly tooltip = new Tooltip();
  private maps: readonly LayerView[] = [];
  private classes: readonly ('outlier' | 'regular')[] = [];
  private marked: number | null = null;

  constructor(private readonly context: Context) {
    this.surface = new CanvasSurface((ctx, width, height) => this.paint(ctx, width, height));
    this.surface.canvas.addEventListener('pointermove', (event) => this.onMove(event));
    this.surface.canvas.addEventListener('pointerleave', () => this.tooltip.hide());
    this.surface.canvas.addEventListener('click', (event) => {
      const cell = this.cellAt(event);
      if (cell !== null) context.store.update({ selected: cell.map.id, branch: cell.branch });
    });
    this.scroller = h('div', { class: 'heat-canvas', role: 'img' }, this.surface.canvas);
    this.element = h(
      'div',
      { class: 'heat-map', tabIndex: 0, role: 'region', aria: { label: t('Bits by branch and feature map') } },
      this.scroller,
      this.tooltip.element,
    );
    context.theme.onChange(() => this.surface.invalidate());
    context.store.onChange((changed) => {
      if (changed.has('selected')) this.surface.invalidate();
    });
  }

  render({ model, plan }: EditorView): void {
    this.maps = model.layers.filter((layer) => layer.plan?.inPatchStage === true);
    this.classes = plan?.branches.map((branch) => branch.class) ?? [];
    setAria(
      this.scroller,
      'label',
      t(
        'Regular branches: {0}. Outlier branches: 8 bits everywhere.',
        this.maps
          .map((layer) => `${this.context.store.shortName(layer.id)} ${layer.plan!.bits}`)
          .slice(0, 60)
          .join(', '),
      ),
    );
    this.scroller.style.minWidth = `${labelWidth + this.maps.length * smallest}px`;
    this.scroller.style.minHeight = `${labelHeight + this.classes.length * smallest}px`;
    this.scroller.style.maxHeight = `${labelHeight + this.classes.length * 30}px`;
    this.surface.invalidate();
  }

  mark(branch: number | null): void {
    this.marked = branch;
    this.surface.invalidate();
  }

  private cell(): { readonly width: number; readonly height: number } {
    return {
      width: Math.min(46, (this.surface.width - labelWidth - 24) / Math.max(1, this.maps.length)),
      height: (this.surface.height - labelHeight - 2) / Math.max(1, this.classes.length),
    };
  }

  private bitsOf(branch: number, map: LayerView): number {
    return this.classes[branch] === 'outlier' ? 8 : map.plan!.bits;
  }

  private cellAt(event: MouseEvent): { branch: number; map: LayerView } | null {
    const box = this.surface.canvas.getBoundingClientRect();
    const size = this.cell();
    const branch = Math.floor((event.clientY - box.top - labelHeight) / size.height);
    const map = this.maps[Math.floor((event.clientX - box.left - labelWidth) / size.width)];
    return map === undefined || branch < 0 || branch >= this.classes.length ? null : { branch, map };
  }

  private onMove(event: PointerEvent): void {
    const cell = this.cellAt(event);
    if (cell === null) this.tooltip.hide();
    else {
      this.tooltip.show(
        event.clientX,
        event.clientY,
        ...tooltipRows(cell.map.name, [
          [
            t('Branch'),
            `${cell.branch + 1}${this.classes[cell.branch] === 'outlier' ? ` · ${t('outlier class')}` : ''}`,
          ],
          [t('Bits'), String(this.bitsOf(cell.branch, cell.map))],
        ]),
      );
    }
  }

  private paint(ctx: CanvasRenderingContext2D, width: number, height: number): void {
    const { colors } = this.context.theme;
    const size = this.cell();
    const gap = size.width > 8 && size.height > 8 ? 1 : 0;
    ctx.textBaseline = 'middle';
    this.maps.forEach((map, column) => {
      const x = labelWidth + column * size.width;
      const selected = map.id === this.context.store.ui.selected;
      for (let branch = 0; branch < this.classes.length; branch++) {
        const y = labelHeight + branch * size.height;
        const bits = this.bitsOf(branch, map);
        ctx.fillStyle = ctx.strokeStyle = bitsColor(colors, bits);
        ctx.globalAlpha = fillAlpha(colors) * (this.marked === null || this.marked === branch ? 1.4 : 0.8);
        ctx.fillRect(x, y, size.width - gap, size.height - gap);
        ctx.globalAlpha = 1;
        if (colors.highContrast) ctx.strokeRect(x + 0.5, y + 0.5, size.width - gap - 1, size.height - gap - 1);
        if (size.width >= 11 && size.height >= 11) {
          ctx.fillStyle = colors.foreground;
          ctx.font = `11px ${colors.fontFamily}`;
          ctx.textAlign = 'center';
          ctx.fillText(String(bits), x + (size.width - gap) / 2, y + (size.height - gap) / 2 + 0.5);
        }
      }
      if (selected) {
        ctx.strokeStyle = colors.foreground;
        ctx.lineWidth = 1.5;
        ctx.strokeRect(x - 0.5, labelHeight - 0.5, size.width, this.classes.length * size.height);
        ctx.lineWidth = 1;
      }
      if (size.width >= 11)
        this.label(
          ctx,
          this.context.store.shortName(map.id),
          x + size.width / 2 - 2,
          selected ? colors.foreground : colors.muted,
          width,
        );
    });
    ctx.font = `11px ${colors.fontFamily}`;
    ctx.textAlign = 'right';
    this.classes.forEach((kind, branch) => {
      const y = labelHeight + (branch + 0.5) * size.height;
      if (size.height < 11 || y > height) return;
      ctx.fillStyle = this.marked === branch ? colors.foreground : colors.muted;
      ctx.fillText(kind === 'outlier' ? `▲ ${branch + 1}` : String(branch + 1), labelWidth - 8, y);
    });
  }

  /** A name written upwards at a slant, above its column. */
  private label(ctx: CanvasRenderingContext2D, name: string, x: number, color: string, width: number): void {
    ctx.save();
    ctx.translate(x, labelHeight - 6);
    ctx.rotate(-Math.PI / 4);
    ctx.font = `11px ${this.context.theme.colors.fontFamily}`;
    ctx.textAlign = 'left';
    ctx.fillStyle = color;
    ctx.fillText(fitText(ctx, name, Math.min(112, (width - x) * 1.38)), 0, 0);
    ctx.restore();
  }
}
