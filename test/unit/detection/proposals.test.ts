import assert from 'node:assert/strict';
import { proposeHead } from '../../../src/engine/detection/presets';
import type { Graph } from '../../../src/engine/graph/types';

/** Outputs without a network: what a proposal looks at. */
function graphOf(side: number, outputs: readonly (readonly [h: number, w: number, c: number])[]): Graph {
  return {
    maps: [
      { shape: { h: side, w: side, c: 3 }, producer: null },
      ...outputs.map(([h, w, c]) => ({ shape: { h, w, c }, producer: null })),
    ],
    layers: [],
    inputs: [{ name: 'image', map: 0 }],
    outputs: outputs.map((_, i) => ({ name: `o${i}`, map: i + 1 })),
  } as unknown as Graph;
}
const pyramid = (side: number, channels: number, strides: readonly number[]): [number, number, number][] =>
  strides.map((s) => [side / s, side / s, channels]);

describe('proposed detection heads', () => {
  const cases: [string, number, number, readonly number[], string, number][] = [
    ['voc_yolo_fastest.onnx', 320, 75, [32, 16], 'yolo-fastest', 20],
    ['coco_yolo_fastest_11.onnx', 320, 255, [32, 16], 'yolo-fastest', 80],
    ['voc_mbv2_yolov3_nano.onnx', 320, 75, [32, 16], 'mobilenet-yolo', 20],
    ['tiny.onnx', 416, 75, [32, 16], 'yolov3', 20],
    ['model.onnx', 416, 255, [8, 16, 32], 'yolov3', 80],
    ['yolov5n.onnx', 320, 24, [8, 16, 32], 'yolov5', 3],
    ['yolov8n.onnx', 320, 144, [8, 16, 32], 'yolov8', 80],
    ['yolov8n-11.onnx', 320, 75, [8, 16, 32], 'yolov8', 11],
    ['model.onnx', 320, 144, [8, 16, 32], 'yolov8', 80],
    ['model.onnx', 320, 66, [8, 16, 32], 'yolov8', 2],
    ['model.onnx', 320, 65, [8, 16, 32], 'yolov8', 1],
  ];
  for (const [model, side, channels, strides, preset, classes] of cases)
    it(`${model}: ${strides.length} grids of ${channels} channels are ${preset}'s of ${classes} classes`, () => {
      const head = proposeHead(graphOf(side, pyramid(side, channels, strides)), model)!;
      assert.equal(head.preset, preset);
      assert.equal(head.labels.length, classes);
      assert.equal(head.levels.length, strides.length);
    });
});
