/** Draws the part of the graph that the camera sees, with as much detail as the zoom can carry. */
import type { LayerView } from '../../src/protocol/views';
import { fitText } from '../canvas';
import type { Painter } from '../export/svgContext';
import { percent, shapeText } from '../format';
import { kindText } from '../layers/layerText';
import { t } from '../l10n';
import { bitsColor, fillAlpha, type Colors } from '../theme';
import { visiblePart, type Camera, type Size } from './camera';
import { nodeHeight, nodeWidth, overlaps, type Box, type Scene } from './scene';

export interface GraphMarks {
  readonly selected: number | null;
  readonly hovered: number | null;
  /** Nodes that the search found; null when there is no search. */
  readonly found: ReadonlySet<number> | null;
  readonly focused: boolean;
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
  if (scene.stage !== null && overlaps(scene.stage, part)) paintStage(ctx, scene, scene.stage, camera, colors);
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
  if (stage == null || camera.scale < 0.35) return;
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
  const down = scene.direction === 'down';
  const half = (down ? nodeHeight : nodeWidth) / 2;
  const heads = camera.scale > 0.4;
  ctx.beginPath();
  for (const { piece, x0, y0, x1, y1 } of scene.piecesIn(part)) {
    if (!wanted(piece.from, piece.to)) continue;
    const first = isRealEnd(scene, piece.from, x0, y0);
    const room = half + (piece.last && heads ? 2 : 0);
    const [sx, sy] = down ? [x0, y0 + half] : [x0 + half, y0];
    const [ex, ey] = down ? [x1, y1 - room] : [x1 - room, y1];
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

/** Whether a piece starts at its producer and not on a virtual node. */
function isRealEnd(scene: Scene, node: number, x: number, y: number): boolean {
  const at = scene.at(node);
  return at.x === x && at.y === y;
}

function paintNode(ctx: Painter, layer: LayerView, box: Box, camera: Camera, marks: GraphMarks, colors: Colors): void {
  const bits = layer.plan?.bits ?? null;
  const color = layer.problem !== null ? colors.error : bitsColor(colors, bits);
  const dimmed = marks.found !== null && !marks.found.has(layer.id);
  const selected = marks.selected === layer.id;
  const opacity = dimmed ? 0.3 : 1;
  rounded(ctx, box, 6);
  ctx.globalAlpha = opacity;
  ctx.fillStyle = colors.background;
  ctx.fill();
  ctx.fillStyle = color;
  ctx.globalAlpha =
    opacity * (camera.scale < 0.25 ? 0.8 : fillAlpha(colors) * (marks.hovered === layer.id ? 1.1 : 0.62));
  ctx.fill();
  ctx.globalAlpha = opacity * (selected || colors.highContrast ? 1 : 0.75);
  ctx.strokeStyle = selected ? (marks.focused ? colors.focus : colors.foreground) : color;
  ctx.lineWidth = (selected ? 2.5 : 1) / Math.min(1, camera.scale * (selected ? 1 : 1.2));
  if (selected || camera.scale >= 0.12) ctx.stroke();
  ctx.globalAlpha = opacity;
  if (camera.scale >= 0.5) paintLabels(ctx, layer, box, color, colors);
  else if (camera.scale >= 0.2) paintShort(ctx, layer, box, colors);
  ctx.globalAlpha = 1;
}

function paintLabels(ctx: Painter, layer: LayerView, box: Box, color: string, colors: Colors): void {
  const { plan } = layer;
  const badge = plan === null ? (layer.problem === null ? '' : '!') : String(plan.bits);
  ctx.textBaseline = 'middle';
  let room = box.width - 20;
  if (badge !== '') {
    const square = { x: box.x + box.width - 30, y: box.y + 8, width: 22, height: box.height - 16 };
    ctx.globalAlpha *= colors.highContrast ? 0 : 0.3;
    ctx.fillStyle = color;
    rounded(ctx, square, 4);
    ctx.fill();
    ctx.globalAlpha = colors.highContrast ? 1 : ctx.globalAlpha / 0.3;
    ctx.fillStyle = colors.foreground;
    ctx.textAlign = 'center';
    ctx.font = `600 14px ${colors.fontFamily}`;
    ctx.fillText(badge, square.x + square.width / 2, square.y + square.height / 2 + 0.5);
    room -= 30;
  }
  ctx.textAlign = 'left';
  ctx.fillStyle = colors.foreground;
  ctx.font = `600 12px ${colors.fontFamily}`;
  ctx.fillText(fitText(ctx, `${kindText(layer.kind)} ${layer.detail}`.trim(), room), box.x + 10, box.y + 15);
  ctx.fillStyle = colors.muted;
  ctx.font = `11px ${colors.fontFamily}`;
  const weights = plan?.weightBits == null ? '' : ` · W${plan.weightBits}`;
  ctx.fillText(fitText(ctx, `${shapeText(layer.output)}${weights}`, room), box.x + 10, box.y + 31);
}

function paintShort(ctx: Painter, layer: LayerView, box: Box, colors: Colors): void {
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = colors.foreground;
  ctx.font = `600 22px ${colors.fontFamily}`;
  const bits = layer.plan === null ? '' : `${layer.plan.bits}  `;
  ctx.fillText(
    fitText(ctx, `${bits}${kindText(layer.kind)}`, box.width - 8),
    box.x + box.width / 2,
    box.y + box.height / 2 + 1,
  );
}

function rounded(ctx: Painter, box: Box, radius: number): void {
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, radius);
}
