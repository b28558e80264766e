import {
  anchoredLevel,
  classesOfThree,
  flatOf,
  grids,
  head,
  type HeadClues,
  type HeadFamily,
  pairs,
  place,
  sigmoidExp,
  sigmoidSquare,
} from './families';
import type { BoxForm, DetectionHead, HeadLevel } from './head';

/**
 * Heads with anchors in the channels, as darknet's and Ultralytics' networks up to version 7 have them. Anchors are
 * those that the families were published with, in pixels, level by level from the smallest stride; a network trained
 * with others needs its own head.
 */
interface AnchoredFamily {
  readonly name: string;
  readonly box: (stride: number, levels: number) => BoxForm;
  /** By number of levels. */
  readonly anchors: Readonly<Record<number, readonly (readonly (readonly [number, number])[])[]>>;
  readonly named: RegExp;
}

const V3 = pairs(10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326);
const V3_TINY = pairs(10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319);
const V4 = pairs(12, 16, 19, 36, 40, 28, 36, 75, 76, 55, 72, 146, 142, 110, 192, 243, 459, 401);
const FASTEST_VOC = pairs(26, 48, 67, 84, 72, 175, 189, 126, 137, 236, 265, 259);
const FASTEST_COCO = pairs(12, 18, 37, 49, 52, 132, 115, 73, 119, 199, 242, 238);

const threes = (list: readonly (readonly [number, number])[]): (readonly (readonly [number, number])[])[] =>
  Array.from({ length: list.length / 3 }, (_, i) => list.slice(3 * i, 3 * i + 3));

const ANCHORED: readonly AnchoredFamily[] = [
  {
    name: 'mobilenet-yolo',
    box: (stride) => sigmoidExp(stride === 32 ? 1.1 : 1.05),
    anchors: { 2: threes(FASTEST_VOC) },
    named: /(mobilenet|mb)-?_?v2.*(yolo|fastest)/,
  },
  {
    name: 'yolo-fastest',
    box: () => sigmoidExp(1),
    anchors: { 2: threes(FASTEST_VOC) },
    named: /fastest/,
  },
  {
    name: 'yolov7',
    box: () => sigmoidSquare,
    anchors: { 3: threes(V4) },
    named: /yolo-?_?v?7/,
  },
  {
    name: 'yolov5',
    box: () => sigmoidSquare,
    anchors: { 3: threes(V3) },
    named: /yolo-?_?v?5/,
  },
  {
    name: 'yolov4',
    // The tiny network's, of two levels, has one scale.
    box: (stride, levels) => sigmoidExp(levels === 2 || stride > 16 ? 1.05 : stride === 16 ? 1.1 : 1.2),
    anchors: { 2: [V3_TINY.slice(1, 4), V3_TINY.slice(3)], 3: threes(V4) },
    named: /yolo-?_?v?4/,
  },
  {
    name: 'yolov3',
    box: () => sigmoidExp(1),
    anchors: { 2: threes(V3_TINY), 3: threes(V3) },
    named: /./,
  },
];

/** Scale of both coordinates; COCO's Yolo-Fastest has its own anchors. */
function fillGrids(family: AnchoredFamily, clues: HeadClues): DetectionHead | null {
  const levels = grids(clues, (c) => classesOfThree(c) !== null);
  const anchors = family.anchors[levels.length];
  if (levels.length === 0 || levels.length !== clues.outputs.length || !anchors) return null;
  const channels = levels[0].output.c;
  if (levels.some((l) => l.output.c !== channels)) return null;
  const classes = classesOfThree(channels)!;
  const own = family.name === 'yolo-fastest' && classes === 80 ? threes(FASTEST_COCO) : anchors;
  return head(
    family.name,
    classes,
    levels.map((grid, i) => anchoredLevel(grid, own[i], family.box(grid.stride, levels.length))),
  );
}

/** Rows of (box, objectness, classes), one for each cell and anchor, anchors outermost: YOLOv5's raw export. */
function fillFlat(family: AnchoredFamily, clues: HeadClues): DetectionHead | null {
  const strides = [8, 16, 32];
  const anchors = family.anchors[3];
  const found = anchors && clues.outputs.length === 1 ? flatOf(clues, strides, (n) => n > 5, 3) : null;
  if (!found) return null;
  const { flat } = found;
  const levels = found.levels.map(({ stride, rows, cols, row }, i): HeadLevel => {
    const where = { row, rowsPerCell: 1, rowsPerAnchor: rows * cols };
    return {
      rows,
      cols,
      stride,
      offset: 0,
      anchors: anchors[i],
      box: { ...family.box(stride, strides.length), ...place(flat, 0, where) },
      objectness: { ...place(flat, 4, where), fn: 'sigmoid' },
      score: { ...place(flat, 5, where), fn: 'sigmoid', count: flat.fields - 5 },
    };
  });
  return head(family.name, flat.fields - 5, levels);
}

export const anchoredFamilies: readonly HeadFamily[] = [
  ...ANCHORED.map((family): HeadFamily => ({
    name: family.name,
    outputs: 'grids of 3·(5 + classes) channels',
    // A flat output behind functions has boxes that the network decodes itself, as Ultralytics exports them.
    propose: ({ model, outputs }) =>
      family.named.test(model) && !(outputs.length === 1 && outputs[0].from === 'functions'),
    fill: (clues) => fillGrids(family, clues) ?? fillFlat(family, clues),
  })),
  {
    name: 'yolov2',
    outputs: 'one grid of 5·(5 + classes) channels',
    fill: (clues) => {
      const [grid] = grids(clues, (c) => c % 5 === 0 && c / 5 > 5);
      if (!grid || clues.outputs.length !== 1) return null;
      const anchors = pairs(1.08, 1.19, 3.42, 4.41, 6.63, 11.38, 9.42, 5.11, 16.62, 10.52).map(
        ([w, h]) => [w * grid.stride, h * grid.stride] as const,
      );
      return head('yolov2', grid.output.c / 5 - 5, [anchoredLevel(grid, anchors, sigmoidExp(1), 'softmax')]);
    },
  },
];
