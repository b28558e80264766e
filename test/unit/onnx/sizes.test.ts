import * as assert from 'node:assert/strict';
import { importModel } from '../../../src/engine/onnx';
import { ModelFolder, OnnxBuilder } from '../../support/onnxBuilder';

/** What a node asks for is looked at before anything of that size is made. */
describe('onnx import: sizes beyond all maps', () => {
  let folder: ModelFolder;
  before(() => (folder = new ModelFolder()));
  after(() => folder.remove());

  const huge = 2 ** 40;
  const nodes: Readonly<Record<string, (m: OnnxBuilder, x: string) => string>> = {
    'Expand of three dimensions': (m, x) =>
      m.node('Expand', [m.node('Reshape', [x, m.int64s([12, 1, 1])]), m.int64s([12, huge, 1])]),
    'Expand of an image': (m, x) => m.node('Expand', [m.node('GlobalAveragePool', [x]), m.int64s([1, 3, huge, huge])]),
    Tile: (m, x) => m.node('Tile', [x, m.int64s([1, 1, huge, 2])]),
    'Pad by edges': (m, x) => m.node('Pad', [x, m.int64s([0, 0, 0, 0, 0, 0, 2 ** 24, 2 ** 24])], { mode: 'edge' }),
  };
  for (const [name, build] of Object.entries(nodes)) {
    it(name, async () => {
      const m = new OnnxBuilder(14);
      m.output(build(m, m.input('x', [1, 3, 2, 2])));
      await assert.rejects(
        importModel(folder.write(m)),
        /would produce a map of [\d×]+ elements\. Use a smaller input/,
      );
    });
  }
});
