import type { BoxView, DetectionsView } from '../../src/protocol/detections';
import { fitText } from '../canvas';
import type { Colors } from '../theme';

/** A box as it is drawn. */
export interface DrawnBox {
  readonly box: BoxView;
  readonly text: string;
  readonly kind: 'paired' | 'lone' | 'known';
}

const FONT_SIZE = 11;
const PADDING = 3;

/**
 * Boxes over an image. Those without a partner are dashed, so that they differ by more than their colour; every text
 * has its own background.
 *
 * @param size of the drawing, in the units of `ctx`
 */
export function paintBoxes(
  ctx: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  boxes: readonly DrawnBox[],
  colors: Colors,
): void {
  ctx.font = `${FONT_SIZE}px ${colors.fontFamily}`;
  ctx.textBaseline = 'middle';
  // The best box is drawn last, over the others; known boxes lie below all.
  const level = ({ box, kind }: DrawnBox): number => (kind === 'known' ? -1 : box.score);
  for (const { box, text, kind } of [...boxes].sort((a, b) => level(a) - level(b))) {
    const color = { paired: colors.bits8, lone: colors.warning, known: colors.foreground }[kind];
    const x = Math.max(1, box.x1 * size.width);
    const y = Math.max(1, box.y1 * size.height);
    const width = Math.min(size.width - 1, box.x2 * size.width) - x;
    const tall = Math.min(size.height - 1, box.y2 * size.height) - y;
    ctx.setLineDash(kind === 'lone' ? [6, 3] : kind === 'known' ? [2, 3] : []);
    // A rim in the page's background keeps lines apart from any image.
    ctx.strokeStyle = colors.background;
    ctx.lineWidth = kind === 'known' ? 2.5 : 4;
    ctx.strokeRect(x, y, width, tall);
    ctx.strokeStyle = color;
    ctx.lineWidth = kind === 'known' ? 1 : 2;
    ctx.strokeRect(x, y, width, tall);
    ctx.setLineDash([]);
    if (text === '') continue;
    const shown = fitText(ctx, text, Math.max(40, size.width - x - 2 * PADDING));
    const textWidth = ctx.measureText(shown).width + 2 * PADDING;
    const textHeight = FONT_SIZE + 2 * PADDING;
    const left = Math.max(0, Math.min(x - 1, size.width - textWidth));
    const top = y >= textHeight ? y - textHeight : y;
    ctx.fillStyle = colors.background;
    ctx.fillRect(left, top, textWidth, textHeight);
    ctx.strokeStyle = color;
    ctx.lineWidth = 1;
    ctx.strokeRect(left + 0.5, top + 0.5, textWidth - 1, textHeight - 1);
    ctx.fillStyle = colors.foreground;
    ctx.fillText(shown, left + PADDING, top + textHeight / 2);
  }
}

/** The image on a canvas of its own size. */
export function imageCanvas({ width, height, rgba }: DetectionsView): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')!.putImageData(new ImageData(Uint8ClampedArray.from(rgba), width, height), 0, 0);
  return canvas;
}
