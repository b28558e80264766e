import * as assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { importModel } from '../../../src/engine/onnx';
import { certaintyOf } from '../../../src/engine/run/answers';
import { findPreprocess, preprocessNote } from '../../../src/engine/run/findPreprocess';
import { projectRoot } from '../../support/paths';
import { PNG } from 'pngjs';
import { noiseImage } from '../calibration/noiseImage';

const progress = { report: () => undefined, isCancelled: () => false };
const sample = path.join(projectRoot, 'media/sample');
const model = path.join(sample, 'gauge.onnx');

function noisePng(seed: number): Buffer {
  const { width, height, data } = noiseImage(64, 64, seed);
  return PNG.sync.write({ width, height, data: Buffer.from(data) } as PNG, { inputColorType: 2, inputHasAlpha: false });
}

describe('finding the preprocessing', () => {
  it('ranks by right answers where the images have labels', async () => {
    const found = (await findPreprocess(await importModel(model, {}), model, path.join(sample, 'images'), progress))!;
    assert.equal(found.by, 'top1');
    assert.ok(found.plausible);
    const [best, ...others] = found.scores;
    assert.ok(best.top1! >= 0.8, JSON.stringify(found.scores));
    assert.equal(best.images, 32);
    for (const other of others) if (other.images === 32) assert.ok(other.top1! <= best.top1!);
    assert.match(preprocessNote(found), new RegExp(`Preprocessing: ${best.name}`.replace('+', '\\+')));
  });

  it('leaves out damaged images, and says what is wrong where there are no others', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-damaged-'));
    try {
      const graph = await importModel(model, {});
      // Every other file is cut off, the very first among them.
      for (let i = 0; i < 24; i++) {
        const png = noisePng(i + 1);
        await fs.writeFile(path.join(folder, `${String(i).padStart(2, '0')}.png`), i % 2 ? png : png.subarray(0, 60));
      }
      const found = (await findPreprocess(graph, model, folder, progress, 'classify'))!;
      assert.deepEqual(
        found.scores.map(({ images }) => images),
        found.scores.map((_, i) => (i < 3 ? 12 : 8)),
      );
      for (let i = 1; i < 24; i += 2) await fs.rm(path.join(folder, `${String(i).padStart(2, '0')}.png`));
      await assert.rejects(findPreprocess(graph, model, folder, progress, 'classify'), /00\.png cannot be decoded/);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });

  it('says when none is plausible', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-noise-'));
    try {
      const names = Array.from({ length: 8 }, (_, i) => `noise_${i}.png`);
      for (const [i, name] of names.entries()) await fs.writeFile(path.join(folder, name), noisePng(i + 1));
      // Labels that have nothing to do with the images.
      const rows = names.map((name, i) => `${name},${(11 * i + 7) % 21}`);
      await fs.writeFile(path.join(folder, 'labels.csv'), `file,class_index\n${rows.join('\n')}\n`);
      const found = (await findPreprocess(await importModel(model, {}), model, folder, progress))!;
      assert.equal(found.plausible, false, JSON.stringify(found.scores));
      assert.match(preprocessNote(found), /No preprocessing gives plausible answers/);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });

  it('takes answers for certain that are sure and varied', () => {
    const sure = (k: number): Float64Array => Float64Array.from({ length: 4 }, (_, i) => (i === k ? 1 : 0));
    const unsure = Float64Array.from({ length: 4 }, () => 0.25);
    assert.equal(certaintyOf([0, 1, 2, 3].map(sure)), 1);
    assert.equal(certaintyOf([2, 2, 2, 2].map(sure)), 0);
    assert.equal(certaintyOf([unsure, unsure, unsure]), 0);
    assert.equal(certaintyOf([sure(1)]), 0);
  });
});
