import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { cachedCalibration, calibrateCached, calibrationKey } from '../../../src/engine/calibration/cache';
import { decodeCalibration, encodeCalibration } from '../../../src/engine/calibration/cacheFile';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import type { Calibration } from '../../../src/engine/calibration/types';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { silentProgress } from '../../../src/engine/common/progress';
import { npy } from '../../support/npyWriter';
import { ModelFolder, OnnxBuilder } from '../../support/onnxBuilder';
import { randomArray, randomNumbers } from '../../support/onnxOracle';

describe('cached calibrations', function () {
  this.timeout(300_000);
  let folder: ModelFolder;
  let cache: string;
  let model: string;
  let samples: string;
  let graph: Graph;
  const raw = presetPreprocess('raw');
  let runs: number;
  const counting = {
    report: (stage: string, done: number) => (runs += stage === 'Calibrating' && done === 0 ? 1 : 0),
    isCancelled: () => false,
  };

  beforeEach(async () => {
    folder = new ModelFolder();
    cache = path.join(mkdtempSync(path.join(tmpdir(), 'quantmcu-cache-')), 'deep');
    const m = new OnnxBuilder();
    m.output(
      m.node('Relu', [
        m.node('Conv', [m.input('x', [1, 2, 16, 16]), m.floats([3, 2, 3, 3], randomArray(54, randomNumbers(1)))], {
          kernel_shape: [3, 3],
        }),
      ]),
    );
    model = folder.write(m);
    samples = folder.write(
      npy(
        '|u1',
        [4, 16, 16, 2],
        Uint8Array.from(randomArray(2048, randomNumbers(2)), (v) => 128 + 127 * v),
      ),
      'x.npy',
    );
    graph = await importModel(model);
    runs = 0;
  });
  afterEach(() => {
    folder.remove();
    rmSync(path.dirname(cache), { recursive: true });
  });

  const run = async (notes: string[] = []): Promise<Calibration> =>
    calibrateCached(graph, model, await listSamples(samples, graph), raw, cache, counting, notes);

  it('come back exactly, without running the network', async () => {
    const first = await run();
    const second = await run();
    assert.equal(runs, 1);
    assert.deepEqual(second, first);
    assert.deepEqual(await cachedCalibration(cache, first.key, graph), first);
    assert.equal(readdirSync(cache).length, 1);
    assert.ok(first.patches !== null && first.maps.size === graph.maps.length);
  });

  it('repeat what calibration told', async () => {
    const first: string[] = [];
    const second: string[] = [];
    // A folder with one good and one damaged image for a gray network.
    const m = new OnnxBuilder();
    m.output(m.node('Relu', [m.input('x', [1, 1, 2, 2])]));
    model = folder.write(m, 'gray.onnx');
    graph = await importModel(model);
    samples = path.join(folder.folder, 'images');
    mkdirSync(samples);
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
      'base64',
    );
    writeFileSync(path.join(samples, 'a.png'), png);
    writeFileSync(path.join(samples, 'b.png'), png.subarray(0, 40));
    await run(first);
    await run(second);
    assert.equal(runs, 1);
    assert.match(first.join(), /b\.png/);
    assert.deepEqual(second, first);
  });

  it('have a key that every input of the statistics enters, but not where and when files are', async () => {
    const key = async (): Promise<string> =>
      calibrationKey(graph, model, await listSamples(samples, graph), raw, silentProgress);
    const base = await key();
    assert.match(base, /^[0-9a-f]{64}$/);
    utimesSync(samples, new Date(0), new Date(0));
    assert.equal(await key(), base);
    const set = await listSamples(samples, graph);
    const others = [
      await calibrationKey(graph, model, set, { ...raw, scale: 2 }, silentProgress),
      await calibrationKey(graph, model, await listSamples(samples, graph, 3), raw, silentProgress),
    ];
    const bytes = readFileSync(samples);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(samples, bytes);
    others.push(await key());
    graph = {
      ...graph,
      layers: graph.layers.map((l) => (l.kind === 'conv' ? { ...l, weights: l.weights.map((v) => v + 1) } : l)),
    };
    others.push(await key());
    assert.equal(new Set([base, ...others]).size, 5);
  });

  it('are made again when the file is damaged', async () => {
    const first = await run();
    const file = path.join(cache, readdirSync(cache)[0]);
    for (const damage of [
      (b: Buffer) => b.subarray(0, b.length / 2),
      () => Buffer.alloc(0),
      (b: Buffer) => Buffer.concat([b.subarray(0, 60), Buffer.from([b[60] ^ 1]), b.subarray(61)]),
    ]) {
      writeFileSync(file, damage(readFileSync(file)));
      assert.equal(await cachedCalibration(cache, first.key, graph), null);
      assert.deepEqual(await run(), first);
    }
    assert.equal(runs, 4);
    assert.equal(readdirSync(cache).length, 1, 'no temporary file is left');
  });

  it('survive any damage and never serve another key or graph', async () => {
    const first = await run();
    const bytes = await encodeCalibration(first, ['note']);
    const found = await decodeCalibration(bytes, first.key, graph);
    assert.deepEqual(found, { calibration: first, notes: ['note'] });
    assert.equal(await decodeCalibration(bytes, '0'.repeat(64), graph), null);
    assert.equal(
      await decodeCalibration(bytes, first.key, {
        ...graph,
        maps: graph.maps.map((m) => ({ ...m, name: `${m.name}!` })),
      }),
      null,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(bytes.length),
        async (at, flip, cut) => {
          const changed = Buffer.from(bytes);
          changed[at] ^= flip;
          assert.equal(await decodeCalibration(changed, first.key, graph), null);
          assert.equal(
            await decodeCalibration(bytes.subarray(0, Math.min(cut, bytes.length - 1)), first.key, graph),
            null,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('do not let a key name a path, and do without a folder that cannot be written', async () => {
    const first = await run();
    assert.equal(await cachedCalibration(path.join(cache, 'sub'), `../${first.key}`, graph), null);
    const blocked = path.join(folder.folder, 'file');
    writeFileSync(blocked, '');
    const notes: string[] = [];
    const calibration = await calibrateCached(
      graph,
      model,
      await listSamples(samples, graph),
      raw,
      blocked,
      silentProgress,
      notes,
    );
    assert.deepEqual(calibration, first);
    assert.match(notes.join(), /could not be cached/);
    assert.deepEqual(
      await calibrateCached(graph, model, await listSamples(samples, graph), raw, null, silentProgress, []),
      first,
    );
  });

  it('keep the folder small', async () => {
    mkdirSync(cache, { recursive: true });
    for (let i = 0; i < 60; i++) {
      const file = path.join(cache, `${i.toString(16).padStart(64, '0')}.calibration`);
      writeFileSync(file, '');
      utimesSync(file, i, i);
    }
    writeFileSync(path.join(cache, 'someone-elses.txt'), '');
    await run();
    const left = readdirSync(cache);
    assert.equal(left.length, 49);
    assert.ok(left.includes('someone-elses.txt') && !left.includes(`${'0'.repeat(64)}.calibration`));
  });
});
