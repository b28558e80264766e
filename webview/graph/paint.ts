/** Draws the part of the graph that the camera sees, with as much detail as the zoom can carry. */
import type { LayerView } from '../../src/protocol/views';
import { fitText } from '../canvas';
import type { Painter } from '../export/svgContext';
import { percent } from '../format';
import { kindText } from '../layers/layerText';
import { t } from '../l10n';
import { bitsColor, fillAlpha, type Colors } from '../theme';
import { nodeColor, type Coloring } from './coloring';
import { visiblePart, type Camera, type Size } from './camera';
import { nodeHeight, nodeWidth, overlaps, type Box, type Scene } from './scene';

export interface GraphMarks {
  readonly selected: number | null;
  readonly hovered: number | null;
  /** Nodes that the search found; null when there is no search. */
  readonly found: ReadonlySet<number> | null;
  readonly focused: boolean;
  readonly coloring: Coloring;
  /** Short names of the layers. */
  name(layer: number): string;
}

export function paintGraph(
  ctx: Painter,
  scene: Scene,
  camera: Camera,
  size: Size,
  marks: GraphMarks,
  colors: Colors,
): void {
  const part = visiblePart(camera, size);
  ctx.save();
  ctx.translate(size.width / 2, size.height / 2);
  ctx.scale(camera.scale, camera.scale);
  ctx.translate(-camera.x, -camera.y);
  for (const box of scene.stages) if (overlaps(box, part)) paintStage(ctx, scene, box, camera, colors);
  paintEdges(ctx, scene, part, camera, marks, colors);
  for (const node of scene.nodesIn(part)) paintNode(ctx, scene.layers[node], scene.boxOf(node), camera, marks, colors);
  ctx.restore();
}

function paintStage(ctx: Painter, scene: Scene, box: Box, camera: Camera, colors: Colors): void {
  const { plan } = scene.view;
  ctx.strokeStyle = ctx.fillStyle = colors.stage;
  ctx.globalAlpha = colors.highContrast ? 0 : 0.07;
  rounded(ctx, box, 10);
  ctx.fill();
  ctx.globalAlpha = 0.9;
  ctx.lineWidth = 1.2 / Math.min(1, camera.scale);
  ctx.setLineDash([6 / camera.scale, 4 / camera.scale]);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  const stage = plan?.stage;
  if (stage == null || camera.scale < 0.35 || box !== scene.stage) return;
  ctx.font = `600 11px ${colors.fontFamily}`;
  ctx.fillStyle = colors.foreground;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const detail = t('{0}×{1} patches', stage.rows, stage.cols);
  const extra = stage.redundantMacsPercent > 0 ? `, +${percent(stage.redundantMacsPercent / 100)} MACs` : '';
  ctx.fillText(`${t('Patch stage')} · ${detail}${extra}`, box.x + 4, box.y - 9);
}

function paintEdges(ctx: Painter, scene: Scene, part: Box, camera: Camera, marks: GraphMarks, colors: Colors): void {
  const thin = 1 / Math.max(0.2, Math.min(1, camera.scale));
  const isStrong = (from: number, to: number): boolean =>
    marks.selected !== null && (from === marks.selected || to === marks.selected);
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colors.muted;
  ctx.globalAlpha = colors.highContrast ? 0.9 : 0.55;
  ctx.lineWidth = thin;
  traceEdges(ctx, scene, part, camera, (from, to) => !isStrong(from, to));
  ctx.globalAlpha = 1;
  if (marks.selected === null) return;
  ctx.strokeStyle = colors.focus;
  ctx.lineWidth = 2 * thin;
  traceEdges(ctx, scene, part, camera, isStrong);
}

/** Strokes the edges that are wanted as one path. */
function traceEdges(
  ctx: Painter,
  scene: Scene,
  part: Box,
  camera: Camera,
  wanted: (from: number, to: number) => boolean,
): void {
  const down = scene.direction !== 'right';
  const half = (down ? nodeHeight : nodeWidth) / 2;
  const heads = camera.scale > 0.4;
  ctx.beginPath();
  for (const { piece, x0, y0, x1, y1 } of scene.piecesIn(part)) {
    if (!wanted(piece.from, piece.to)) continue;
    const first = isRealEnd(scene, piece.from, x0, y0);
    const room = half + (piece.last && heads ? 2 : 0);
    const [sx, sy] = down ? [x0, y0 + half] : [x0 + half, y0];
    const [ex, ey] = down ? [x1, y1 - room] : [x1 - room, y1];
    if (down && y1 < y0) {
      traceTurn(ctx, scene, first ? [sx, sy] : [x0, y0], [ex, ey]);
      if (!piece.last) ctx.lineTo(x1, y1);
      continue;
    }
    // Beside the nodes of a rank an edge runs straight; it bends only between ranks.
    if (!first) ctx.moveTo(x0, y0);
    else ctx.moveTo(sx, sy);
    ctx.lineTo(sx, sy);
    if (down ? sx === ex : sy === ey) ctx.lineTo(ex, ey);
    else if (down) ctx.bezierCurveTo(sx, (sy + ey) / 2, ex, (sy + ey) / 2, ex, ey);
    else ctx.bezierCurveTo((sx + ex) / 2, sy, (sx + ex) / 2, ey, ex, ey);
    if (!piece.last) ctx.lineTo(x1, y1);
    else if (heads) {
      ctx.moveTo(ex - (down ? 3.5 : 5), ey - (down ? 5 : 3.5));
      ctx.lineTo(ex, ey);
      ctx.lineTo(ex + (down ? 3.5 : -5), ey - (down ? 5 : -3.5));
    }
  }
  for (const [from, to] of scene.shortcuts) {
    if (!wanted(from, to)) continue;
    const a = scene.at(from);
    const b = scene.at(to);
    ctx.moveTo(a.x + (down ? nodeWidth / 2 : 0), a.y);
    ctx.lineTo(b.x + (down ? nodeWidth / 2 : 0), b.y);
  }
  ctx.stroke();
}

/** From the foot of a column to the head of the next, around it. */
function traceTurn(
  ctx: Painter,
  scene: Scene,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): void {
  const { x, top } = scene.turnAt(x0);
  ctx.moveTo(x0, y0);
  ctx.lineTo(x0, y0 + 9);
  ctx.lineTo(x, y0 + 9);
  ctx.lineTo(x, top);
  ctx.lineTo(x1, top);
  ctx.lineTo(x1, y1);
}

/** Whether a piece starts at its producer and not on a virtual node. */
function isRealEnd(scene: Scene, node: number, x: number, y: number): boolean {
  const at = scene.at(node);
  return at.x === x && at.y === y;
}

function paintNode(ctx: Painter, layer: LayerView, box: Box, camera: Camera, marks: GraphMarks, colors: Colors): void {
  const { color, strength } = nodeColor(layer, marks.coloring, colors);
  const dimmed = marks.found !== null && !marks.found.has(layer.id);
  const selected = marks.selected === layer.id;
  const opacity = dimmed ? 0.3 : 1;
  rounded(ctx, box, 6);
  ctx.globalAlpha = opacity;
  ctx.fillStyle = colors.background;
  ctx.fill();
  ctx.fillStyle = color;
  const filled = fillAlpha(colors) * strength * (marks.hovered === layer.id ? 1.7 : 1);
  ctx.globalAlpha = opacity * Math.min(1, camera.scale < 0.25 ? Math.max(filled, 0.6) : filled);
  ctx.fill();
  ctx.globalAlpha = opacity * (selected || colors.highContrast ? 1 : 0.75);
  ctx.strokeStyle = selected ? (marks.focused ? colors.focus : colors.foreground) : color;
  ctx.lineWidth = (selected ? 2.5 : 1) / Math.min(1, camera.scale * (selected ? 1 : 1.2));
  if (selected || camera.scale >= 0.12) ctx.stroke();
  ctx.globalAlpha = opacity;
  if (camera.scale >= 0.4) paintLabels(ctx, layer, box, marks, colors);
  else if (camera.scale >= 0.16) paintShort(ctx, layer, box, colors);
  ctx.globalAlpha = 1;
}

/** The three strips at the right of a node: bits of the input, the weights and the output. */
export const stripWidth = 22;

export interface Strip {
  readonly kind: 'inputBits' | 'weightBits' | 'bits';
  readonly bits: 8 | 4 | 2 | null;
}

export function stripsOf({ plan }: LayerView): readonly Strip[] {
  return plan === null
    ? []
    : [
        { kind: 'inputBits', bits: plan.inputBits },
        { kind: 'weightBits', bits: plan.weightBits },
        { kind: 'bits', bits: plan.bits },
      ];
}

/** Where a strip of a node lies. */
export function stripBox(box: Box, index: number): Box {
  return {
    x: box.x + box.width - (3 - index) * (stripWidth + 2) - 4,
    y: box.y + 6,
    width: stripWidth,
    height: box.height - 12,
  };
}

function paintStrips(ctx: Painter, layer: LayerView, box: Box, colors: Colors, font: number): void {
  const opacity = ctx.globalAlpha;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.font = `600 ${font}px ${colors.fontFamily}`;
  stripsOf(layer).forEach(({ bits }, i) => {
    const strip = stripBox(box, i);
    rounded(ctx, strip, 3);
    ctx.fillStyle = ctx.strokeStyle = bitsColor(colors, bits);
    ctx.globalAlpha = opacity * (bits === null ? 0.08 : colors.highContrast ? 0 : 0.34);
    ctx.fill();
    ctx.globalAlpha = opacity;
    if (colors.highContrast && bits !== null) ctx.stroke();
    ctx.fillStyle = bits === null ? colors.muted : colors.foreground;
    ctx.fillText(bits === null ? '–' : String(bits), strip.x + strip.width / 2, strip.y + strip.height / 2 + 0.5);
  });
}

function paintLabels(ctx: Painter, layer: LayerView, box: Box, marks: GraphMarks, colors: Colors): void {
  let room = box.width - 18;
  if (layer.plan !== null) {
    paintStrips(ctx, layer, box, colors, 15);
    room -= 3 * (stripWidth + 2) + 2;
  } else if (layer.problem !== null) {
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    ctx.fillStyle = colors.foreground;
    ctx.font = `600 15px ${colors.fontFamily}`;
    ctx.fillText('!', box.x + box.width - 10, box.y + box.height / 2);
    room -= 16;
  }
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.fillStyle = colors.foreground;
  ctx.font = `600 12px ${colors.fontFamily}`;
  ctx.fillText(fitText(ctx, `${kindText(layer.kind)} ${layer.detail}`.trim(), room), box.x + 9, box.y + 15);
  ctx.fillStyle = colors.muted;
  ctx.font = `11px ${colors.fontFamily}`;
  ctx.fillText(fitText(ctx, marks.name(layer.id), room), box.x + 9, box.y + 31);
}

/** From afar: the bits as large as the node, or what it is where there is no plan. */
function paintShort(ctx: Painter, layer: LayerView, box: Box, colors: Colors): void {
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = colors.foreground;
  ctx.font = `600 ${layer.plan === null ? 22 : 26}px ${colors.fontFamily}`;
  const { plan } = layer;
  const text = plan === null ? kindText(layer.kind) : `${plan.inputBits} | ${plan.weightBits ?? '–'} | ${plan.bits}`;
  ctx.fillText(fitText(ctx, text, box.width - 8), box.x + box.width / 2, box.y + box.height / 2 + 1);
}

function rounded(ctx: Painter, box: Box, radius: number): void {
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, radius);
}
