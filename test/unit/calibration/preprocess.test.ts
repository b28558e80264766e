import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import {
  checkChannels,
  inputFormat,
  loadPreprocess,
  parsePreprocess,
  pixelsToReal,
  presetPreprocess,
} from '../../../src/engine/calibration/preprocess';
import type { Preprocess } from '../../../src/engine/calibration/types';
import { UserError } from '../../../src/engine/common/errors';

const userError =
  (words: RegExp) =>
  (e: unknown): boolean =>
    e instanceof UserError && words.test(e.message) && !e.message.includes('\n');

describe('preprocessing', () => {
  it('has the presets that the documentation states', () => {
    const real = (preset: 'imagenet' | 'tf' | 'unit' | 'raw', rgb: number[]): number[] => [
      ...pixelsToReal(Uint8Array.from(rgb), presetPreprocess(preset), 3),
    ];
    const near = (a: number[], b: number[]): void =>
      a.forEach((v, i) => assert.ok(Math.abs(v - b[i]) < 1e-6, `${a.join()} against ${b.join()}`));
    near(real('imagenet', [0, 128, 255]), [-0.485 / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225]);
    near(real('tf', [0, 128, 255]), [-1, 128 / 127.5 - 1, 1]);
    near(real('unit', [0, 51, 255]), [0, 0.2, 1]);
    near(real('raw', [0, 128, 255]), [0, 128, 255]);
  });

  it('folds into an affine function of the element, exactly', () => {
    const channel = fc.record({
      mean: fc.double({ min: -300, max: 300, noNaN: true }),
      std: fc.double({ min: 1e-3, max: 500, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(channel, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        fc.integer({ min: -128, max: 255 }),
        (channels, scale, u) => {
          const p: Preprocess = {
            ...presetPreprocess('raw'),
            scale,
            mean: channels.map((c) => c.mean),
            std: channels.map((c) => c.std),
          };
          const format = inputFormat(p, channels.length);
          channels.forEach((c, i) => {
            const value = (u * scale - c.mean) / c.std;
            const folded = format.scales[i] * (u - format.zeroPoints[i]) + format.exactOffset[i];
            assert.ok(Math.abs(folded - value) <= 1e-9 * (1 + Math.abs(value) + Math.abs(c.mean / c.std)));
            assert.ok(Math.abs(format.exactOffset[i]) <= format.scales[i] * 0.5000001, 'the zero point is the nearest');
          });
        },
      ),
    );
  });

  it('lets int8 codes be scaled: the speech features of kws_dscnn', () => {
    const p = parsePreprocess({ scale: 0.5847029, mean: 83 * 0.5847029 }, 'kws.json');
    const values = pixelsToReal(Int8Array.from([-128, 0, 83, 127]), p, 1);
    [-128, 0, 83, 127].forEach((code, i) => assert.ok(Math.abs(values[i] - (code - 83) * 0.5847029) < 1e-5));
    const format = inputFormat(p, 1, true);
    assert.deepEqual([format.signed, format.zeroPoints[0]], [true, 83]);
  });

  it('reads files and takes what they leave out from a preset', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'quantmcu-pre-'));
    try {
      const file = path.join(folder, 'p.json');
      writeFileSync(file, JSON.stringify({ preset: 'imagenet', resize: 'stretch', channels: 'bgr', std: 0.5 }));
      assert.deepEqual(await loadPreprocess(file), {
        ...presetPreprocess('imagenet'),
        preset: 'custom',
        resize: 'stretch',
        channels: 'bgr',
        std: [0.5],
      });
      writeFileSync(file, '{"preset": "tf"}');
      assert.deepEqual(await loadPreprocess(file), presetPreprocess('tf'));
      writeFileSync(file, '{nonsense');
      await assert.rejects(loadPreprocess(file), userError(/p\.json is not valid JSON/));
      await assert.rejects(loadPreprocess(path.join(folder, 'none.json')), userError(/none\.json/));
      await assert.rejects(loadPreprocess('imagenette'), userError(/imagenet, tf, unit, raw/));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names the field that has no meaning', () => {
    const bad: [object, RegExp][] = [
      [{ mena: 1 }, /unknown field "mena"/],
      [{ std: 0 }, /"std"/],
      [{ std: [1, 'x'] }, /"std"/],
      [{ scale: -1 }, /"scale"/],
      [{ mean: [] }, /"mean"/],
      [{ cropFraction: 1.5 }, /"cropFraction"/],
      [{ fill: 0.5 }, /"fill"/],
      [{ channels: 'rbg' }, /"channels"/],
      [{ resize: 'zoom' }, /"resize"/],
      [{ preset: 'x' }, /"preset"/],
    ];
    for (const [json, words] of bad) assert.throws(() => parsePreprocess(json, 'p.json'), userError(words));
    assert.throws(() => parsePreprocess([1], 'p.json'), userError(/object/));
    assert.throws(() => checkChannels(presetPreprocess('imagenet'), 1), userError(/3 entries.*1 channel/));
    checkChannels(presetPreprocess('tf'), 1);
  });
});
