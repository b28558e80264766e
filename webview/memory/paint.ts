/** Draws the memory chart: each buffer a block from its offset to its end, over the steps in which it lives. */
import type { BufferView } from '../../src/protocol/views';
import { fitText } from '../canvas';
import type { Painter } from '../export/svgContext';
import { bytesText } from '../format';
import { t } from '../l10n';
import { bitsColor, fillAlpha, type Colors } from '../theme';
import { axisTicks, type Timeline } from './timeline';

export const gutter = { left: 60, right: 132, top: 10, bottom: 22 };

/** Maps steps and bytes to pixels. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const plotWidth = (s: Scale): number => Math.max(1, s.width - gutter.left - gutter.right);
export const plotHeight = (s: Scale): number => Math.max(1, s.height - gutter.top - gutter.bottom);
export const xOf = (s: Scale, step: number): number =>
  gutter.left + ((step - s.from) / (s.to + 1 - s.from)) * plotWidth(s);
const yOf = (s: Scale, value: number): number => gutter.top + (1 - value / s.top) * plotHeight(s);
export const stepAt = (s: Scale, x: number): number =>
  Math.floor(s.from + ((x - gutter.left) / plotWidth(s)) * (s.to + 1 - s.from));
export const bytesAt = (s: Scale, y: number): number => (1 - (y - gutter.top) / plotHeight(s)) * s.top;

export interface Marks {
  /** What a buffer is called on the chart. */
  readonly nameOf: (buffer: BufferView) => string;
  readonly selectedLayer: number | null;
  readonly cursorStep: number | null;
  readonly cursorBuffer: number | null;
}

export function paintMemory(ctx: Painter, timeline: Timeline, s: Scale, marks: Marks, colors: Colors): void {
  ctx.font = `11px ${colors.fontFamily}`;
  ctx.lineWidth = 1;
  paintAxis(ctx, s, colors);
  ctx.save();
  ctx.beginPath();
  ctx.rect(gutter.left, 0, plotWidth(s), s.height);
  ctx.clip();
  paintSegments(ctx, timeline, s, colors);
  paintBuffers(ctx, timeline, s, marks, colors);
  paintSkyline(ctx, timeline, s, colors);
  paintCursor(ctx, s, marks, colors);
  ctx.restore();
  paintLines(ctx, timeline, s, colors);
}

function paintAxis(ctx: Painter, s: Scale, colors: Colors): void {
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  for (const tick of axisTicks(s.top)) {
    const y = Math.round(yOf(s, tick)) + 0.5;
    ctx.globalAlpha = tick === 0 ? 0.8 : 0.35;
    ctx.strokeStyle = colors.border;
    line(ctx, gutter.left, y, gutter.left + plotWidth(s), y);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colors.muted;
    ctx.fillText(bytesText(tick).replace('.00', '').replace('.0', ''), gutter.left - 8, y);
  }
}

function paintSegments(ctx: Painter, timeline: Timeline, s: Scale, colors: Colors): void {
  const base = yOf(s, 0);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const segment of timeline.segments) {
    if (segment.last < s.from || segment.first > s.to) continue;
    const left = xOf(s, segment.first);
    const width = xOf(s, segment.last + 1) - left;
    const inset = width > 6 ? 1 : 0;
    ctx.fillStyle = segment.branch < 0 ? colors.none : segment.outlier ? colors.warning : colors.stage;
    ctx.globalAlpha = 0.28;
    ctx.fillRect(left + inset, base + 5, width - 2 * inset, 14);
    ctx.globalAlpha = 1;
    if (colors.highContrast) {
      ctx.strokeStyle = colors.border;
      ctx.strokeRect(left + inset + 0.5, base + 5.5, Math.max(1, width - 2 * inset - 1), 13);
    }
    const visibleLeft = Math.max(left, gutter.left);
    const visible = Math.min(left + width, gutter.left + plotWidth(s)) - visibleLeft;
    const label =
      segment.branch < 0
        ? timeline.stageEnd < 0
          ? t('layer by layer')
          : t('tail')
        : segment.outlier
          ? `${segment.branch + 1} ▲`
          : String(segment.branch + 1);
    ctx.fillStyle = colors.foreground;
    const short = ctx.measureText(label).width <= visible - 4 ? label : segment.outlier && visible > 9 ? '▲' : '';
    ctx.fillText(short, visibleLeft + visible / 2, base + 12.5);
    if (segment.branch >= 0) {
      ctx.globalAlpha = 0.25;
      ctx.strokeStyle = colors.border;
      line(ctx, Math.round(left + width) + 0.5, gutter.top, Math.round(left + width) + 0.5, base);
      ctx.globalAlpha = 1;
    }
  }
}

function paintBuffers(ctx: Painter, timeline: Timeline, s: Scale, marks: Marks, colors: Colors): void {
  const alpha = fillAlpha(colors);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const buffer of timeline.buffers) {
    if (buffer.lastStep < s.from || buffer.firstStep > s.to) continue;
    const left = Math.max(xOf(s, Math.max(0, buffer.firstStep)), gutter.left - 2);
    const right = Math.min(
      xOf(s, Math.min(timeline.steps.length - 1, buffer.lastStep) + 1),
      gutter.left + plotWidth(s) + 2,
    );
    const top = yOf(s, buffer.offset + buffer.bytes);
    const bottom = yOf(s, buffer.offset);
    const width = right - left;
    const height = bottom - top;
    const selected = marks.selectedLayer !== null && buffer.layer === marks.selectedLayer;
    const hovered = marks.cursorBuffer === buffer.id;
    const plain = buffer.role === 'scratch' || buffer.role === 'flags';
    const color = plain ? colors.none : bitsColor(colors, buffer.bits);
    ctx.fillStyle = color;
    ctx.strokeStyle = selected || hovered ? colors.foreground : color;
    ctx.globalAlpha = selected ? 0.75 : hovered ? alpha + 0.2 : alpha;
    ctx.fillRect(left, top, width, height);
    ctx.globalAlpha = selected || hovered ? 1 : width < 5 ? 0.45 : 0.85;
    if (width > 2.5 && height > 1.5) ctx.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    ctx.globalAlpha = 1;
    if (width > 34 && height > 13) {
      ctx.fillStyle = colors.foreground;
      ctx.fillText(
        fitText(ctx, plain ? marks.nameOf(buffer) : `${buffer.bits} · ${marks.nameOf(buffer)}`, width - 8),
        left + 5,
        top + height / 2,
      );
    } else if (!plain && width > 9 && height > 12) {
      ctx.fillStyle = colors.foreground;
      ctx.fillText(String(buffer.bits), left + width / 2 - 3, top + height / 2);
    }
  }
}

/** Bytes in use, whatever their offsets: the line to compare with the limit. */
function paintSkyline(ctx: Painter, timeline: Timeline, s: Scale, colors: Colors): void {
  ctx.beginPath();
  for (let step = s.from; step <= Math.min(s.to, timeline.used.length - 1); step++) {
    const y = yOf(s, timeline.used[step]);
    ctx.lineTo(xOf(s, step), y);
    ctx.lineTo(xOf(s, step + 1), y);
  }
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colors.foreground;
  ctx.globalAlpha = colors.highContrast ? 0.9 : 0.55;
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function paintCursor(ctx: Painter, s: Scale, marks: Marks, colors: Colors): void {
  if (marks.cursorStep === null) return;
  const left = xOf(s, marks.cursorStep);
  ctx.fillStyle = colors.foreground;
  ctx.globalAlpha = 0.08;
  ctx.fillRect(left, gutter.top, xOf(s, marks.cursorStep + 1) - left, plotHeight(s));
  ctx.globalAlpha = 0.6;
  ctx.strokeStyle = colors.focus;
  const middle = Math.round((left + xOf(s, marks.cursorStep + 1)) / 2) + 0.5;
  line(ctx, middle, gutter.top, middle, yOf(s, 0));
  ctx.globalAlpha = 1;
}

interface Level {
  readonly value: number;
  readonly label: string;
  readonly color: string;
  readonly dash: readonly number[];
}

function paintLines(ctx: Painter, timeline: Timeline, s: Scale, colors: Colors): void {
  const over = timeline.peakBytes > timeline.limitBytes;
  const levels: Level[] = [
    {
      value: timeline.limitBytes,
      label: t('limit {0}', bytesText(timeline.limitBytes)),
      color: colors.error,
      dash: [],
    },
    {
      value: timeline.int8Bytes,
      label: t('8-bit {0}', bytesText(timeline.int8Bytes)),
      color: colors.muted,
      dash: [5, 4],
    },
    {
      value: timeline.peakBytes,
      label: t('peak {0}', bytesText(timeline.peakBytes)),
      color: over ? colors.error : colors.foreground,
      dash: [2, 2],
    },
  ];
  const right = gutter.left + plotWidth(s);
  const placed = levels
    .map((level) => ({
      ...level,
      inside: level.value <= s.top,
      y: level.value <= s.top ? yOf(s, level.value) : gutter.top,
    }))
    .sort((a, b) => b.value - a.value);
  let lowest = -Infinity;
  for (const level of placed) {
    ctx.strokeStyle = ctx.fillStyle = level.color;
    if (level.inside) {
      ctx.setLineDash([...level.dash]);
      line(ctx, gutter.left, Math.round(level.y) + 0.5, right + 4, Math.round(level.y) + 0.5);
      ctx.setLineDash([]);
    }
    const y = Math.max(level.y, lowest + 14);
    lowest = y;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ctx.fillText(fitText(ctx, level.inside ? level.label : `↑ ${level.label}`, gutter.right - 12), right + 8, y);
  }
  paintPeak(ctx, timeline, s, over ? colors.error : colors.foreground);
  paintKey(ctx, s, colors);
}

/** What the line over the blocks is. */
function paintKey(ctx: Painter, s: Scale, colors: Colors): void {
  const x = gutter.left + plotWidth(s) + 8;
  const y = Math.round(yOf(s, 0)) + 12.5;
  ctx.strokeStyle = ctx.fillStyle = colors.muted;
  line(ctx, x, y, x + 12, y);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.fillText(t('in use'), x + 17, y);
}

function paintPeak(ctx: Painter, timeline: Timeline, s: Scale, color: string): void {
  if (timeline.peakStep < s.from || timeline.peakStep > s.to) return;
  const x = (xOf(s, timeline.peakStep) + xOf(s, timeline.peakStep + 1)) / 2;
  const y = yOf(s, timeline.used[timeline.peakStep] ?? 0);
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(x, y - 1);
  ctx.lineTo(x - 5, y - 8);
  ctx.lineTo(x + 5, y - 8);
  ctx.fill();
}

function line(ctx: Painter, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
