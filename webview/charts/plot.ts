/**
 * A plot of points in two dimensions, as SVG: readable by screen readers, walked with the arrow keys, and exported as
 * it is.
 */
import { fill, h, setAria, svg } from '../dom';
import { niceTicks } from './ticks';

export interface PlotPoint {
  /** Tells the point from others of the plot. */
  readonly id: string;
  readonly x: number;
  readonly y: number;
  /** What a screen reader says. */
  readonly label: string;
  /** What is the plan now. */
  readonly current?: boolean;
}

export interface PlotSeries {
  readonly name: string;
  /** Look: 1 … 4. */
  readonly style: 1 | 2 | 3 | 4;
  readonly line: boolean;
  /** Without, they are for looking at only. */
  readonly pickable: boolean;
  readonly points: readonly PlotPoint[];
}

export interface PlotAxis {
  readonly label: string;
  readonly range: readonly [number, number];
  readonly write: (value: number) => string;
  /** At round values if missing. */
  readonly ticks?: readonly number[];
}

export interface PlotSpec {
  readonly label: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly series: readonly PlotSeries[];
  /** Lines across the plot at values of y or x. */
  readonly limits?: readonly { readonly axis: 'x' | 'y'; readonly value: number; readonly label: string }[];
}

const margin = { left: 78, right: 18, top: 14, bottom: 44 };

export class Plot {
  readonly element = h('div', { class: 'plot' });
  private spec: PlotSpec | null = null;
  private selected: string | null = null;
  private size = { width: 0, height: 0 };

  /**
   * @param onSelect a point was clicked or reached with the keys; @param onPick it was chosen by a double-click or
   *   Enter
   */
  constructor(
    private readonly onSelect: (id: string) => void,
    private readonly onPick: (id: string) => void,
  ) {
    new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = this.element;
      if (width === this.size.width && height === this.size.height) return;
      this.size = { width, height };
      this.draw();
    }).observe(this.element);
    this.element.addEventListener('keydown', (event) => this.onKey(event));
  }

  /** The drawing, for export. */
  get drawing(): SVGSVGElement | null {
    return this.element.querySelector('svg');
  }

  render(spec: PlotSpec): void {
    this.spec = spec;
    this.draw();
  }

  select(id: string | null): void {
    this.selected = id;
    for (const point of this.element.querySelectorAll<SVGGElement>('.plot-point')) {
      const chosen = point.dataset['id'] === id;
      point.classList.toggle('selected', chosen);
      if (point.getAttribute('role') === 'option') {
        setAria(point, 'selected', chosen);
        point.setAttribute('tabindex', chosen ? '0' : '-1');
      }
    }
    if (this.element.querySelector('.plot-point[tabindex="0"]') === null)
      this.element.querySelector('.plot-point[role="option"]')?.setAttribute('tabindex', '0');
  }

  private draw(): void {
    const { spec } = this;
    const { width, height } = this.size;
    if (spec === null || width < 80 || height < 80) return;
    const focused = this.element.contains(document.activeElement);
    const frame = new Frame(spec, width, height);
    const { x, y, plotWidth, plotHeight } = frame;
    // What can be picked lies on top.
    const points = [...spec.series]
      .sort((a, b) => Number(a.pickable) - Number(b.pickable))
      .flatMap(({ style, pickable, points: own }) =>
        own.map((point) => this.point(point, style, pickable, x(point.x), y(point.y))),
      );
    const drawing = svg(
      'svg',
      {
        class: 'plot-drawing',
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: 'listbox',
        'aria-label': spec.label,
        'aria-orientation': 'horizontal',
      },
      svg(
        'g',
        { 'aria-hidden': 'true' },
        ...gridOf(frame),
        text(spec.x.label, {
          class: 'plot-axis',
          x: margin.left + plotWidth / 2,
          y: height - 8,
          'text-anchor': 'middle',
        }),
        verticalLabel(spec.y.label, plotHeight),
        ...limitsOf(frame),
        ...linesOf(frame),
      ),
      ...points,
    );
    // A list without options is none.
    if (!points.some((p) => p.getAttribute('role') === 'option')) drawing.setAttribute('role', 'img');
    fill(this.element, drawing);
    this.select(this.selected);
    if (focused) this.element.querySelector<SVGGElement>('.plot-point[tabindex="0"]')?.focus();
  }

  private point(point: PlotPoint, style: number, pickable: boolean, x: number, y: number): SVGGElement {
    const shapes: Record<number, () => SVGElement> = {
      1: () => svg('circle', { class: 'plot-mark', r: 4.5 }),
      2: () => svg('rect', { class: 'plot-mark', x: -4, y: -4, width: 8, height: 8 }),
      3: () => svg('path', { class: 'plot-mark', d: 'M0-5.5L5 4H-5z' }),
      4: () => svg('path', { class: 'plot-mark', d: 'M0-5.5L5.5 0L0 5.5L-5.5 0z' }),
    };
    const element = svg(
      'g',
      {
        class: `plot-point plot-style-${style}${point.current === true ? ' current' : ''}`,
        transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      },
      ...(point.current === true ? [svg('circle', { class: 'plot-ring', r: 9 })] : []),
      shapes[style](),
    );
    element.dataset['id'] = point.id;
    const tooltip = svg('title');
    tooltip.textContent = point.label;
    element.append(tooltip);
    if (!pickable) {
      element.setAttribute('aria-hidden', 'true');
      return element;
    }
    element.setAttribute('role', 'option');
    setAria(element, 'label', point.label);
    element.addEventListener('click', () => {
      this.onSelect(point.id);
      element.focus();
    });
    element.addEventListener('dblclick', () => this.onPick(point.id));
    element.addEventListener('focus', () => this.onSelect(point.id));
    return element;
  }

  private onKey(event: KeyboardEvent): void {
    const points = (this.spec?.series ?? [])
      .filter(({ pickable }) => pickable)
      .flatMap((series) => series.points)
      .sort((a, b) => a.x - b.x || a.y - b.y);
    const at = points.findIndex(({ id }) => id === this.selected);
    if ((event.key === 'Enter' || event.key === ' ') && at >= 0) this.onPick(points[at].id);
    else {
      const next = {
        ArrowRight: at + 1,
        ArrowLeft: at - 1,
        ArrowUp: at + 1,
        ArrowDown: at - 1,
        Home: 0,
        End: points.length - 1,
      }[event.key];
      if (next === undefined || points.length === 0) return;
      const { id } = points[Math.max(0, Math.min(points.length - 1, next))];
      this.onSelect(id);
      this.element.querySelector<SVGGElement>(`.plot-point[data-id="${CSS.escape(id)}"]`)?.focus();
    }
    event.preventDefault();
  }
}

/** Names of a plot's series with their marks. */
export function plotLegend(series: readonly PlotSeries[]): HTMLElement {
  return h(
    'ul',
    { class: 'plot-legend' },
    ...series
      .filter(({ points }) => points.length > 0)
      .map(({ name, style }) => {
        const mark = svg(
          'svg',
          {
            class: `plot-key plot-style-${style}`,
            width: 22,
            height: 12,
            viewBox: '-11 -6 22 12',
            'aria-hidden': 'true',
          },
          svg('line', { class: 'plot-line', x1: -11, x2: 11, y1: 0, y2: 0 }),
          style === 1
            ? svg('circle', { class: 'plot-mark', r: 4 })
            : style === 2
              ? svg('rect', { class: 'plot-mark', x: -3.5, y: -3.5, width: 7, height: 7 })
              : style === 3
                ? svg('path', { class: 'plot-mark', d: 'M0-5L4.5 3.5H-4.5z' })
                : svg('path', { class: 'plot-mark', d: 'M0-5L5 0L0 5L-5 0z' }),
        );
        return h('li', {}, mark, h('span', {}, name));
      }),
  );
}

/** Where the values of a plot lie on its drawing, in pixels. */
class Frame {
  readonly plotWidth: number;
  readonly plotHeight: number;

  constructor(
    readonly spec: PlotSpec,
    readonly width: number,
    readonly height: number,
  ) {
    this.plotWidth = width - margin.left - margin.right;
    this.plotHeight = height - margin.top - margin.bottom;
  }

  readonly x = (value: number): number => {
    const [low, high] = this.spec.x.range;
    return margin.left + ((value - low) / (high - low)) * this.plotWidth;
  };

  readonly y = (value: number): number => {
    const [low, high] = this.spec.y.range;
    return margin.top + this.plotHeight - ((value - low) / (high - low)) * this.plotHeight;
  };
}

/** Along the vertical axis, or above it where the plot is lower than the label is long. */
function verticalLabel(label: string, plotHeight: number): SVGTextElement {
  if (textWidth(label) > plotHeight) return text(label, { class: 'plot-axis', x: 4, y: margin.top - 3 });
  return text(label, {
    class: 'plot-axis',
    x: 0,
    y: 0,
    transform: `translate(12 ${margin.top + plotHeight / 2}) rotate(-90)`,
    'text-anchor': 'middle',
  });
}

/** About how wide a label is, in pixels. */
function textWidth(label: string): number {
  return label.length * 6.4;
}

function text(content: string, attributes: Readonly<Record<string, string | number>>): SVGTextElement {
  const element = svg('text', attributes);
  element.textContent = content;
  return element;
}

/** Lines and labels of the ticks. */
function gridOf({ spec, width, height, plotWidth, plotHeight, x, y }: Frame): SVGElement[] {
  const grid: SVGElement[] = [];
  for (const value of spec.y.ticks ?? niceTicks(...spec.y.range, Math.max(2, Math.floor(plotHeight / 46)))) {
    grid.push(
      svg('line', { class: 'plot-grid', x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
      text(spec.y.write(value), { class: 'plot-tick', x: margin.left - 8, y: y(value) + 4, 'text-anchor': 'end' }),
    );
  }
  let last = -Infinity;
  for (const value of spec.x.ticks ?? niceTicks(...spec.x.range, Math.max(2, Math.floor(plotWidth / 84)))) {
    const label = spec.x.write(value);
    grid.push(
      svg('line', { class: 'plot-grid', x1: x(value), x2: x(value), y1: margin.top, y2: height - margin.bottom }),
    );
    // Labels that would run into each other are left out.
    const room = textWidth(label) + 10;
    if (x(value) - room / 2 < last) continue;
    last = x(value) + room / 2;
    grid.push(
      text(label, { class: 'plot-tick', x: x(value), y: height - margin.bottom + 16, 'text-anchor': 'middle' }),
    );
  }
  return grid;
}

function limitsOf({ spec, width, height, x, y }: Frame): SVGElement[] {
  return (spec.limits ?? []).flatMap(({ axis, value, label }) => {
    const at = axis === 'y' ? y(value) : x(value);
    if (axis === 'y')
      return [
        svg('line', { class: 'plot-limit', x1: margin.left, x2: width - margin.right, y1: at, y2: at }),
        text(label, { class: 'plot-limit-label', x: width - margin.right - 4, y: at - 5, 'text-anchor': 'end' }),
      ];
    return [
      svg('line', { class: 'plot-limit', x1: at, x2: at, y1: margin.top, y2: height - margin.bottom }),
      text(label, { class: 'plot-limit-label', x: at + 5, y: margin.top + 10 }),
    ];
  });
}

function linesOf({ spec, x, y }: Frame): SVGElement[] {
  return spec.series
    .filter(({ line, points }) => line && points.length > 1)
    .map(({ style, points }) =>
      svg('polyline', {
        class: `plot-line plot-style-${style}`,
        points: points.map((p) => `${x(p.x).toFixed(1)},${y(p.y).toFixed(1)}`).join(' '),
      }),
    );
}
