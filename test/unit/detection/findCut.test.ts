import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FloatSession } from '../../../src/engine/calibration/session';
import { decodeHead } from '../../../src/engine/detection/decode';
import { resolveHead } from '../../../src/engine/detection/resolve';
import { findCut } from '../../../src/engine/detection/cut/findCut';
import { decodedExports, SIDE, yolov5WithRaw, type DecodedExport } from '../../support/decodedExports';
import { randomNumbers } from '../../support/onnxOracle';

/** Corners and best score of each row of a network's own outputs. */
function boxesOf(form: NonNullable<DecodedExport['boxes']>, outputs: readonly Tensor[]): number[][] {
  const { order, unit, fieldsFirst, before } = form;
  const tables = outputs.map(({ dims, data }) => {
    const [rows, fields] = fieldsFirst ? [dims[2], dims[1]] : [dims[1], dims[2]];
    const values = data as Float32Array;
    return Array.from({ length: rows }, (_, r) =>
      Array.from({ length: fields }, (__, f) => values[fieldsFirst ? f * rows + r : r * fields + f]),
    );
  });
  return tables[0].map((row, r) => {
    const [a, b, c, d] = row.slice(0, 4).map((v) => v * unit);
    const corners = order === 'xyxy' ? [a, b, c, d] : [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
    const fields = tables[tables.length - 1][r];
    const factor = before === 5 ? fields[4] : 1;
    return [...corners, factor * Math.max(...fields.slice(before))];
  });
}

/** Whether two lists have the same numbers in any order, up to float rounding. */
function assertClose(found: readonly number[], wanted: readonly number[]): void {
  const [a, b] = [found, wanted].map((list) => [...list].sort((x, y) => x - y));
  a.forEach((v, i) => assert.ok(Math.abs(v - b[i]) <= 1e-4 * Math.max(1, Math.abs(v)), `${v} is not ${b[i]}`));
}

describe('networks that decode their boxes themselves', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'quantmcu-cut-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const fileOf = (bytes: Buffer): string => {
    const file = path.join(folder, 'model.onnx');
    writeFileSync(file, bytes);
    return file;
  };

  for (const { name, preset, classes, locations, boxes, build, misses } of decodedExports) {
    it(`${name} is cut before its decoding`, async () => {
      const cut = await findCut(fileOf(build()));
      assert.ok(cut, 'not cut');
      assert.equal(cut.head.preset, preset);
      assert.equal(cut.head.labels.length, classes);
      assert.equal(
        cut.head.levels.reduce((n, l) => n + l.rows * l.cols * l.anchors.length, 0),
        locations,
      );
      assert.deepEqual([...new Set(cut.graph.outputs.map((o) => o.name))].sort(), [...cut.outputs].sort());
      for (const { map } of cut.graph.outputs)
        assert.equal(cut.graph.layers[cut.graph.maps[map].producer!].kind, 'conv');
    });
    if (boxes !== null)
      it(`${name}: its boxes are those that onnxruntime computes`, async () => {
        const file = fileOf(build());
        const { graph, head } = (await findCut(file))!;
        const session = await InferenceSession.create(file);
        const float = await FloatSession.open(graph, file, { maps: [], preClamp: [] });
        for (const seed of [1, 2, 3]) {
          const random = randomNumbers(seed);
          const image = Float32Array.from({ length: 3 * SIDE * SIDE }, () => random());
          const results = await session.run({ images: new Tensor('float32', image, [1, 3, SIDE, SIDE]) });
          const hwc = new Float32Array(image.length);
          image.forEach((v, i) => (hwc[graph.inputs[0].order![i]] = v));
          await float.run([hwc]);
          const found = decodeHead(resolveHead(graph, head, file), float.outputs(), 0);
          assert.equal(found.length, locations);
          const wanted = boxesOf(
            boxes,
            boxes.outputs.map((output) => results[output]),
          );
          for (const k of [0, 1, 2, 3, 4])
            assertClose(
              found.map(({ x1, y1, x2, y2, score }) => [x1, y1, x2, y2, score][k]),
              wanted.map((values) => values[k]),
            );
        }
        await float.dispose();
      });
    for (const miss of misses)
      it(`${name} is left as it is where a constant of its ${miss} differs`, async () => {
        assert.ok((await findCut(fileOf(build(miss)))) === null, 'cut');
      });
  }

  it('copies of raw values beside the boxes are left out', async () => {
    const cut = (await findCut(fileOf(yolov5WithRaw())))!;
    assert.equal(cut.head.preset, 'yolov5');
    assert.deepEqual([...cut.replaced].sort(), ['output0', 'raw16', 'raw32', 'raw8']);
  });
});
