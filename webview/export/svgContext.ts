/**
 * Draws what a canvas is told to draw as SVG: the same painter makes the picture on the screen and the one in a file.
 * It knows what the painters of this page use, not all of CanvasRenderingContext2D.
 */
export type Painter = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'globalAlpha'
  | 'lineWidth'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'lineJoin'
  | 'save'
  | 'restore'
  | 'translate'
  | 'scale'
  | 'rotate'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'bezierCurveTo'
  | 'rect'
  | 'roundRect'
  | 'fill'
  | 'stroke'
  | 'clip'
  | 'fillRect'
  | 'strokeRect'
  | 'fillText'
  | 'measureText'
  | 'setLineDash'
>;

interface State {
  fillStyle: string;
  strokeStyle: string;
  globalAlpha: number;
  dash: readonly number[];
  /** Transform as [a, b, c, d, e, f]. */
  matrix: readonly number[];
  clip: string | null;
}

const measuring = document.createElement('canvas').getContext('2d')!;

export class SvgContext {
  private readonly parts: string[] = [];
  private readonly defs: string[] = [];
  private state: State = {
    fillStyle: '#000',
    strokeStyle: '#000',
    globalAlpha: 1,
    dash: [],
    matrix: [1, 0, 0, 1, 0, 0],
    clip: null,
  };
  /** Any value suits. */
  lineWidth = 1;
  font = '10px sans-serif';
  textAlign: CanvasTextAlign = 'start';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  lineJoin: CanvasLineJoin = 'miter';
  private readonly saved: (() => void)[] = [];
  private path = '';

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly background: string,
  ) {}

  /** The picture so far. */
  toString(): string {
    const size =
      `width="${number(this.width)}" height="${number(this.height)}" viewBox="0 0 ` +
      `${number(this.width)} ${number(this.height)}"`;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" ${size}><defs>${this.defs.join('')}</defs><rect width="100%" ` +
      `height="100%" fill="${escapeXml(this.background)}"/>${this.parts.join('\n')}</svg>`
    );
  }

  get fillStyle(): string {
    return this.state.fillStyle;
  }
  set fillStyle(value: string | CanvasGradient | CanvasPattern) {
    if (typeof value === 'string') this.state.fillStyle = value;
  }
  get strokeStyle(): string {
    return this.state.strokeStyle;
  }
  set strokeStyle(value: string | CanvasGradient | CanvasPattern) {
    if (typeof value === 'string') this.state.strokeStyle = value;
  }
  get globalAlpha(): number {
    return this.state.globalAlpha;
  }
  set globalAlpha(value: number) {
    if (value >= 0 && value <= 1) this.state.globalAlpha = value;
  }
  save(): void {
    const state = { ...this.state };
    const { lineWidth, font, textAlign, textBaseline, lineJoin } = this;
    this.saved.push(() => Object.assign(this, { state, lineWidth, font, textAlign, textBaseline, lineJoin }));
  }

  restore(): void {
    this.saved.pop()?.();
  }

  translate(x: number, y: number): void {
    this.transform(1, 0, 0, 1, x, y);
  }

  scale(x: number, y: number): void {
    this.transform(x, 0, 0, y, 0, 0);
  }

  rotate(angle: number): void {
    this.transform(Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0);
  }

  setLineDash(dash: Iterable<number>): void {
    this.state.dash = [...dash];
  }

  beginPath(): void {
    this.path = '';
  }

  moveTo(x: number, y: number): void {
    this.path += `M${number(x)} ${number(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.path += `L${number(x)} ${number(y)}`;
  }

  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this.path += `C${[ax, ay, bx, by, x, y].map(number).join(' ')}`;
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${number(x)} ${number(y)}h${number(width)}v${number(height)}h${number(-width)}z`;
  }

  roundRect(
    x: number,
    y: number,
    width: number,
    height: number,
    radii?: number | DOMPointInit | Iterable<number | DOMPointInit>,
  ): void {
    const r = Math.min(typeof radii === 'number' ? radii : 0, width / 2, height / 2);
    const arc = (dx: number, dy: number): string => `a${number(r)} ${number(r)} 0 0 1 ${number(dx)} ${number(dy)}`;
    const [w, h] = [width - 2 * r, height - 2 * r];
    const begin = `M${number(x + r)} ${number(y)}`;
    const there = `h${number(w)}${arc(r, r)}v${number(h)}${arc(-r, r)}`;
    const back = `h${number(-w)}${arc(-r, -r)}v${number(-h)}${arc(r, -r)}z`;
    this.path += begin + there + back;
  }

  fill(): void {
    this.add(`<path d="${this.path}" ${this.filled()}`);
  }

  stroke(): void {
    this.add(`<path d="${this.path}" ${this.stroked()}`);
  }

  clip(): void {
    const id = `clip${this.defs.length}`;
    this.defs.push(`<clipPath id="${id}"><path d="${this.path}"${this.transformed()}/></clipPath>`);
    this.state.clip = id;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    if (width > 0 && height > 0) this.add(`<rect ${box(x, y, width, height)} ${this.filled()}`);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    if (width >= 0 && height >= 0) this.add(`<rect ${box(x, y, width, height)} ${this.stroked()}`);
  }

  measureText(text: string): TextMetrics {
    measuring.font = this.font;
    return measuring.measureText(text);
  }

  fillText(text: string, x: number, y: number): void {
    if (text === '') return;
    const [, weight = '400', size = '10', family = 'sans-serif'] =
      /^(?:(\d+|bold|normal) )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = { left: 'start', start: 'start', center: 'middle', right: 'end', end: 'end' }[this.textAlign];
    // Not dominant-baseline: many programs do not know it.
    const shift =
      this.textBaseline === 'middle' ? Number(size) * 0.35 : this.textBaseline === 'top' ? Number(size) * 0.8 : 0;
    this.add(
      `<text x="${number(x)}" y="${number(y + shift)}" font-family="${escapeXml(family)}" font-size="${size}" ` +
        `font-weight="${weight}" text-anchor="${anchor}" ${this.filled()}`,
      escapeXml(text),
    );
  }

  private add(start: string, content?: string): void {
    const clip = this.state.clip === null ? '' : ` clip-path="url(#${this.state.clip})"`;
    const element = `${start}${this.transformed()}`;
    const whole = content === undefined ? `${element}/>` : `${element}>${content}</text>`;
    // A clip is in the picture's coordinates: it must not be moved with the element.
    this.parts.push(clip === '' ? whole : `<g${clip}>${whole}</g>`);
  }

  private filled(): string {
    return `fill="${escapeXml(this.state.fillStyle)}"${this.opacity('fill')}`;
  }

  private stroked(): string {
    const dash = this.state.dash.length === 0 ? '' : ` stroke-dasharray="${this.state.dash.map(number).join(' ')}"`;
    return (
      `fill="none" stroke="${escapeXml(this.state.strokeStyle)}" ` +
      `stroke-width="${number(this.lineWidth)}" ` +
      `stroke-linejoin="${this.lineJoin}"${dash}${this.opacity('stroke')}`
    );
  }

  private opacity(kind: 'fill' | 'stroke'): string {
    return this.state.globalAlpha === 1 ? '' : ` ${kind}-opacity="${number(this.state.globalAlpha)}"`;
  }

  private transformed(): string {
    const { matrix } = this.state;
    return matrix.every((value, i) => value === [1, 0, 0, 1, 0, 0][i])
      ? ''
      : ` transform="matrix(${matrix.map(number).join(' ')})"`;
  }

  private transform(a: number, b: number, c: number, d: number, e: number, f: number): void {
    const [A, B, C, D, E, F] = this.state.matrix;
    this.state.matrix = [
      A * a + C * b,
      B * a + D * b,
      A * c + C * d,
      B * c + D * d,
      A * e + C * f + E,
      B * e + D * f + F,
    ];
  }
}

const number = (value: number): string => String(Number(value.toFixed(3)));
const box = (x: number, y: number, width: number, height: number): string =>
  `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;

/**
 * Text for an attribute or element. What XML cannot hold at all, such as control characters, is left out: names come
 * from models.
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
