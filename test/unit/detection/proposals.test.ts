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

  type Source = 'weights' | 'functions' | 'both';
  /** Outputs by what they come from: convolutions, functions of them, or a concatenation of both. */
  function sourcedGraph(
    side: readonly [number, number],
    outputs: readonly (readonly [string, Shape, Source])[],
  ): Graph {
    const maps: object[] = [{ shape: { h: side[0], w: side[1], c: 3 }, producer: null }];
    const layers: object[] = [];
    const add = (kind: string, shape: object, inputs: readonly number[]): number => {
      layers.push({ id: layers.length, kind, inputs, output: maps.length, fn: { name: 'sigmoid' } });
      return maps.push({ shape, producer: layers.length - 1 }) - 1;
    };
    const found = outputs.map(([name, [h, w, c], source]) => {
      const shape = { h, w, c };
      const conv = add('conv', shape, [0]);
      const fn = add('activation', shape, [conv]);
      const parts = { weights: [conv], functions: [fn], both: [conv, fn] }[source];
      return { name, map: add('reshape', shape, [add('concat', shape, parts)]) };
    });
    return { maps, layers, inputs: [{ name: 'image', map: 0 }], outputs: found } as unknown as Graph;
  }
  type Shape = readonly [number, number, number];
  const sourced: [string, readonly [number, number], [string, Shape, Source][], string | null, number][] = [
    ['yolox_nano.onnx', [416, 416], [['output', [1, 3549, 85], 'both']], 'yolox', 80],
    ['model.onnx', [416, 416], [['output', [1, 3549, 85], 'both']], 'yolox', 80],
    ['yolov8n.onnx', [320, 320], [['output0', [1, 2100, 84], 'functions']], 'decoded', 80],
    ['model.onnx', [320, 320], [['output0', [1, 84, 2100], 'functions']], 'decoded', 80],
    ['yolov8n.onnx', [320, 320], [['output0', [1, 2100, 144], 'weights']], 'yolov8', 80],
    ['yolov5n.onnx', [320, 320], [['output0', [1, 6300, 85], 'functions']], 'decoded', 80],
    ['yolov5n.onnx', [320, 320], [['output0', [1, 6300, 85], 'weights']], 'yolov5', 80],
    ['nanodet-plus-m.onnx', [320, 320], [['output', [1, 2125, 112], 'both']], 'nanodet', 80],
    ['fomo.onnx', [96, 96], [['output', [12, 12, 3], 'functions']], 'fomo', 2],
    [
      'model.onnx',
      [240, 320],
      [
        ['scores', [1, 4420, 2], 'functions'],
        ['boxes', [1, 4420, 4], 'weights'],
      ],
      'ultraface',
      1,
    ],
    ['segmentation.onnx', [64, 64], [['o', [8, 8, 21], 'weights']], null, 0],
    ['pose.onnx', [192, 192], [['heat', [48, 48, 17], 'functions']], null, 0],
    ['road.onnx', [128, 128], [['o', [32, 32, 3], 'functions']], null, 0],
  ];
  for (const [model, side, outputs, preset, classes] of sourced) {
    const shown = outputs.map(([, shape, source]) => `${shape.join('×')} of ${source}`).join(' and ');
    it(`${model}: ${shown} is ${preset ?? 'no detector'}`, () => {
      const head = proposeHead(sourcedGraph(side, outputs), model);
      assert.equal(head?.preset ?? null, preset);
      assert.equal(head?.labels.length ?? 0, classes);
      if (preset === 'decoded') assert.equal(head!.levels[0].objectness !== undefined, outputs[0][1][1] === 6300);
    });
  }
});
