/** Small 16×16 line icons, built as SVG elements: nothing to load, coloured by the text around them. */
import { svg } from './dom';

const paths = {
  chip: [
    'M4.5 4.5h7v7h-7z',
    'M6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14',
  ],
  play: ['M5 3.5l7 4.5-7 4.5z'],
  outliers: [
    'M3 3h.1M6 5h.1M4 9h.1M11 3.5h.1M13 7h.1M5 13h.1M12.5 12h.1',
    'M8.5 7.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6z',
  ],
  boxes: ['M2.5 2.5h7v6h-7z', 'M6.5 8.5v5h7v-7h-4'],
  compare: ['M2.5 3h4.5v10H2.5zM9 3h4.5v10H9z', 'M4 6h1.5M4 8.5h1.5M10.5 6H12M10.5 11H12'],
  export: ['M8 9.5v-7M5.2 5.2L8 2.4l2.8 2.8', 'M4 7.5H2.8v6h10.4v-6H12'],
  tradeOff: ['M2.5 2.5v11h11', 'M5 10.5c1-4.5 3.5-6 7.5-6.5', 'M5.2 10.2v.1M7.2 6.8v.1M10.4 4.6v.1'],
  code: ['M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5M9 3L7 13'],
  copy: ['M5.5 5.5h7v8h-7z', 'M10.5 5.5v-3h-7v8h2'],
  again: ['M12.8 6.2A5.2 5.2 0 1 0 13.2 8.6', 'M13.2 2.8v3.6H9.6'],
  file: ['M4 2.5h5.5L12.5 5.5v8h-8.5z', 'M9.5 2.5v3h3'],
  search: ['M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4z', 'M10.2 10.2L13.5 13.5'],
  graph: ['M6 2.5h4v3H6zM2.5 10.5h4v3h-4zM9.5 10.5h4v3h-4z', 'M8 5.5v2.5M4.5 10.5V8h7v2.5'],
  list: ['M2.5 4h1M2.5 8h1M2.5 12h1M6 4h7.5M6 8h7.5M6 12h7.5'],
  grid: ['M2.5 2.5h11v11h-11z', 'M6.2 2.5v11M9.8 2.5v11M2.5 6.2h11M2.5 9.8h11'],
  memory: ['M2.5 13.5V9.5h3v4M5.5 13.5v-8h4v8M9.5 13.5V7.5h4v6', 'M1.5 13.5h13'],
  warning: ['M8 2.5L14.2 13.2H1.8z', 'M8 6.5v3.2M8 11v.8'],
  info: ['M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z', 'M8 7.2v4M8 4.6v.6'],
  error: ['M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z', 'M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4'],
  check: ['M3 8.5l3.2 3.2L13 4.8'],
  unlock: ['M4 7.5h8v6H4z', 'M5.5 7.5V5.2a2.5 2.5 0 0 1 4.6-1.3'],
  target: ['M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6z', 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6z', 'M8 7.8v.4'],
  lock: ['M4 7.5h8v6H4z', 'M5.5 7.5V5.2a2.5 2.5 0 0 1 5 0v2.3'],
  fit: ['M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10'],
  fold: ['M2.5 8h11', 'M8 1.5v4M6 3.7L8 5.7l2-2', 'M8 14.5v-4M6 12.3l2-2 2 2'],
  plus: ['M8 3v10M3 8h10'],
  minus: ['M3 8h10'],
  rotate: ['M8 2.5v8M5 8l3 3 3-3', 'M2.5 13.5h11'],
  close: ['M4 4l8 8M12 4l-8 8'],
  chevronDown: ['M3.5 6L8 10.5 12.5 6'],
  chevronUp: ['M3.5 10L8 5.5l4.5 4.5'],
  details: ['M2.5 2.5h11v11h-11z', 'M9.5 2.5v11'],
  table: ['M2.5 3h11v10h-11z', 'M2.5 6.3h11M2.5 9.6h11M7 6.3V13'],
  sortUp: ['M8 12.5v-9M4.8 6.5L8 3.3l3.2 3.2'],
  sortDown: ['M8 3.5v9M4.8 9.5L8 12.7l3.2-3.2'],
  arrowUp: ['M8 13V4M4.5 7L8 3.5 11.5 7'],
  arrowDown: ['M8 3v9M4.5 9L8 12.5 11.5 9'],
} as const;

export type IconName = keyof typeof paths;

/** Decorative: the name of the thing is the text or label next to it. */
export function icon(name: IconName): SVGSVGElement {
  return svg(
    'svg',
    {
      class: `icon icon-${name}`,
      viewBox: '0 0 16 16',
      width: 16,
      height: 16,
      'aria-hidden': 'true',
      focusable: 'false',
    },
    ...paths[name].map((d) =>
      svg('path', {
        d,
        fill: 'none',
        stroke: 'currentColor',
        'stroke-width': 1.2,
        'stroke-linejoin': 'round',
        'stroke-linecap': 'round',
      }),
    ),
  );
}
