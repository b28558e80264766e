import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { findCut } from '../../../src/engine/detection/cut/findCut';
import { decodedExports } from '../../support/decodedExports';

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

  for (const { name, preset, classes, locations, build, misses } of decodedExports) {
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
    for (const miss of misses)
      it(`${name} is left as it is where a constant of its ${miss} differs`, async () => {
        assert.ok((await findCut(fileOf(build(miss)))) === null, 'cut');
      });
  }
});
