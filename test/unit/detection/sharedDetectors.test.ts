/* Heads proposed for the shared detectors, against the descriptions that lie beside them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { findCut } from '../../../src/engine/detection/cut/findCut';
import type { HeadLevel } from '../../../src/engine/detection/head';
import { proposeHead } from '../../../src/engine/detection/presets';
import { importModel } from '../../../src/engine/onnx';
import { needSharedData } from '../../support/sharedData';

interface Described {
  readonly family: 'yolov3' | 'fastestdet' | 'decoded';
  readonly input: readonly [number, number];
  readonly classes: number;
  readonly heads?: readonly {
    readonly output: string;
    readonly stride: readonly [number, number];
    readonly anchors?: readonly (readonly [number, number])[];
    readonly scale_xy?: number;
  }[];
  readonly boxes?: string;
  readonly scores?: string;
}

describe('heads of the shared detectors', () => {
  it('are proposed as their descriptions say', async function () {
    const folder = needSharedData(this, 'detection', 'models');
    const files = readdirSync(folder).filter((f) => f.endsWith('.onnx'));
    assert.ok(files.length >= 6, files.join());
    for (const file of files) {
      const described = JSON.parse(
        readFileSync(path.join(folder, file.replace('.onnx', '.head.json')), 'utf8'),
      ) as Described;
      const graph = await importModel(path.join(folder, file));
      const { w, h } = graph.maps[graph.inputs[0].map].shape;
      assert.deepEqual([w, h], described.input, file);
      const head = proposeHead(graph, file);
      assert.ok(head, `${file} is taken for no detector`);
      assert.equal(head.labels.length, described.classes, file);
      if (described.family === 'decoded') {
        const [level] = head.levels;
        assert.equal(level.box.form, 'decoded');
        assert.deepEqual(
          level.box.form === 'decoded' && [level.box.order, level.box.unit, level.box.output, level.score.output],
          ['xyxy', 'input', described.boxes, described.scores],
        );
        continue;
      }
      assert.equal(head.levels.length, described.heads!.length, file);
      for (const { output, stride, anchors, scale_xy: scale } of described.heads!) {
        const level: HeadLevel | undefined = head.levels.find((l) => l.box.output === output);
        assert.ok(level, `${file}: no level reads ${output}`);
        assert.deepEqual([level.stride, level.stride], stride, file);
        if (anchors) assert.deepEqual(level.anchors, anchors, file);
        if (scale) assert.equal(level.box.form === 'center' && level.box.xy.scale, scale, file);
        assert.equal(level.score.count, described.classes, file);
      }
    }
  });

  it('and found in the network that decodes its boxes itself, with anchors and all', async function () {
    const folder = needSharedData(this, 'detection', 'models');
    const cut = await findCut(path.join(folder, 'voc_yolo_fastest_decoded.onnx'));
    const raw = JSON.parse(readFileSync(path.join(folder, 'voc_yolo_fastest.head.json'), 'utf8')) as Described;
    assert.deepEqual(
      cut!.head.levels.map(({ stride, anchors, box }) => ({
        ...{ stride: [stride, stride], anchors },
        scale: box.form === 'center' && box.xy.scale,
      })),
      raw.heads!.map(({ stride, anchors, scale_xy: scale }) => ({ stride, anchors, scale })),
    );
  });
});
