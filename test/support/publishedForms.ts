/** Raw values of one object, and the box that a family's publication makes of them. */
export interface PublishedObject {
  /** Output, element in HWC order, value. */
  readonly values: readonly (readonly [output: number, element: number, value: number])[];
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  readonly score: number;
  readonly label: number;
  readonly points: readonly number[];
}

/** A value of an output, as its codes can hold it. */
type Value = (output: number, low: number, high: number) => number;

/** How a family's boxes were published, with places written out by hand: nothing here is the product's. */
export interface PublishedHead {
  readonly head: string;
  /** Of the outputs' codes. */
  readonly scales: readonly number[];
  /** Raw values where there is no object, by output and channel. */
  readonly quiet: (output: number, channel: number) => number;
  readonly object: (value: Value, pick: (count: number) => number) => PublishedObject;
}

export type Pairs = readonly (readonly [number, number])[];

export const sigmoid = (t: number): number => 1 / (1 + Math.exp(-t));
export const softmax = (values: readonly number[]): number[] => {
  const all = values.map(Math.exp);
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((v) => v / sum);
};
export const around = (cx: number, cy: number, w: number, h: number): PublishedObject['box'] => [
  cx - w / 2,
  cy - h / 2,
  cx + w / 2,
  cy + h / 2,
];
export const LOGIT = 0.08;
export const MIXED = 0.03;
export const CHANCE = 1 / 127;

export interface Level {
  readonly output: number;
  readonly stride: number;
  readonly rows: number;
  readonly cols: number;
  readonly anchors: Pairs;
}

/** Values of a location in the order of its fields, and where they are. */
export function located(
  level: Level,
  pick: (count: number) => number,
): { x: number; y: number; a: number; cell: number } {
  const [x, y] = [pick(level.cols), pick(level.rows)];
  return { x, y, a: pick(level.anchors.length), cell: y * level.cols + x };
}

/** Anchors × (x, y, w, h, objectness, classes): darknet's and Ultralytics' networks with anchors. */
export function anchored(
  head: string,
  levels: readonly Level[],
  classes: number,
  form: 'exp' | 'square',
  spread: (stride: number) => number,
  more: { readonly softmax?: boolean; readonly flat?: boolean } = {},
): PublishedHead {
  const fields = 5 + classes;
  return {
    head,
    scales: levels.map(() => LOGIT),
    quiet: () => -10,
    object: (value, pick) => {
      const level = levels[pick(levels.length)];
      const { x, y, a, cell } = located(level, pick);
      const label = pick(classes);
      const { output, stride, anchors, rows, cols } = level;
      const t = [0, 1, 2, 3].map(() => value(output, -1.5, 1.5));
      const object = value(output, 2, 4);
      const scores = Array.from({ length: classes }, (_, k) =>
        k === label ? value(output, 2, 4) : value(output, -5, -4),
      );
      const before = levels.slice(0, levels.indexOf(level)).reduce((n, l) => n + l.rows * l.cols * l.anchors.length, 0);
      const first = more.flat
        ? (before + a * rows * cols + cell) * fields
        : cell * anchors.length * fields + a * fields;
      const s = spread(stride);
      const center = (v: number): number => s * sigmoid(v) - (s - 1) / 2;
      const size = (v: number): number => (form === 'exp' ? Math.exp(v) : (2 * sigmoid(v)) ** 2);
      const [w, h] = anchors[a];
      return {
        values: [...t, object, ...scores].map((v, k) => [output, first + k, v] as const),
        box: around((x + center(t[0])) * stride, (y + center(t[1])) * stride, w * size(t[2]), h * size(t[3])),
        score: sigmoid(object) * (more.softmax ? softmax(scores) : scores.map(sigmoid))[label],
        label,
        points: [],
      };
    },
  };
}

export const level = (
  output: number,
  stride: number,
  rows: number,
  cols: number,
  anchors: Pairs = [[1, 1]],
): Level => ({
  output,
  stride,
  rows,
  cols,
  anchors,
});

/** Distances to the four sides, in cells: an expectation over bins (Li et al., 2020), or the values themselves. */
export function distances(
  head: string,
  levels: readonly Level[],
  bins: number,
  offset: number,
  layout: 'grid' | 'split' | 'flat',
  classes: number,
): PublishedHead {
  const width = 4 * bins;
  const isChance = layout === 'flat';
  return {
    head,
    scales: layout === 'split' ? levels.flatMap(() => [LOGIT, LOGIT]) : levels.map(() => (isChance ? MIXED : LOGIT)),
    quiet: (output) => (isChance || (layout === 'split' && output % 2 === 0) ? 0 : -10),
    object: (value, pick) => {
      const which = pick(levels.length);
      const { output, stride } = levels[which];
      const { x, y, cell } = located(levels[which], pick);
      const label = pick(classes);
      const t = Array.from({ length: width }, () => (bins > 1 ? value(output, -3, 3) : value(output, 0.5, 3)));
      const scoreOutput = layout === 'split' ? output + 1 : output;
      const [low, high] = isChance ? [0.6, 0.95] : [1, 4];
      const scores = Array.from({ length: classes }, (_, k) =>
        k === label ? value(scoreOutput, low, high) : value(scoreOutput, isChance ? 0 : -6, isChance ? 0.1 : -5),
      );
      const before = levels.slice(0, which).reduce((n, l) => n + l.rows * l.cols, 0);
      const row = (layout === 'flat' ? before : 0) + cell;
      const values =
        layout === 'split'
          ? [
              ...t.map((v, k) => [output, row * 4 + k, v] as const),
              ...scores.map((v, k) => [scoreOutput, row * classes + k, v] as const),
            ]
          : // Flat exports have the classes first.
            (isChance ? [...scores, ...t] : [...t, ...scores]).map(
              (v, k) => [output, row * (width + classes) + k, v] as const,
            );
      const side = (k: number): number => {
        if (bins === 1) return t[k] * stride;
        return softmax(t.slice(k * bins, (k + 1) * bins)).reduce((sum, p, i) => sum + i * p, 0) * stride;
      };
      const [px, py] = [(x + offset) * stride, (y + offset) * stride];
      return {
        values,
        box: [px - side(0), py - side(1), px + side(2), py + side(3)],
        score: isChance ? scores[label] : sigmoid(scores[label]),
        label,
        points: [],
      };
    },
  };
}

/** Priors with variances 0.1 and 0.2, and classes with the background first (Liu et al., 2016). */
export function priors(
  head: string,
  levels: readonly Level[],
  size: readonly [number, number],
  classes: number,
): PublishedHead {
  return {
    head,
    scales: [LOGIT, LOGIT],
    quiet: (output, channel) => (output === 1 ? (channel === 0 ? 6 : -2) : 0),
    object: (value, pick) => {
      const which = pick(levels.length);
      const { rows, cols, anchors } = levels[which];
      const { x, y, a, cell } = located(levels[which], pick);
      const label = pick(classes);
      const t = [0, 1, 2, 3].map(() => value(0, -2, 2));
      const scores = Array.from({ length: classes + 1 }, (_, k) =>
        k === label + 1 ? value(1, 5, 8) : value(1, -2, 0),
      );
      const before = levels.slice(0, which).reduce((n, l) => n + l.rows * l.cols * l.anchors.length, 0);
      const row = before + cell * anchors.length + a;
      const [w, h] = anchors[a];
      return {
        values: [
          ...t.map((v, k) => [0, row * 4 + k, v] as const),
          ...scores.map((v, k) => [1, row * (classes + 1) + k, v] as const),
        ],
        box: around(
          ((x + 0.5) * size[0]) / cols + 0.1 * t[0] * w,
          ((y + 0.5) * size[1]) / rows + 0.1 * t[1] * h,
          w * Math.exp(0.2 * t[2]),
          h * Math.exp(0.2 * t[3]),
        ),
        score: softmax(scores)[label + 1],
        label,
        points: [],
      };
    },
  };
}
