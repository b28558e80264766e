/** Draws the part of the graph that the camera sees, with as much detail as the zoom can carry. */
import type { Painter } from '../export/svgContext';
import { percent } from '../format';
import { t } from '../l10n';
import type { Colors } from '../theme';
import { visiblePart, type Camera, type Size } from './camera';
import { paintNode, rounded, type GraphMarks } from './paintNode';
import { nodeHeight, nodeWidth, overlaps, type Box, type Scene } from './scene';

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
  paintHandles(ctx, scene, part, camera, colors);
  for (const node of scene.nodesIn(part)) paintNode(ctx, scene.nodes[node], scene.boxOf(node), camera, marks, colors);
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

/** Bars beside what was unfolded, with a minus sign: they fold it again. */
function paintHandles(ctx: Painter, scene: Scene, part: Box, camera: Camera, colors: Colors): void {
  for (const { box } of scene.handles) {
    if (!overlaps(box, part)) continue;
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colors.muted;
    ctx.lineWidth = 1 / Math.min(1, camera.scale);
    const [x, top] = [box.x + box.width / 2, box.y + 12];
    ctx.beginPath();
    ctx.moveTo(box.x + box.width, box.y + box.height);
    ctx.lineTo(x, box.y + box.height);
    ctx.lineTo(x, top);
    ctx.stroke();
    rounded(ctx, { x: box.x, y: box.y, width: 12, height: 12 }, 2);
    ctx.fillStyle = colors.background;
    ctx.fill();
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(box.x + 3, box.y + 6);
    ctx.lineTo(box.x + 9, box.y + 6);
    ctx.stroke();
  }
}
