/** The page's drawings as files. */
import type { Colors } from '../theme';
import { SvgContext, type Painter } from './svgContext';

/** What draws itself on anything that paints. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly paint: (context: Painter, colors: Colors) => void;
}

/** Browsers give up on larger canvases. */
const MAX_SIDE = 16_000;
const MAX_PIXELS = 100_000_000;

export function toSvg({ width, height, paint }: Picture, colors: Colors): string {
  const context = new SvgContext(width, height, colors.background);
  paint(context, colors);
  return context.toString();
}

/** At twice the size, or less where that is more than a canvas can be. */
export async function toPng({ width, height, paint }: Picture, colors: Colors): Promise<Uint8Array> {
  const { canvas, context } = canvasOf(width, height, colors.background);
  paint(context, colors);
  return encode(canvas);
}

/** An SVG element of the page with the styles that the page gives it, so that it looks the same by itself. */
export function standalone(drawing: SVGSVGElement, colors: Colors): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const originals = [drawing, ...drawing.querySelectorAll<SVGElement>('*')];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>('*')];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const property of [
      'fill',
      'fill-opacity',
      'stroke',
      'stroke-width',
      'stroke-dasharray',
      'stroke-opacity',
      'opacity',
      'font-size',
      'font-weight',
      'font-family',
    ]) {
      const value = style.getPropertyValue(property);
      if (value !== '') copies[i].setAttribute(property, value);
    }
    for (const name of ['class', 'tabindex', 'role', 'data-id', 'aria-selected', 'aria-label', 'aria-hidden'])
      copies[i].removeAttribute(name);
  });
  const { width, height } = drawing.viewBox.baseVal;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const back = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries({ width, height, fill: colors.background }))
    back.setAttribute(name, String(value));
  copy.prepend(back);
  return new XMLSerializer().serializeToString(copy);
}

/** A standalone SVG as PNG. */
export async function rasterize(svg: string, width: number, height: number, background: string): Promise<Uint8Array> {
  const image = new Image();
  await new Promise<void>((resolve, reject) => {
    image.onload = () => resolve();
    image.onerror = () => reject(new Error('The drawing cannot be turned into a picture.'));
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  });
  const { canvas, context } = canvasOf(width, height, background);
  context.drawImage(image, 0, 0, width, height);
  return encode(canvas);
}

function canvasOf(
  width: number,
  height: number,
  background: string,
): { readonly canvas: HTMLCanvasElement; readonly context: CanvasRenderingContext2D } {
  const ratio = Math.min(2, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  return { canvas, context };
}

async function encode(canvas: HTMLCanvasElement): Promise<Uint8Array> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error('The picture is too large.');
  return new Uint8Array(await blob.arrayBuffer());
}
