/** Draws a node: a layer, or layers that are folded. */
import type { LayerView } from '../../src/protocol/views';
import { fitText } from '../canvas';
import type { Painter } from '../export/svgContext';
import { kindText, shortKindText } from '../layers/layerText';
import { bitsColor, fillAlpha, type Colors } from '../theme';
import type { Camera } from './camera';
import { nodeColor, type Coloring } from './coloring';
import type { GraphNode } from './folding';
import { groupName, groupTitle } from './graphText';
import { LEGIBLE, type Box } from './scene';
import { DETAILED, stripBox, stripsOf, stripText, stripWidth } from './strips';

export interface GraphMarks {
  /** Nodes. */
  readonly selected: number | null;
  readonly hovered: number | null;
  /** Layers that the search found; null when there is no search. */
  readonly found: ReadonlySet<number> | null;
  readonly focused: boolean;
  readonly coloring: Coloring;
  /** Short names of the layers. */
  name(layer: number): string;
}

export function paintNode(
  ctx: Painter,
  node: GraphNode,
  box: Box,
  camera: Camera,
  marks: GraphMarks,
  colors: Colors,
): void {
  const { color, strength } = nodeColor(node.layers, marks.coloring, colors);
  const { found } = marks;
  const dimmed = found !== null && !node.layers.some(({ id }) => found.has(id));
  const selected = marks.selected === node.id;
  const opacity = dimmed ? 0.3 : 1;
  if (node.layers.length > 1) paintSheets(ctx, box, color, opacity, camera, colors);
  rounded(ctx, box, 6);
  ctx.globalAlpha = opacity;
  ctx.fillStyle = colors.background;
  ctx.fill();
  ctx.fillStyle = color;
  const filled = fillAlpha(colors) * strength * (marks.hovered === node.id ? 1.7 : 1);
  ctx.globalAlpha = opacity * Math.min(1, camera.scale < 0.25 ? Math.max(filled, 0.6) : filled);
  ctx.fill();
  ctx.globalAlpha = opacity * (selected || colors.highContrast ? 1 : 0.75);
  ctx.strokeStyle = selected ? (marks.focused ? colors.focus : colors.foreground) : color;
  ctx.lineWidth = (selected ? 2.5 : 1) / Math.min(1, camera.scale * (selected ? 1 : 1.2));
  if (selected || camera.scale >= 0.12) ctx.stroke();
  ctx.globalAlpha = opacity;
  if (camera.scale >= 0.75 * LEGIBLE) paintContent(ctx, node, box, camera.scale, marks, colors);
  else if (camera.scale >= 0.16) paintFar(ctx, node.layers, box, colors);
  ctx.globalAlpha = 1;
}

/** Two more edges behind a folded node, like sheets of a stack. */
function paintSheets(ctx: Painter, box: Box, color: string, opacity: number, camera: Camera, colors: Colors): void {
  ctx.strokeStyle = color;
  ctx.fillStyle = colors.background;
  ctx.lineWidth = 1 / Math.min(1, camera.scale * 1.2);
  for (const shift of [6, 3]) {
    rounded(ctx, { ...box, x: box.x + shift, y: box.y + shift }, 6);
    ctx.globalAlpha = opacity;
    ctx.fill();
    ctx.globalAlpha = opacity * (colors.highContrast ? 1 : 0.75);
    ctx.stroke();
  }
}

function paintContent(ctx: Painter, node: GraphNode, box: Box, scale: number, marks: GraphMarks, colors: Colors): void {
  const { layers } = node;
  const detailed = scale >= DETAILED;
  let room = box.width - (detailed ? 18 : 12);
  if (layers.some(({ plan }) => plan !== null)) {
    paintStrips(ctx, layers, box, scale, colors);
    room -= 3 * (stripWidth(scale) + 2) + 2;
  } else if (layers.some(({ problem }) => problem !== null)) {
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
  const group = layers.length > 1;
  const title = group ? groupTitle(node) : `${kindText(layers[0].kind)} ${layers[0].detail}`.trim();
  if (!detailed) {
    const isPlanned = layers.some(({ plan }) => plan !== null) && !group;
    const { kind } = layers[0];
    const words = isPlanned ? [kindText(kind), shortKindText(kind)] : [title];
    const fits = words.some((word) =>
      [20, 16].some((size) => {
        ctx.font = `600 ${size}px ${colors.fontFamily}`;
        if (ctx.measureText(word).width > room) return false;
        ctx.fillText(word, box.x + 7, box.y + box.height / 2 + 1);
        return true;
      }),
    );
    if (!fits) ctx.fillText(fitText(ctx, words[words.length - 1], room), box.x + 7, box.y + box.height / 2 + 1);
    return;
  }
  ctx.font = `600 12px ${colors.fontFamily}`;
  ctx.fillText(fitText(ctx, title, room), box.x + 9, box.y + 15);
  ctx.fillStyle = colors.muted;
  ctx.font = `11px ${colors.fontFamily}`;
  const name = group ? groupName(node, (layer) => marks.name(layer)) : marks.name(layers[0].id);
  ctx.fillText(fitText(ctx, name, room), box.x + 9, box.y + 31);
}

/** Bits of input, weights and output. Folded layers each have a band of the strip, the first one on top. */
function paintStrips(ctx: Painter, layers: readonly LayerView[], box: Box, scale: number, colors: Colors): void {
  const opacity = ctx.globalAlpha;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  stripsOf(layers).forEach((each, i) => {
    const strip = stripBox(box, i, scale);
    const text = stripText(each);
    const band = strip.height / each.bits.length;
    each.bits.forEach((bits, k) => {
      if (each.bits.length === 1) rounded(ctx, strip, 3);
      else {
        ctx.beginPath();
        ctx.rect(strip.x, strip.y + k * band, strip.width, band);
      }
      ctx.fillStyle = ctx.strokeStyle = bitsColor(colors, bits);
      ctx.globalAlpha = opacity * (bits === null ? 0.08 : colors.highContrast ? 0 : 0.34);
      ctx.fill();
      ctx.globalAlpha = opacity;
      if (colors.highContrast && bits !== null) ctx.stroke();
    });
    const large = scale < DETAILED ? 26 : 15;
    // A range is as wide as its strip, no wider.
    ctx.font = `600 ${text.length > 1 ? Math.round(large * 0.53) : large}px ${colors.fontFamily}`;
    ctx.fillStyle = text === '–' ? colors.muted : colors.foreground;
    ctx.fillText(text, strip.x + strip.width / 2, strip.y + strip.height / 2 + 0.5);
  });
}

/** From afar: the bits as large as the node, or what it is where there is no plan. */
function paintFar(ctx: Painter, layers: readonly LayerView[], box: Box, colors: Colors): void {
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = colors.foreground;
  const strips = stripsOf(layers);
  ctx.font = `600 ${strips.length === 0 ? 22 : 26}px ${colors.fontFamily}`;
  const text = strips.length === 0 ? kindText(layers[0].kind) : strips.map(stripText).join(' | ');
  ctx.fillText(fitText(ctx, text, box.width - 8), box.x + box.width / 2, box.y + box.height / 2 + 1);
}

export function rounded(ctx: Painter, box: Box, radius: number): void {
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, radius);
}
