/* Detectors with random weights whose networks decode their boxes themselves, spelled as exporters do. */
import { gridOf, Net, SIDE, sideOf, STRIDES } from './decodedNet';

export { SIDE };

/** A changed constant, so that no head describes the decoding any more. */
export type NearMiss = 'none' | 'grid' | 'power' | 'bins' | 'anchor' | 'variance' | 'score';

export interface DecodedExport {
  readonly name: string;
  readonly preset: string;
  readonly classes: number;
  readonly locations: number;
  /** How its outputs have boxes, and the outputs of boxes and scores; null: it selects boxes itself. */
  readonly boxes: {
    readonly order: 'center' | 'xyxy';
    readonly unit: 1 | typeof SIDE;
    readonly outputs: readonly string[];
    /** Fields are the rows of an output. */
    readonly fieldsFirst?: boolean;
    /** Fields before the classes: 4, or 5 with objectness. */
    readonly before: number;
  } | null;
  readonly build: (miss?: NearMiss) => Buffer;
  readonly misses: readonly NearMiss[];
}

const V5_ANCHORS = [
  [10, 13, 16, 30, 33, 23],
  [30, 61, 62, 45, 59, 119],
  [116, 90, 156, 198, 373, 326],
];
const NONE = 4;

/** Ultralytics' YOLOv5: sigmoid of everything, grids and anchors as constants, rows by anchors and cells. */
function yolov5(miss: NearMiss = 'none', rawToo = false): Buffer {
  const net = new Net(5);
  const { m } = net;
  const fields = 5 + NONE;
  const levels = STRIDES.map((stride, i) => {
    const n = sideOf(stride);
    const x = net.transpose(net.reshape(net.raw(i, 3 * fields), [1, 3, fields, n, n]), [0, 1, 3, 4, 2]);
    if (rawToo) m.output(m.node('Identity', [x], {}, { outputs: [`raw${stride}`] }), [1, 3, n, n, fields]);
    const y = m.node('Sigmoid', [x]);
    const grid = gridOf(stride, -0.5);
    if (miss === 'grid' && i === 1) grid[5] += 0.25;
    const xy = net.op(
      'Mul',
      net.op('Add', net.op('Mul', net.slice(y, 0, 2, 4), 2), m.floats([1, 1, n, n, 2], grid)),
      stride,
    );
    const power = net.op('Pow', net.op('Mul', net.slice(y, 2, 4, 4), 2), miss === 'power' ? 2.05 : 2);
    const anchors = Array.from(
      { length: 3 * n * n * 2 },
      (_, k) => V5_ANCHORS[i][2 * Math.floor(k / (2 * n * n)) + (k % 2)],
    );
    if (miss === 'anchor' && i === 0) anchors[40] *= 1.01;
    const wh = net.op('Mul', power, m.floats([1, 3, n, n, 2], anchors));
    return net.reshape(net.concat([xy, wh, net.slice(y, 4, fields, 4)], 4), [1, 3 * n * n, fields]);
  });
  m.node('Concat', levels, { axis: 1 }, { outputs: ['output0'] });
  return m.output('output0', [1, 252, fields]).finish();
}

/** Boxes of distributions, each the mean of 16 bins, with their scores: levels × (64 + classes) channels in a row. */
function distributions(net: Net, miss: NearMiss): { boxes: string; scores: string } {
  const { m } = net;
  const whole = net.concat(
    STRIDES.map((stride, i) =>
      net.reshape(net.concat([net.raw(i, 64), net.raw(i, NONE)], 1), [1, 64 + NONE, sideOf(stride) ** 2]),
    ),
    2,
  );
  const rows = 84;
  const bins = net.transpose(net.reshape(net.slice(whole, 0, 64, 1), [1, 4, 16, rows]), [0, 2, 1, 3]);
  const weights = Array.from({ length: 16 }, (_, i) => i);
  if (miss === 'bins') weights[7] = 7.5;
  const mean = m.node('Conv', [m.node('Softmax', [bins], { axis: 1 }), m.floats([1, 16, 1, 1], weights)], {
    kernel_shape: [1, 1],
  });
  const distances = net.reshape(mean, [1, 4, rows]);
  const points = STRIDES.map((stride) => gridOf(stride, 0.5));
  const flat = points.flat();
  if (miss === 'grid') flat[20] += 0.5;
  const at = m.floats([1, 2, rows], [...flat.filter((_, k) => k % 2 === 0), ...flat.filter((_, k) => k % 2 === 1)]);
  const low = m.node('Sub', [at, net.slice(distances, 0, 2, 1)]);
  const high = m.node('Add', [at, net.slice(distances, 2, 4, 1)]);
  const box = net.concat([net.op('Div', net.op('Add', low, high), 2), m.node('Sub', [high, low])], 1);
  const strides = m.floats(
    [1, 1, rows],
    STRIDES.flatMap((s) => Array.from({ length: sideOf(s) ** 2 }, () => s)),
  );
  return {
    boxes: m.node('Mul', [box, strides]),
    scores: m.node('Sigmoid', [
      miss === 'score' ? net.op('Mul', net.slice(whole, 64, 64 + NONE, 1), 1.1) : net.slice(whole, 64, 64 + NONE, 1),
    ]),
  };
}

/** Ultralytics' YOLOv8 and 11. */
function yolov8(miss: NearMiss = 'none'): Buffer {
  const net = new Net(8);
  const { boxes, scores } = distributions(net, miss);
  net.m.node('Concat', [boxes, scores], { axis: 1 }, { outputs: ['output0'] });
  return net.m.output('output0', [1, 4 + NONE, 84]).finish();
}

/** The same with the selection of boxes in the file. */
function selected(miss: NearMiss = 'none'): Buffer {
  const net = new Net(11);
  const { m } = net;
  const { boxes, scores } = distributions(net, miss);
  const limits = [m.initializer({ dims: [1], data: [50], type: 'int64' }), m.floats([1], [0.6]), m.floats([1], [0.2])];
  const inputs = [net.transpose(boxes, [0, 2, 1]), scores, ...limits];
  m.node('NonMaxSuppression', inputs, { center_point_box: 1 }, { outputs: ['selected'], name: 'nms' });
  return m.output('selected', ['n', 3], 'int64').finish();
}

/** Rows of YOLOX without decoding: three convolutions a level, those of scores behind a sigmoid. */
function yoloxRows(net: Net): string {
  const { m } = net;
  return m.node(
    'Transpose',
    [
      net.concat(
        STRIDES.map((stride, i) => {
          const parts = [net.raw(i, 4), m.node('Sigmoid', [net.raw(i, 1)]), m.node('Sigmoid', [net.raw(i, NONE)])];
          return net.reshape(net.concat(parts, 1), [1, 5 + NONE, sideOf(stride) ** 2]);
        }),
        2,
      ),
    ],
    { perm: [0, 2, 1] },
  );
}

/** YOLOX with `decode_in_inference`: grid and strides as constants. */
function yolox(miss: NearMiss = 'none'): Buffer {
  const net = new Net(10);
  const { m } = net;
  const rows = 84;
  const whole = yoloxRows(net);
  const grid = STRIDES.flatMap((s) => gridOf(s, 0));
  if (miss === 'grid') grid[100] += 0.125;
  const strides = m.floats(
    [1, rows, 1],
    STRIDES.flatMap((s) => Array.from({ length: sideOf(s) ** 2 }, () => s)),
  );
  const xy = m.node('Mul', [m.node('Add', [net.slice(whole, 0, 2, 2), m.floats([1, rows, 2], grid)]), strides]);
  const power = m.floats([2], [1, miss === 'power' ? 1.02 : 1]);
  const exp = m.node('Exp', [net.op('Mul', net.slice(whole, 2, 4, 2), power)]);
  const wh = m.node('Mul', [exp, strides]);
  m.node('Concat', [xy, wh, net.slice(whole, 4, 5 + NONE, 2)], { axis: 2 }, { outputs: ['output'] });
  return m.output('output', [1, rows, 5 + NONE]).finish();
}

/** YOLOv2: one grid of five anchors, softmax of the classes times objectness, corners in shares of the input. */
function yolov2(miss: NearMiss = 'none'): Buffer {
  const net = new Net(2);
  const { m } = net;
  const [stride, n, fields] = [16, 4, 5 + NONE];
  const x = net.transpose(net.reshape(net.raw(1, 5 * fields), [1, 5, fields, n, n]), [0, 3, 4, 1, 2]);
  const rows = net.reshape(x, [1, n * n * 5, fields]);
  const cells = Array.from({ length: n * n }, (_, i) => i).flatMap((i) => Array.from({ length: 5 }, () => i));
  const grid = cells.flatMap((i) => [i % n, Math.floor(i / n)]);
  const anchors = cells.flatMap((_, k) =>
    [1.08, 1.19, 3.42, 4.41, 6.63, 11.38, 9.42, 5.11, 16.62, 10.52].slice(2 * (k % 5), 2 * (k % 5) + 2),
  );
  if (miss === 'anchor') anchors[33] += 0.05;
  const of = (a: number, b: number): string => net.slice(rows, a, b, 2);
  const center = net.op('Div', net.op('Add', m.node('Sigmoid', [of(0, 2)]), m.floats([1, 80, 2], grid)), n);
  const size = net.op(
    'Mul',
    m.node('Exp', [of(2, 4)]),
    m.floats(
      [1, 80, 2],
      anchors.map((v) => v / 2 / (SIDE / stride)),
    ),
  );
  m.node('Concat', [m.node('Sub', [center, size]), m.node('Add', [center, size])], { axis: 2 }, { outputs: ['boxes'] });
  const classes = m.node('Softmax', [miss === 'score' ? net.op('Mul', of(5, fields), 1.05) : of(5, fields)], {
    axis: 2,
  });
  m.node('Mul', [m.node('Sigmoid', [of(4, 5)]), classes], {}, { outputs: ['scores'] });
  return m.output('boxes', [1, 80, 4]).output('scores', [1, 80, NONE]).finish();
}

/** SSD: priors as constants, variances, corners in shares of the input, softmax with a background. */
function ssd(miss: NearMiss = 'none'): Buffer {
  const net = new Net(3);
  const { m } = net;
  const classes = 1 + NONE;
  const shapes = STRIDES.map((s, i) =>
    (i === 0
      ? [
          [1, 1],
          [1.4, 0.7],
          [0.7, 1.4],
        ]
      : [
          [1, 1],
          [1.4, 0.7],
        ]
    ).map(([w, h]) => [(2 * s * w) / SIDE, (2 * s * h) / SIDE]),
  );
  const priors = STRIDES.flatMap((s, i) => {
    const points = gridOf(s, 0.5).map((v) => (v * s) / SIDE);
    return Array.from({ length: points.length / 2 }, (_, c) =>
      shapes[i].map((wh) => [points[2 * c], points[2 * c + 1], ...wh]),
    ).flat();
  });
  if (miss === 'anchor') priors[30][2] *= 1.02;
  const flat = (i: number, fields: number): string =>
    net.reshape(net.transpose(net.raw(i, shapes[i].length * fields), [0, 2, 3, 1]), [1, -1, fields]);
  const locations = net.concat(
    STRIDES.map((_, i) => flat(i, 4)),
    1,
  );
  const scores = net.concat(
    STRIDES.map((_, i) => flat(i, classes)),
    1,
  );
  const prior = (a: number, b: number): string =>
    m.floats(
      [1, priors.length, 2],
      priors.flatMap((p) => p.slice(a, b)),
    );
  const shift = net.op('Mul', net.slice(locations, 0, 2, 2), miss === 'variance' ? m.floats([2], [0.1, 0.11]) : 0.1);
  const center = m.node('Add', [m.node('Mul', [shift, prior(2, 4)]), prior(0, 2)]);
  const size = m.node('Mul', [m.node('Exp', [net.op('Mul', net.slice(locations, 2, 4, 2), 0.2)]), prior(2, 4)]);
  const low = m.node('Sub', [center, net.op('Div', size, 2)]);
  m.node('Concat', [low, m.node('Add', [low, size])], { axis: 2 }, { outputs: ['boxes'] });
  m.node('Softmax', [scores], { axis: 2 }, { outputs: ['scores'] });
  return m.output('boxes', [1, priors.length, 4]).output('scores', [1, priors.length, classes]).finish();
}

/** One grid whose distances are scaled before they are taken exponentially, as FCOS does; scores are products. */
function fcos(miss: NearMiss = 'none'): Buffer {
  const net = new Net(4);
  const { m } = net;
  const n = 8;
  const distance = m.node('Exp', [net.op('Mul', net.raw(0, 4), m.floats([1, 4, 1, 1], [0.9, 1, 1, 1.05]))]);
  const rows = (x: string, fields: number): string => net.transpose(net.reshape(x, [1, fields, n * n]), [0, 2, 1]);
  const d = net.op('Mul', rows(distance, 4), 8);
  const grid = gridOf(8, 0.5).map((v) => v * 8);
  if (miss === 'grid') grid[9] += 1;
  const at = m.floats([1, n * n, 2], grid);
  m.node(
    'Concat',
    [m.node('Sub', [at, net.slice(d, 0, 2, 2)]), m.node('Add', [at, net.slice(d, 2, 4, 2)])],
    { axis: 2 },
    { outputs: ['boxes'] },
  );
  const object = m.node('Sigmoid', [rows(net.raw(0, 1), 1)]);
  m.node('Mul', [m.node('Sigmoid', [rows(net.raw(0, NONE), NONE)]), object], {}, { outputs: ['scores'] });
  return m
    .output('boxes', [1, n * n, 4])
    .output('scores', [1, n * n, NONE])
    .finish();
}

/** YOLOv5 as older versions export it, its raw values beside the boxes. */
export const yolov5WithRaw = (): Buffer => yolov5('none', true);

export const decodedExports: readonly DecodedExport[] = [
  {
    name: 'YOLOv5',
    boxes: { order: 'center', unit: 1, outputs: ['output0'], before: 5 },
    preset: 'yolov5',
    classes: NONE,
    locations: 252,
    build: yolov5,
    misses: ['grid', 'power', 'anchor'],
  },
  {
    name: 'YOLOv8',
    boxes: { order: 'center', unit: 1, outputs: ['output0'], fieldsFirst: true, before: 4 },
    preset: 'yolov8',
    classes: NONE,
    locations: 84,
    build: yolov8,
    misses: ['grid', 'bins', 'score'],
  },
  {
    name: 'YOLOv8 with NMS',
    boxes: null,
    preset: 'yolov8',
    classes: NONE,
    locations: 84,
    build: selected,
    misses: ['grid'],
  },
  {
    name: 'YOLOX',
    boxes: { order: 'center', unit: 1, outputs: ['output'], before: 5 },
    preset: 'yolox',
    classes: NONE,
    locations: 84,
    build: yolox,
    misses: ['grid', 'power'],
  },
  {
    name: 'YOLOv2',
    boxes: { order: 'xyxy', unit: SIDE, outputs: ['boxes', 'scores'], before: 0 },
    preset: 'yolov2',
    classes: NONE,
    locations: 80,
    build: yolov2,
    misses: ['anchor', 'score'],
  },
  {
    name: 'SSD',
    boxes: { order: 'xyxy', unit: SIDE, outputs: ['boxes', 'scores'], before: 1 },
    preset: 'ssd',
    classes: NONE,
    locations: 8 * 8 * 3 + 4 * 4 * 2 + 2 * 2 * 2,
    build: ssd,
    misses: ['anchor', 'variance'],
  },
  {
    name: 'FCOS',
    boxes: { order: 'xyxy', unit: 1, outputs: ['boxes', 'scores'], before: 0 },
    preset: 'custom',
    classes: NONE,
    locations: 64,
    build: fcos,
    misses: ['grid'],
  },
];
