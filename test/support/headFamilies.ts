import type { Graph } from '../../src/engine/graph/types';

/** Rows, columns and channels. */
type Shape3 = readonly [number, number, number];
/** The same behind a name. */
type HeadOutput = readonly [string, ...Shape3];

/** Outputs of a network for an input of width × height. */
export interface HeadCase {
  readonly head: string;
  readonly width: number;
  readonly height: number;
  readonly outputs: readonly HeadOutput[];
}

function headCase(head: string, width: number, height: number, outputs: Readonly<Record<string, Shape3>>): HeadCase {
  return { head, width, height, outputs: Object.entries(outputs).map(([name, shape]) => [name, ...shape] as const) };
}

const YUNET_OUTPUTS = Object.fromEntries(
  [8, 16, 32].flatMap((stride) => {
    const cells = (64 / stride) ** 2;
    const channels = { cls: 1, obj: 1, bbox: 4, kps: 10 };
    return Object.entries(channels).map(([kind, c]): [string, Shape3] => [`${kind}_${stride}`, [1, cells, c]]);
  }),
);

/** Outputs of a network of each family. */
export const families: readonly HeadCase[] = [
  headCase('yolov2', 96, 96, { o: [3, 3, 45] }),
  headCase('yolov3', 96, 96, { a: [3, 3, 24], b: [6, 6, 24] }),
  headCase('yolov4', 96, 64, { a: [2, 3, 21], b: [4, 6, 21] }),
  headCase('yolo-fastest', 96, 96, { a: [3, 3, 75], b: [6, 6, 75] }),
  headCase('mobilenet-yolo', 96, 96, { a: [3, 3, 24], b: [6, 6, 24] }),
  headCase('yolov5', 64, 64, { a: [8, 8, 21], b: [4, 4, 21], c: [2, 2, 21] }),
  headCase('yolov7', 64, 64, { o: [1, 252, 8] }),
  headCase('yolox', 64, 64, { o: [1, 84, 8] }),
  headCase('yolov8', 64, 64, { a: [8, 8, 67], b: [4, 4, 67], c: [2, 2, 67] }),
  headCase('picodet', 64, 64, { o: [1, 85, 35] }),
  headCase('espdet', 64, 64, { b8: [8, 8, 4], s8: [8, 8, 2], b16: [4, 4, 4], s16: [4, 4, 2] }),
  headCase('ssd', 96, 96, { boxes: [1, 204, 4], scores: [1, 204, 5] }),
  headCase('ultraface', 64, 64, { boxes: [1, 235, 4], scores: [1, 235, 2] }),
  headCase('blazeface', 128, 128, { r: [1, 896, 16], c: [1, 896, 1] }),
  headCase('yunet', 64, 64, YUNET_OUTPUTS),
  headCase('fomo', 96, 96, { o: [12, 12, 4] }),
  headCase('centernet', 64, 64, { hm: [16, 16, 3], wh: [16, 16, 2], reg: [16, 16, 2] }),
  headCase('fastestdet', 96, 96, { o: [6, 6, 9] }),
  headCase('decoded', 64, 64, { boxes: [1, 100, 4], scores: [1, 100, 3] }),
  headCase('nanodet', 64, 64, { o: [1, 85, 35] }),
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
