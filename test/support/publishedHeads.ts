import {
  anchored,
  around,
  CHANCE,
  distances,
  level,
  located,
  LOGIT,
  MIXED,
  priors,
  sigmoid,
  softmax,
  type Level,
  type Pairs,
  type PublishedHead,
} from './publishedForms';

const TINY: Pairs = [
  [10, 14],
  [23, 27],
  [37, 58],
  [81, 82],
  [135, 169],
  [344, 319],
];
const VOC_FASTEST: Pairs = [
  [26, 48],
  [67, 84],
  [72, 175],
  [189, 126],
  [137, 236],
  [265, 259],
];
const V2: Pairs = [
  [1.08, 1.19],
  [3.42, 4.41],
  [6.63, 11.38],
  [9.42, 5.11],
  [16.62, 10.52],
];
const V3: Pairs = [
  [10, 13],
  [16, 30],
  [33, 23],
  [30, 61],
  [62, 45],
  [59, 119],
  [116, 90],
  [156, 198],
  [373, 326],
];
const V4: Pairs = [
  [12, 16],
  [19, 36],
  [40, 28],
  [36, 75],
  [76, 55],
  [72, 146],
  [142, 110],
  [192, 243],
  [459, 401],
];

/** SSD's priors of 96×96 pixels: scales 0.2 … 0.95, the first level with three, the others with six. */
function ssdLevels(): Level[] {
  const sizes = [6, 3, 2, 1, 1, 1];
  const scales = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1];
  return sizes.map((n, k) => {
    const of = (s: number, ratio: number): readonly [number, number] => [96 * s * ratio ** 0.5, 96 * s * ratio ** -0.5];
    const all = [1, 2, 1 / 2, 3, 1 / 3].map((r) => of(scales[k], r));
    const own = k === 0 ? [of(0.1, 1), all[1], all[2]] : [...all, of(Math.sqrt(scales[k] * scales[k + 1]), 1)];
    return level(0, 96 / n, n, n, own);
  });
}

/** Cells with their own head: one function from what is there to the box. */
function cells(
  head: string,
  scales: readonly number[],
  quiet: PublishedHead['quiet'],
  object: PublishedHead['object'],
): PublishedHead {
  return { head, scales, quiet, object };
}

const squares = (sizes: readonly number[]): Pairs => sizes.map((s) => [s, s] as const);
const pyramid = (side: number, strides: readonly number[]): Level[] =>
  strides.map((s) => level(0, s, Math.ceil(side / s), Math.ceil(side / s)));

export const publishedHeads: readonly PublishedHead[] = [
  anchored(
    'yolov2',
    [
      level(
        0,
        32,
        3,
        3,
        V2.map(([w, h]) => [w * 32, h * 32] as const),
      ),
    ],
    4,
    'exp',
    () => 1,
    {
      softmax: true,
    },
  ),
  anchored('yolov3', [level(0, 32, 3, 3, TINY.slice(3)), level(1, 16, 6, 6, TINY.slice(0, 3))], 3, 'exp', () => 1),
  // yolov4-tiny.cfg: scale_x_y = 1.05 at both strides, masks 3,4,5 and 1,2,3.
  anchored('yolov4', [level(0, 32, 2, 3, TINY.slice(3)), level(1, 16, 4, 6, TINY.slice(1, 4))], 2, 'exp', () => 1.05),
  anchored(
    'yolo-fastest',
    [level(0, 32, 3, 3, VOC_FASTEST.slice(3)), level(1, 16, 6, 6, VOC_FASTEST.slice(0, 3))],
    20,
    'exp',
    () => 1,
  ),
  anchored(
    'mobilenet-yolo',
    [level(0, 32, 3, 3, VOC_FASTEST.slice(3)), level(1, 16, 6, 6, VOC_FASTEST.slice(0, 3))],
    3,
    'exp',
    (stride) => (stride === 32 ? 1.1 : 1.05),
  ),
  anchored(
    'yolov5',
    [8, 16, 32].map((s, i) => level(i, s, 64 / s, 64 / s, V3.slice(3 * i, 3 * i + 3))),
    2,
    'square',
    () => 2,
  ),
  anchored(
    'yolov7',
    [8, 16, 32].map((s, i) => level(0, s, 64 / s, 64 / s, V4.slice(3 * i, 3 * i + 3))),
    3,
    'square',
    () => 2,
    { flat: true },
  ),
  distances(
    'yolov8',
    [8, 16, 32].map((s, i) => level(i, s, 64 / s, 64 / s)),
    16,
    0.5,
    'grid',
    3,
  ),
  distances('picodet', pyramid(64, [8, 16, 32, 64]), 8, 0.5, 'flat', 3),
  // NanoDet-Plus: get_single_level_center_priors has the cells' corners.
  distances('nanodet', pyramid(64, [8, 16, 32, 64]), 8, 0, 'flat', 3),
  distances(
    'espdet',
    [8, 16].map((s, i) => level(2 * i, s, 64 / s, 64 / s)),
    1,
    0.5,
    'split',
    2,
  ),
  priors('ssd', ssdLevels(), [96, 96], 4),
  priors(
    'ultraface',
    [
      [10, 16, 24],
      [32, 48],
      [64, 96],
      [128, 192, 256],
    ].map((sizes, i) => level(0, 8 << i, 8 >> i, 8 >> i, squares(sizes))),
    [64, 64],
    1,
  ),
  cells(
    'yolox',
    [MIXED],
    () => 0,
    (value, pick) => {
      const levels = pyramid(64, [8, 16, 32]);
      const which = pick(3);
      const { stride } = levels[which];
      const { x, y, cell } = located(levels[which], pick);
      const label = pick(3);
      const row = levels.slice(0, which).reduce((n, l) => n + l.rows * l.cols, 0) + cell;
      const t = [0, 1, 2, 3].map(() => value(0, -1.5, 1.5));
      const object = value(0, 0.7, 0.95);
      const scores = [0, 1, 2].map((k) => (k === label ? value(0, 0.7, 0.95) : value(0, 0, 0.1)));
      return {
        values: [...t, object, ...scores].map((v, k) => [0, row * 8 + k, v] as const),
        box: around((x + t[0]) * stride, (y + t[1]) * stride, Math.exp(t[2]) * stride, Math.exp(t[3]) * stride),
        score: object * scores[label],
        label,
        points: [],
      };
    },
  ),
  cells(
    'blazeface',
    [1, LOGIT],
    (output) => (output === 1 ? -10 : 0),
    (value, pick) => {
      const first = pick(2) === 0;
      const found = located(
        first ? level(0, 8, 16, 16, squares([1, 1])) : level(0, 16, 8, 8, squares([1, 1, 1, 1, 1, 1])),
        pick,
      );
      const { x, y, a, cell } = found;
      const stride = first ? 8 : 16;
      const row = first ? 2 * cell + a : 512 + 6 * cell + a;
      const t = [value(0, -9, 9), value(0, -9, 9), value(0, 5, 60), value(0, 5, 60)];
      const points = Array.from({ length: 12 }, () => value(0, -30, 30));
      const logit = value(1, 1, 4);
      const [px, py] = [(x + 0.5) * stride, (y + 0.5) * stride];
      return {
        values: [...[...t, ...points].map((v, k) => [0, row * 16 + k, v] as const), [1, row, logit] as const],
        box: around(px + t[0], py + t[1], t[2], t[3]),
        score: sigmoid(logit),
        label: 0,
        points: points.map((v, k) => v + (k % 2 === 0 ? px : py)),
      };
    },
  ),
  cells(
    'yunet',
    Array.from({ length: 3 }, () => [CHANCE, CHANCE, MIXED, MIXED]).flat(),
    () => 0,
    (value, pick) => {
      const which = pick(3);
      const stride = 8 << which;
      const { x, y, cell } = located(level(0, stride, 64 / stride, 64 / stride), pick);
      const o = 4 * which;
      const [cls, obj] = [value(o, 0.8, 1), value(o + 1, 0.8, 1)];
      const t = [0, 1, 2, 3].map(() => value(o + 2, -1.5, 1.5));
      const points = Array.from({ length: 10 }, () => value(o + 3, -2, 2));
      return {
        values: [
          [o, cell, cls],
          [o + 1, cell, obj],
          ...t.map((v, k) => [o + 2, 4 * cell + k, v] as const),
          ...points.map((v, k) => [o + 3, 10 * cell + k, v] as const),
        ],
        box: around((x + t[0]) * stride, (y + t[1]) * stride, Math.exp(t[2]) * stride, Math.exp(t[3]) * stride),
        score: Math.sqrt(cls * obj),
        label: 0,
        points: points.map((v, k) => (v + (k % 2 === 0 ? x : y)) * stride),
      };
    },
  ),
  cells(
    'fomo',
    [LOGIT],
    (_, channel) => (channel === 0 ? 6 : -2),
    (value, pick) => {
      const { x, y, cell } = located(level(0, 8, 12, 12), pick);
      const label = pick(3);
      const scores = [0, 1, 2, 3].map((k) => (k === label + 1 ? value(0, 5, 8) : value(0, -2, 0)));
      return {
        values: scores.map((v, k) => [0, 4 * cell + k, v] as const),
        box: [8 * x, 8 * y, 8 * x + 8, 8 * y + 8],
        score: softmax(scores)[label + 1],
        label,
        points: [],
      };
    },
  ),
  cells(
    'centernet',
    [LOGIT, LOGIT, LOGIT],
    (output) => (output === 0 ? -10 : 0),
    (value, pick) => {
      const { x, y, cell } = located(level(0, 4, 16, 16), pick);
      const label = pick(3);
      const logit = value(0, 1, 4);
      const [w, h] = [value(1, 1, 10), value(1, 1, 10)];
      const [dx, dy] = [value(2, 0, 1), value(2, 0, 1)];
      return {
        values: [
          [0, 3 * cell + label, logit],
          [1, 2 * cell, w],
          [1, 2 * cell + 1, h],
          [2, 2 * cell, dx],
          [2, 2 * cell + 1, dy],
        ],
        box: around(4 * (x + dx), 4 * (y + dy), 4 * w, 4 * h),
        score: sigmoid(logit),
        label,
        points: [],
      };
    },
  ),
  cells(
    'fastestdet',
    [MIXED],
    () => 0,
    (value, pick) => {
      const { x, y, cell } = located(level(0, 16, 6, 6), pick);
      const label = pick(4);
      const object = value(0, 0.6, 0.95);
      const t = [0, 1, 2, 3].map(() => value(0, -2, 2));
      const scores = [0, 1, 2, 3].map((k) => (k === label ? value(0, 0.6, 0.95) : value(0, 0, 0.05)));
      return {
        values: [object, ...t, ...scores].map((v, k) => [0, 9 * cell + k, v] as const),
        box: around(16 * (x + Math.tanh(t[0])), 16 * (y + Math.tanh(t[1])), 96 * sigmoid(t[2]), 96 * sigmoid(t[3])),
        score: object ** 0.6 * scores[label] ** 0.4,
        label,
        points: [],
      };
    },
  ),
  cells(
    'decoded',
    [CHANCE, CHANCE],
    () => 0,
    (value, pick) => {
      const row = pick(100);
      const label = pick(3);
      const t = [value(0, 0, 0.4), value(0, 0, 0.4), value(0, 0.5, 1), value(0, 0.5, 1)];
      const score = value(1, 0.5, 1);
      return {
        values: [...t.map((v, k) => [0, 4 * row + k, v] as const), [1, 3 * row + label, score] as const],
        box: [64 * t[0], 64 * t[1], 64 * t[2], 64 * t[3]],
        score,
        label,
        points: [],
      };
    },
  ),
];
