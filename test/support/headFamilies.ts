import type { Graph } from '../../src/engine/graph/types';

/** Name, rows, columns and channels. */
type HeadOutput = readonly [string, number, number, number];

/** Outputs of a network for an input of width × height. */
export interface HeadCase {
  readonly head: string;
  readonly width: number;
  readonly height: number;
  readonly outputs: readonly HeadOutput[];
}

/** Outputs of a network of each family. */
export const families: readonly HeadCase[] = [
  { head: 'yolov2', width: 96, height: 96, outputs: [['o', 3, 3, 45]] },
  {
    head: 'yolov3',
    width: 96,
    height: 96,
    outputs: [
      ['a', 3, 3, 24],
      ['b', 6, 6, 24],
    ],
  },
  {
    head: 'yolov4',
    width: 96,
    height: 64,
    outputs: [
      ['a', 2, 3, 21],
      ['b', 4, 6, 21],
    ],
  },
  {
    head: 'yolo-fastest',
    width: 96,
    height: 96,
    outputs: [
      ['a', 3, 3, 75],
      ['b', 6, 6, 75],
    ],
  },
  {
    head: 'mobilenet-yolo',
    width: 96,
    height: 96,
    outputs: [
      ['a', 3, 3, 24],
      ['b', 6, 6, 24],
    ],
  },
  {
    head: 'yolov5',
    width: 64,
    height: 64,
    outputs: [
      ['a', 8, 8, 21],
      ['b', 4, 4, 21],
      ['c', 2, 2, 21],
    ],
  },
  { head: 'yolov7', width: 64, height: 64, outputs: [['o', 1, 252, 8]] },
  { head: 'yolox', width: 64, height: 64, outputs: [['o', 1, 84, 8]] },
  {
    head: 'yolov8',
    width: 64,
    height: 64,
    outputs: [
      ['a', 8, 8, 67],
      ['b', 4, 4, 67],
      ['c', 2, 2, 67],
    ],
  },
  { head: 'picodet', width: 64, height: 64, outputs: [['o', 1, 85, 35]] },
  {
    head: 'espdet',
    width: 64,
    height: 64,
    outputs: [
      ['b8', 8, 8, 4],
      ['s8', 8, 8, 2],
      ['b16', 4, 4, 4],
      ['s16', 4, 4, 2],
    ],
  },
  {
    head: 'ssd',
    width: 96,
    height: 96,
    outputs: [
      ['boxes', 1, 204, 4],
      ['scores', 1, 204, 5],
    ],
  },
  {
    head: 'ultraface',
    width: 64,
    height: 64,
    outputs: [
      ['boxes', 1, 235, 4],
      ['scores', 1, 235, 2],
    ],
  },
  {
    head: 'blazeface',
    width: 128,
    height: 128,
    outputs: [
      ['r', 1, 896, 16],
      ['c', 1, 896, 1],
    ],
  },
  {
    head: 'yunet',
    width: 64,
    height: 64,
    outputs: [8, 16, 32].flatMap((s): HeadOutput[] => {
      const n = (64 / s) ** 2;
      return [
        [`cls_${s}`, 1, n, 1],
        [`obj_${s}`, 1, n, 1],
        [`bbox_${s}`, 1, n, 4],
        [`kps_${s}`, 1, n, 10],
      ];
    }),
  },
  { head: 'fomo', width: 96, height: 96, outputs: [['o', 12, 12, 4]] },
  {
    head: 'centernet',
    width: 64,
    height: 64,
    outputs: [
      ['hm', 16, 16, 3],
      ['wh', 16, 16, 2],
      ['reg', 16, 16, 2],
    ],
  },
  { head: 'fastestdet', width: 96, height: 96, outputs: [['o', 6, 6, 9]] },
  {
    head: 'decoded',
    width: 64,
    height: 64,
    outputs: [
      ['boxes', 1, 100, 4],
      ['scores', 1, 100, 3],
    ],
  },
  { head: 'nanodet', width: 64, height: 64, outputs: [['o', 1, 85, 35]] },
];

/** A network of inputs and outputs only: what a head looks at. */
export function headGraph({ width, height, outputs }: HeadCase): Graph {
  return {
    maps: [
      { shape: { h: height, w: width, c: 3 }, producer: null },
      ...outputs.map(([, h, w, c]) => ({ shape: { h, w, c }, producer: null })),
    ],
    layers: [],
    inputs: [{ name: 'image', map: 0 }],
    outputs: outputs.map(([name], i) => ({ name, map: i + 1 })),
  } as unknown as Graph;
}
