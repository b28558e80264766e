import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { readModelView } from '../../../src/worker/modelView';
import { modelText } from '../../../src/worker/modelText';
import { smallModel } from '../../faults/fixtures';

describe('a model as text', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-text-'));
  after(() => rmSync(folder, { recursive: true }));

  async function linesOf(seed: number, name: string): Promise<string[]> {
    const file = path.join(folder, name);
    writeFileSync(file, smallModel(seed));
    return modelText(await readModelView(file)).split('\n');
  }

  it('is the same for the same model under another name', async () => {
    assert.deepEqual(await linesOf(1, 'a.onnx'), await linesOf(1, 'b.onnx'));
  });

  it('differs in the lines of weights where only these differ', async () => {
    const before = await linesOf(1, 'before.onnx');
    const after = await linesOf(2, 'after.onnx');
    assert.equal(after.length, before.length);
    const changed = after.filter((line, i) => line !== before[i]);
    assert.ok(changed.length > 0);
    assert.deepEqual(
      changed.filter((line) => !/^ {2}(weights|bias) \d+ values .* sha256 [0-9a-f]{12}$/.test(line)),
      [],
    );
  });

  it('tells how well the float model does where images are known', async () => {
    const file = path.join(folder, 'd.onnx');
    writeFileSync(file, smallModel(1));
    const model = await readModelView(file);
    const score = { certainty: 0.5, images: 64, folder: 'photos' };
    const added = (top1: number | null): string[] => {
      const known = new Set(modelText(model).split('\n'));
      return modelText(model, { ...score, top1 })
        .split('\n')
        .filter((line) => !known.has(line));
    };
    assert.deepEqual(added(0.625), ['accuracy 62.5 % top-1 on 64 images of photos, in float']);
    assert.deepEqual(added(null), ['certainty 50.0 % on 64 images of photos, in float']);
  });

  it('names inputs, layers with shapes, and sources', async () => {
    const text = (await linesOf(1, 'c.onnx')).join('\n');
    assert.match(text, /^input .+: float32 1×3×/m);
    assert.match(text, /^layer .+\n {2}operators Conv.*\n/m);
    assert.match(text, /^ {2}writes \d+×\d+×\d+$/m);
  });
});
