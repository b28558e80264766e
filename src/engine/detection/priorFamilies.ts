import {
  flatLevels,
  flats,
  grids,
  head,
  place,
  remaining,
  type Flat,
  type HeadClues,
  type HeadFamily,
} from './families';
import type { BoxForm, DetectionHead, HeadLevel } from './head';

type Prior = readonly [number, number];

const variances: BoxForm = {
  form: 'center',
  xy: { fn: 'linear', scale: 0.1, unit: 'anchor' },
  wh: { fn: 'exp', scale: 0.2 },
};

interface PriorLevel {
  readonly rows: number;
  readonly cols: number;
  readonly stride: number;
  readonly priors: readonly Prior[];
}

/** UltraFace's: square priors on four strides. */
function ultraFacePriors({ width, height }: HeadClues): PriorLevel[] {
  const sizes = [
    [8, [10, 16, 24]],
    [16, [32, 48]],
    [32, [64, 96]],
    [64, [128, 192, 256]],
  ] as const;
  return sizes.map(([stride, list]) => ({
    stride,
    rows: Math.ceil(height / stride),
    cols: Math.ceil(width / stride),
    priors: list.map((s) => [s, s] as const),
  }));
}

/**
 * SSD's with MobileNet (Liu et al., 2016): scales 0.2 … 0.95 on six levels, three priors on the first, six on others.
 */
function ssdPriors({ width, height }: HeadClues): PriorLevel[] {
  const levels = 6;
  const scale = (k: number): number => (k >= levels ? 1 : 0.2 + (0.75 * k) / (levels - 1));
  let rows = Math.ceil(height / 16);
  let cols = Math.ceil(width / 16);
  return Array.from({ length: levels }, (_, k) => {
    const level = { rows, cols };
    [rows, cols] = [Math.ceil(rows / 2), Math.ceil(cols / 2)];
    const s = scale(k);
    const between = Math.sqrt(s * scale(k + 1));
    const shape = (size: number, ratio: number): Prior => [
      size * Math.sqrt(ratio) * width,
      (size / Math.sqrt(ratio)) * height,
    ];
    const priors =
      k === 0
        ? [shape(0.1, 1), shape(s, 2), shape(s, 0.5)]
        : [shape(s, 1), shape(s, 2), shape(s, 0.5), shape(s, 3), shape(s, 1 / 3), shape(between, 1)];
    return { ...level, stride: width / level.cols, priors };
  });
}

/** Priors are centered in their cells. */
function cellsOf({ rows, cols, stride, priors }: PriorLevel): Omit<HeadLevel, 'box' | 'score'> {
  return { rows, cols, stride, offset: 0.5, anchors: priors };
}

/** Two flat outputs of a row for each prior: four values, and the classes with the background first. */
function flatPriors(
  name: string,
  clues: HeadClues,
  levels: readonly PriorLevel[],
  form: BoxForm,
): DetectionHead | null {
  if (clues.outputs.length !== 2) return null;
  const total = levels.reduce((n, l) => n + l.rows * l.cols * l.priors.length, 0);
  const all = flats(clues).filter((f) => f.rows === total);
  const box = all.find((f) => f.fields === 4 && /box|loc|reg/i.test(f.output.name)) ?? all.find((f) => f.fields === 4);
  const score = all.find((f) => f.output !== box?.output && f.fields >= 2);
  if (!box || !score) return null;
  let row = 0;
  const classes = score.fields - 1;
  return head(
    name,
    classes,
    levels.map((l): HeadLevel => {
      const n = l.priors.length;
      const where = { row, rowsPerCell: n, rowsPerAnchor: 1 };
      row += l.rows * l.cols * n;
      return {
        ...cellsOf(l),
        box: { ...form, ...place(box, 0, where) },
        score: {
          ...place(score, 0, where),
          fn: remaining(score.output, 'softmax'),
          count: score.fields,
          background: 0,
        },
      };
    }),
    name === 'ultraface' ? { labels: ['face'], score: 0.6, iou: 0.3 } : {},
  );
}

/** Box and class channels on grids, A·4 and A·(classes + 1). */
function gridPriors(name: string, clues: HeadClues, levels: readonly PriorLevel[]): DetectionHead | null {
  const all = grids(clues, () => true);
  if (all.length !== 2 * levels.length) return null;
  let classes = 0;
  const found = levels.map((l): HeadLevel | null => {
    const same = all.filter((g) => g.rows === l.rows && g.cols === l.cols);
    const n = l.priors.length;
    const box =
      same.find((g) => g.output.c === 4 * n && /box|loc|reg/i.test(g.output.name)) ??
      same.find((g) => g.output.c === 4 * n);
    const score = same.find((g) => g !== box && g.output.c % n === 0);
    if (!box || !score) return null;
    const count = score.output.c / n;
    classes = count - 1;
    return {
      ...cellsOf(l),
      box: { ...variances, output: box.output.name, channel: 0, channelsPerAnchor: 4 },
      score: {
        output: score.output.name,
        channel: 0,
        channelsPerAnchor: count,
        fn: remaining(score.output, 'softmax'),
        count,
        background: 0,
      },
    };
  });
  return found.some((l) => l === null) || classes < 1 ? null : head(name, classes, found as HeadLevel[]);
}

/** MediaPipe's face detector: boxes and six points in pixels, on 16×16 cells with two anchors and 8×8 with six. */
function blazeFace(clues: HeadClues): DetectionHead | null {
  const find = (rows: number, fields: number): Flat | undefined =>
    flats(clues).find((f) => f.rows === rows && f.fields === fields && !f.fieldsFirst);
  const levels = [
    { cells: 16, anchors: 2, row: 0, stride: clues.width / 16 },
    { cells: 8, anchors: 6, row: 512, stride: clues.width / 8 },
  ];
  const built = levels.map(({ cells, anchors, row, stride }): HeadLevel | null => {
    const rows = cells * cells * anchors;
    const whole = { box: find(896, 16), score: find(896, 1) };
    const box = whole.box ?? find(rows, 16);
    const score = whole.score ?? find(rows, 1);
    if (!box || !score) return null;
    const where = { row: whole.box ? row : 0, rowsPerCell: anchors, rowsPerAnchor: 1 };
    return {
      rows: cells,
      cols: cells,
      stride,
      offset: 0.5,
      anchors: Array.from({ length: anchors }, () => [1, 1] as const),
      box: {
        form: 'center',
        xy: { fn: 'linear', scale: 1, unit: 'pixel' },
        wh: { fn: 'linear', scale: 1 },
        ...place(box, 0, where),
      },
      score: { ...place(score, 0, where), fn: 'sigmoid', count: 1 },
      points: { ...place(box, 4, where), unit: 'pixel', scale: 1, count: 6 },
    };
  });
  if (built.some((l) => l === null)) return null;
  return head('blazeface', 1, built as HeadLevel[], { labels: ['face'], score: 0.6, iou: 0.3 });
}

/** Boxes that the network itself has decoded: N×4 and N×classes, or N rows of box, perhaps objectness, and classes. */
function decoded(clues: HeadClues): DetectionHead | null {
  const level = (
    rows: number,
    box: HeadLevel['box'],
    rest: Omit<HeadLevel, 'rows' | 'cols' | 'stride' | 'offset' | 'anchors' | 'box'>,
  ): HeadLevel => ({
    rows: 1,
    cols: rows,
    stride: 1,
    offset: 0,
    anchors: [[1, 1]],
    box,
    ...rest,
  });
  const form = { form: 'decoded', order: 'xyxy', unit: 'input' } as const;
  // A list of boxes is not a map: those of segmentation and poses are.
  if (clues.outputs.some(({ h, w }) => h > 1 && w > 1)) return null;
  if (clues.outputs.length === 2) {
    const all = flats(clues);
    const box =
      all.find((f) => f.fields === 4 && /box|loc|reg/i.test(f.output.name)) ?? all.find((f) => f.fields === 4);
    const score = all.find((f) => f.output !== box?.output && f.rows === box?.rows);
    if (!box || !score) return null;
    // Two classes of a face or person detector: the first is the background.
    const background = score.fields === 2 || score.fields === 21 || score.fields === 81 ? { background: 0 } : {};
    const classes = score.fields - ('background' in background ? 1 : 0);
    const faces = classes === 1 && /face/.test(clues.model) ? { labels: ['face'] } : {};
    return head(
      'decoded',
      classes,
      [
        level(
          box.rows,
          { ...form, ...place(box, 0) },
          { score: { ...place(score, 0), fn: 'none', count: score.fields, ...background } },
        ),
      ],
      faces,
    );
  }
  if (clues.outputs.length !== 1) return null;
  const [flat] = flats(clues)
    .filter((f) => f.rows > f.fields && f.fields > 4)
    .sort((a, b) => b.rows - a.rows);
  if (!flat) return null;
  const center = { form: 'decoded', order: 'center', unit: 'pixel' } as const;
  // YOLOv8 and later have one box a cell and no objectness.
  const perCell = flatLevels(clues, flat.rows, [8, 16, 32], () => 1) !== null && !/yolox/.test(clues.model);
  const objectness = !flat.fieldsFirst && !perCell && flat.fields > 5;
  const first = objectness ? 5 : 4;
  return head('decoded', flat.fields - first, [
    level(
      flat.rows,
      { ...center, ...place(flat, 0) },
      {
        ...(objectness ? { objectness: { ...place(flat, 4), fn: 'none' } } : {}),
        score: { ...place(flat, first), fn: 'none', count: flat.fields - first },
      },
    ),
  ]);
}

export const priorFamilies: readonly HeadFamily[] = [
  {
    name: 'blazeface',
    outputs: '896 rows of 16 and 1 values, or 512 and 384',
    fill: blazeFace,
  },
  {
    name: 'ultraface',
    outputs: 'boxes and scores of its priors, before they are decoded',
    propose: ({ model, outputs }) =>
      /raw|without_post/.test(model) || outputs.some(({ c, from }) => c === 4 && from === 'weights'),
    fill: (clues) => flatPriors('ultraface', clues, ultraFacePriors(clues), variances),
  },
  {
    name: 'ssd',
    outputs: "boxes and classes of SSD's priors, flat or by level",
    fill: (clues) =>
      flatPriors('ssd', clues, ssdPriors(clues), variances) ?? gridPriors('ssd', clues, ssdPriors(clues)),
  },
];

export const decodedFamily: HeadFamily = {
  name: 'decoded',
  outputs: 'boxes (N×4) and scores (N×classes), or N rows of both',
  fill: decoded,
};
