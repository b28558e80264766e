import {
  flatOf,
  grids,
  head,
  type HeadClues,
  type HeadFamily,
  linearExp,
  looksAnchored,
  place,
  remaining,
  square,
} from './families';
import type { BoxForm, DetectionHead, HeadLevel, ScoreForm } from './head';

/** Distances and classes: in one grid of channels a level, in two, or all levels in one flat output. */
function distances(
  name: string,
  clues: HeadClues,
  bins: number,
  strides: readonly number[],
  classesFirst: boolean,
  offset = 0.5,
): DetectionHead | null {
  const width = 4 * Math.max(1, bins);
  const box: BoxForm = { form: 'ltrb', fn: 'linear', bins };
  const whole = grids(clues, (c) => c > width);
  const build = (
    grid: { stride: number; rows: number; cols: number },
    boxPlace: HeadLevel['box'],
    score: HeadLevel['score'],
  ): HeadLevel => ({
    rows: grid.rows,
    cols: grid.cols,
    stride: grid.stride,
    offset,
    anchors: square(grid.stride),
    box: boxPlace,
    score,
  });
  const sigmoidScore = (count: number): ScoreForm => ({ fn: 'sigmoid', count });
  if (whole.length > 1 && whole.length === clues.outputs.length) {
    const count = whole[0].output.c - width;
    if (whole.some((g) => g.output.c - width !== count)) return null;
    const channels = classesFirst ? { box: count, score: 0 } : { box: 0, score: width };
    return head(
      name,
      count,
      whole.map((g) =>
        build(
          g,
          { ...box, output: g.output.name, channel: channels.box },
          { ...sigmoidScore(count), output: g.output.name, channel: channels.score },
        ),
      ),
    );
  }
  const boxes = grids(clues, (c) => c === width);
  const scores = grids(clues, (c) => c !== width);
  if (boxes.length > 1 && boxes.length === scores.length && 2 * boxes.length === clues.outputs.length) {
    const count = scores[0].output.c;
    return head(
      name,
      count,
      boxes.map((g, i) =>
        build(
          g,
          { ...box, output: g.output.name, channel: 0 },
          { fn: remaining(scores[i].output, 'sigmoid'), count, output: scores[i].output.name, channel: 0 },
        ),
      ),
    );
  }
  const one = clues.outputs.length === 1 ? flatOf(clues, strides, (n) => n > width) : null;
  if (!one) return null;
  const count = one.flat.fields - width;
  return head(
    name,
    count,
    one.levels.map((l) =>
      build(
        l,
        { ...box, ...place(one.flat, classesFirst ? count : 0, { row: l.row }) },
        // NanoDet-Plus and PicoDet export their classes behind a sigmoid.
        { ...place(one.flat, classesFirst ? 0 : width, { row: l.row }), fn: classesFirst ? 'none' : 'sigmoid', count },
      ),
    ),
  );
}

/** `cls_8`, `obj_8`, `bbox_8`, `kps_8` and so on. */
function yunet(clues: HeadClues): DetectionHead | null {
  const named = (kind: string, stride: number) => clues.outputs.find((o) => o.name === `${kind}_${stride}`);
  const levels = [8, 16, 32].map((stride): HeadLevel | null => {
    const [cls, obj, box, kps] = ['cls', 'obj', 'bbox', 'kps'].map((kind) => named(kind, stride));
    if (!cls || !obj || !box) return null;
    return {
      rows: Math.ceil(clues.height / stride),
      cols: Math.ceil(clues.width / stride),
      stride,
      offset: 0,
      anchors: square(stride),
      box: { ...linearExp, output: box.name, channel: 0 },
      objectness: { output: obj.name, channel: 0, fn: 'none' },
      score: { output: cls.name, channel: 0, fn: 'none', count: 1, powers: [0.5, 0.5] },
      ...(kps ? { points: { output: kps.name, channel: 0, unit: 'cell', scale: 1, count: 5 } } : {}),
    };
  });
  if (levels.some((l) => l === null)) return null;
  return head('yunet', 1, levels as HeadLevel[], { labels: ['face'], score: 0.6, iou: 0.3 });
}

function yolox(clues: HeadClues): DetectionHead | null {
  const one = clues.outputs.length === 1 ? flatOf(clues, [8, 16, 32], (n) => n > 5) : null;
  if (!one) return null;
  const count = one.flat.fields - 5;
  return head(
    'yolox',
    count,
    one.levels.map(({ stride, rows, cols, row }) => ({
      rows,
      cols,
      stride,
      offset: 0,
      anchors: square(stride),
      box: { ...linearExp, ...place(one.flat, 0, { row }) },
      // YOLOX exports both behind a sigmoid.
      objectness: { ...place(one.flat, 4, { row }), fn: 'none' },
      score: { ...place(one.flat, 5, { row }), fn: 'none', count },
    })),
  );
}

/** One grid of objectness, box and classes behind their functions, except for the box. */
function fastestDet(clues: HeadClues): DetectionHead | null {
  const [grid] = grids(clues, (c) => c > 5);
  if (!grid || clues.outputs.length !== 1) return null;
  const { output, rows, cols, stride } = grid;
  const at = (channel: number) => ({ output: output.name, channel });
  return head('fastestdet', output.c - 5, [
    {
      rows,
      cols,
      stride,
      offset: 0,
      anchors: [[clues.width, clues.height]],
      box: {
        form: 'center',
        xy: { fn: 'tanh', scale: 1, unit: 'cell' },
        wh: { fn: 'sigmoid', scale: 1 },
        ...at(1),
      },
      objectness: { ...at(0), fn: 'none' },
      score: { ...at(5), fn: 'none', count: output.c - 5, powers: [0.6, 0.4] },
    },
  ]);
}

/** Classes and a background for each cell. */
function fomo(clues: HeadClues): DetectionHead | null {
  const [grid] = grids(clues, (c) => c > 1);
  if (!grid || clues.outputs.length !== 1) return null;
  const { output, rows, cols, stride } = grid;
  return head(
    'fomo',
    output.c - 1,
    [
      {
        rows,
        cols,
        stride,
        offset: 0,
        anchors: square(stride),
        box: { form: 'cell', output: output.name, channel: 0 },
        score: {
          output: output.name,
          channel: 0,
          fn: remaining(output, 'softmax'),
          count: output.c,
          background: 0,
          peaks: true,
        },
      },
    ],
    { score: 0.5, suppress: 'none' },
  );
}

/** A heat map of classes, sizes and, if there is one, the centre's offset. */
function centerNet(clues: HeadClues): DetectionHead | null {
  const all = grids(clues, () => true);
  const heat = all.find((g) => /hm|heat|cls|score/i.test(g.output.name)) ?? all[0];
  const size = all.find((g) => g !== heat && g.output.c === 2 && /wh|size/i.test(g.output.name));
  const offset = all.find((g) => g !== heat && g !== size && g.output.c === 2);
  if (!heat || !size || !offset || clues.outputs.length !== 3) return null;
  const { output, rows, cols, stride } = heat;
  return head(
    'centernet',
    output.c,
    [
      {
        rows,
        cols,
        stride,
        offset: 0,
        anchors: square(stride),
        box: {
          form: 'center',
          xy: { fn: 'linear', scale: 1, unit: 'cell' },
          wh: { fn: 'linear', scale: 1 },
          output: offset.output.name,
          channel: 0,
          size: { output: size.output.name, channel: 0 },
        },
        score: { output: output.name, channel: 0, fn: remaining(output, 'sigmoid'), count: output.c, peaks: true },
      },
    ],
    { suppress: 'none' },
  );
}

export const anchorFreeFamilies: readonly HeadFamily[] = [
  {
    name: 'yunet',
    outputs: 'cls_8, obj_8, bbox_8, kps_8 and those of 16 and 32',
    fill: yunet,
  },
  {
    name: 'yolov8',
    outputs: 'grids of 64 + classes channels, or 64 and classes channels',
    // A flat output behind functions has boxes that the network decodes itself, as Ultralytics exports them.
    propose: (clues) => !looksAnchored(clues) && (clues.outputs.length > 1 || clues.outputs[0].from === 'weights'),
    fill: (clues) => distances('yolov8', clues, 16, [8, 16, 32], false),
  },
  {
    name: 'nanodet',
    outputs: 'rows of classes + 32 values, as NanoDet-Plus has them',
    propose: ({ model }) => /nanodet/.test(model),
    // Its distances are from the cells' corners.
    fill: (clues) => distances('nanodet', clues, 8, [8, 16, 32, 64], true, 0),
  },
  {
    name: 'picodet',
    outputs: 'grids of 32 and classes channels, or rows of classes + 32 values',
    propose: (clues) => !looksAnchored(clues),
    fill: (clues) => distances('picodet', clues, 8, [8, 16, 32, 64], true),
  },
  {
    name: 'espdet',
    outputs: 'grids of 4 and classes channels',
    propose: (clues) => !looksAnchored(clues),
    fill: (clues) => (clues.outputs.length > 1 ? distances('espdet', clues, 1, [8, 16, 32], false) : null),
  },
  {
    name: 'yolox',
    outputs: 'one output of cells × (5 + classes)',
    // Its boxes are as the convolutions give them, its scores behind a sigmoid.
    propose: ({ model, outputs }) =>
      outputs[0].from === 'both' || (/yolox/.test(model) && outputs[0].from !== 'functions'),
    fill: yolox,
  },
  {
    name: 'centernet',
    outputs: 'a heat map, wh and reg (offset), each a grid',
    fill: centerNet,
  },
  {
    name: 'fastestdet',
    outputs: 'one grid of 5 + classes channels',
    propose: ({ model, outputs }) => /fastestdet/.test(model) || outputs[0].c === 85,
    fill: fastestDet,
  },
  {
    name: 'fomo',
    outputs: 'one grid of classes + 1 channels',
    propose: ({ model, outputs, width }) => /fomo/.test(model) || (outputs[0].c <= 4 && outputs[0].w * 8 <= width),
    fill: fomo,
  },
];
