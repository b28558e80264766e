import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { PNG } from 'pngjs';
import { loadSamples, loadSample } from '../../../src/engine/calibration/inputs';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples, spread } from '../../../src/engine/calibration/samples';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import type { FeatureMap, Graph } from '../../../src/engine/graph/types';
import { silentProgress } from '../../../src/engine/common/progress';
import { npy, zip } from '../../support/npyWriter';

const userError =
  (words: RegExp) =>
  (e: unknown): boolean =>
    e instanceof UserError && words.test(e.message) && !e.message.includes('\n');

/** Inputs of a network: [name, h, w, c], ONNX layout NCHW. */
function inputs(...list: [string, number, number, number][]): Pick<Graph, 'inputs' | 'maps'> {
  const maps = list.map(([name, h, w, c], id): FeatureMap => ({
    id,
    name,
    shape: { h, w, c },
    producer: null,
    consumers: [],
  }));
  return {
    maps,
    inputs: list.map(([name, h, w, c], map) => ({
      name,
      map,
      dims: [1, c, h, w],
      elementType: 'float32' as const,
      memory: [0, 2, 3, 1],
      order:
        c === 1 ? null : Int32Array.from({ length: h * w * c }, (_, i) => (i % (h * w)) * c + Math.floor(i / (h * w))),
    })),
  };
}

function gray(level: number): Buffer {
  const image = new PNG({ width: 2, height: 2 });
  image.data = Buffer.from(Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 255 : level)));
  return PNG.sync.write(image);
}

const unit = presetPreprocess('unit');

describe('sample folders', () => {
  let folder: string;
  const write = (name: string, content: Buffer | string): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };
  const graph = inputs(['x', 2, 2, 3]);
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'quantmcu-samples-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lists images by content, sorted, with labels from labels.csv', async () => {
    write('b.dat', gray(1));
    write('a.png', gray(2));
    write('notes.png', 'not an image');
    write('.hidden.png', gray(3));
    write('labels.csv', '\ufefffile,name,class_index\r\n"a.png","one, two",7\r\nb.dat,x,0\r\n');
    const set = await listSamples(folder, graph);
    assert.deepEqual(
      set.samples.map((s) => [s.name, s.label]),
      [
        ['a.png', 7],
        ['b.dat', 0],
      ],
    );
    assert.deepEqual([set.kind, set.elementType, set.available], ['images', 'uint8', 2]);
  });

  it('labels by class folder, by number where the names are numbers', async () => {
    for (const name of ['dog/1.png', 'cat/2.png', 'cat/1.png']) write(name, gray(1));
    write('cat/deep/3.png', gray(1));
    assert.deepEqual(
      (await listSamples(folder, graph)).samples.map((s) => [s.name, s.label]),
      [
        ['cat/1.png', 0],
        ['cat/2.png', 0],
        ['dog/1.png', 1],
      ],
    );
    rmSync(folder, { recursive: true });
    for (const name of ['10/1.png', '3/2.png']) write(name, gray(1));
    assert.deepEqual(
      (await listSamples(folder, graph)).samples.map((s) => s.label),
      [10, 3],
    );
    write('loose.png', gray(1));
    assert.deepEqual(
      (await listSamples(folder, graph)).samples.map((s) => s.label),
      [null, null, null],
    );
  });

  it('says what is wrong with a folder or its labels', async () => {
    await assert.rejects(listSamples(path.join(folder, 'none'), graph), userError(/does not exist/));
    await assert.rejects(listSamples(folder, graph), userError(/no JPEG or PNG/));
    write('x.txt', 'text');
    await assert.rejects(listSamples(path.join(folder, 'x.txt'), graph), userError(/x\.txt is neither a folder/));
    write('a.png', gray(1));
    write('labels.csv', 'name,label\na.png,1');
    await assert.rejects(listSamples(folder, graph), userError(/class_index/));
    write('labels.csv', 'file,class_index\na.png,-1');
    await assert.rejects(listSamples(folder, graph), userError(/row 2.*-1/));
    write('labels.csv', 'file,class_index\nother.png,1');
    const { samples, notes } = await listSamples(folder, graph);
    assert.equal(samples[0].label, null);
    assert.match(notes[0], /1 of 1 images has no row/);
  });

  it('tells of pictures in other formats, which are not read', async () => {
    for (const name of ['a.webp', 'b.gif', 'c.png', 'sub/d.HEIC']) write(name, 'RIFF1234WEBP');
    write('notes.txt', 'none');
    const none =
      /4 pictures are left out \(not readable as JPEG or PNG\): a\.webp, b\.gif, c\.png and 1 more\. Convert/;
    await assert.rejects(listSamples(folder, graph), userError(none));
    write('good.png', gray(1));
    const { samples, notes } = await listSamples(folder, graph);
    assert.deepEqual(
      samples.map(({ name }) => name),
      ['good.png'],
    );
    assert.match(notes[0], none);
  });

  it('takes an evenly spread selection, always the same', async () => {
    assert.deepEqual(spread(10, 0).length, 10);
    assert.deepEqual(spread(10, 3), [1, 5, 8]);
    assert.deepEqual(spread(3, 5), [0, 1, 2]);
    for (let i = 0; i < 10; i++) write(`${i}.png`, gray(i));
    const set = await listSamples(folder, graph, 3);
    assert.deepEqual(
      set.samples.map((s) => s.name),
      ['1.png', '5.png', '8.png'],
    );
    assert.equal(set.available, 10);
  });

  it('skips damaged images with a note, and fails when all are', async () => {
    write('a.png', gray(9).subarray(0, 40));
    write('b.png', gray(9));
    const notes: string[] = [];
    const used: string[] = [];
    for await (const {
      sample,
      inputs: [x],
    } of loadSamples(
      await listSamples(folder, graph),
      graph,
      presetPreprocess('unit'),
      'Test',
      silentProgress,
      notes,
    )) {
      used.push(sample.name);
      assert.deepEqual([...x.codes!], new Array(12).fill(9));
      assert.ok(x.real.every((v) => Math.abs(v - 9 / 255) < 1e-7));
    }
    assert.deepEqual(used, ['b.png']);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /a\.png/);
    rmSync(path.join(folder, 'b.png'));
    const all = loadSamples(await listSamples(folder, graph), graph, unit, 'Test', silentProgress, []);
    await assert.rejects(all.next(), userError(/a\.png cannot be decoded/));
  });

  it('stops between samples when cancelled', async () => {
    for (let i = 0; i < 4; i++) write(`${i}.png`, gray(i));
    let polls = 0;
    const progress = { report: () => undefined, isCancelled: () => ++polls > 2 };
    const samples = loadSamples(await listSamples(folder, graph), graph, unit, 'Test', progress, []);
    await samples.next();
    await samples.next();
    await assert.rejects(samples.next(), CancelledError);
  });

  it('refuses images for inputs that they cannot feed', async () => {
    write('a.png', gray(1));
    for (const wrong of [inputs(['x', 2, 2, 4]), inputs(['x', 2, 2, 3], ['y', 2, 2, 3])]) {
      const set = await listSamples(folder, wrong);
      await assert.rejects(loadSample(set.samples[0], wrong, presetPreprocess('unit')), userError(/\.npy|\.npz/));
    }
  });

  it('reads .npz: int8 inputs and labels, channels first or last', async () => {
    const codes = Int8Array.from({ length: 2 * 12 }, (_, i) => i - 12);
    write(
      'd.npz',
      zip({ 'mfcc.npy': npy('|i1', [2, 3, 2, 2], codes), 'label.npy': npy('<i8', [2], BigInt64Array.of(4n, 1n)) }),
    );
    const set = await listSamples(path.join(folder, 'd.npz'), graph);
    assert.deepEqual(
      set.samples.map((s) => [s.name, s.label]),
      [
        ['d.npz#0', 4],
        ['d.npz#1', 1],
      ],
    );
    assert.equal(set.elementType, 'int8');
    const [x] = await loadSample(set.samples[1], graph, { ...presetPreprocess('raw'), scale: 0.5 });
    // Second sample is 0…11 channels first: pixel 0 has 0, 4, 8.
    assert.deepEqual([...x.codes!], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    assert.deepEqual([...x.real], [0, 2, 4, 0.5, 2.5, 4.5, 1, 3, 5, 1.5, 3.5, 5.5]);
    write('d.npz', zip({ 'mfcc.npy': npy('|i1', [2, 2, 2, 3], codes) }));
    const last = await listSamples(folder, graph);
    const [y] = await loadSample(last.samples[1], graph, presetPreprocess('raw'));
    assert.deepEqual([...y.codes!], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('reads .npz that numpy wrote', async () => {
    // np.savez_compressed(x=np.arange(12, dtype=np.int8).reshape(3,2,2) − 6, label=[2, 0, 1]), numpy 2.4: ZIP64 sizes
    // in the local headers.
    write('n.npz', Buffer.from(NUMPY_NPZ, 'base64'));
    const one = inputs(['x', 2, 2, 1]);
    const set = await listSamples(path.join(folder, 'n.npz'), one);
    assert.deepEqual(
      set.samples.map((s) => s.label),
      [2, 0, 1],
    );
    const [x] = await loadSample(set.samples[2], one, presetPreprocess('raw'));
    assert.deepEqual([...x.real], [2, 3, 4, 5]);
  });

  it('reads .npy: real floats as they are, wider integers preprocessed, labels beside them', async () => {
    const one = inputs(['x', 2, 2, 1]);
    write(
      'x.npy',
      npy(
        '<f4',
        [3, 2, 2],
        Float32Array.from({ length: 12 }, (_, i) => i / 4),
      ),
    );
    write('labels.npy', npy('<i4', [3], Int32Array.of(5, 6, 7)));
    const set = await listSamples(folder, one);
    assert.deepEqual(
      set.samples.map((s) => s.label),
      [5, 6, 7],
    );
    const [x] = await loadSample(set.samples[1], one, presetPreprocess('unit'));
    assert.deepEqual([[...x.real], x.codes], [[1, 1.25, 1.5, 1.75], null]);
    write('x.npy', npy('<i2', [2, 2], Int16Array.of(-510, 0, 255, 510)));
    const wide = await listSamples(path.join(folder, 'x.npy'), one);
    const [y] = await loadSample(wide.samples[0], one, presetPreprocess('unit'));
    assert.deepEqual(
      [...y.real].map((v) => Math.round(v * 1e6) / 1e6),
      [-2, 0, 1, 2],
    );
    assert.equal(y.codes, null);
  });

  it('feeds several inputs by name', async () => {
    const two = inputs(['image', 2, 2, 1], ['depth', 1, 2, 1]);
    write(
      's.npz',
      zip({
        'depth.npy': npy('<f4', [2, 2], Float32Array.of(9, 8, 7, 6)),
        'image.npy': npy('|u1', [2, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
      }),
    );
    const set = await listSamples(folder, two);
    const loaded = await loadSample(set.samples[1], two, presetPreprocess('raw'));
    assert.deepEqual(
      loaded.map((i) => [...i.real]),
      [
        [5, 6, 7, 8],
        [7, 6],
      ],
    );
    write('s.npz', zip({ 'image.npy': npy('|u1', [2, 2, 2], new Uint8Array(8)) }));
    await assert.rejects(listSamples(folder, two), userError(/'depth'/));
  });

  it('refuses damaged and unfitting arrays with one line', async () => {
    const one = inputs(['x', 2, 2, 1]);
    const good = npy('<f4', [3, 2, 2], new Float32Array(12));
    const huge = npy('<f4', [1 << 30, 2, 2], new Float32Array(12));
    const npz = zip({ 'x.npy': good });
    const cases: [string, Buffer][] = [
      ['a.npy', good.subarray(0, 100)],
      ['a.npy', huge],
      ['a.npy', Buffer.from('\x93NUMPY')],
      ['a.npy', npy('<f4', [5, 3], new Float32Array(15))],
      ['a.npy', npy('<c8', [1, 2, 2], new Float32Array(8))],
      ['a.npy', npy('<f4', [0, 2, 2], new Float32Array(0))],
      ['a.npz', npz.subarray(0, npz.length - 10)],
      ['a.npz', Buffer.from('PK')],
    ];
    const inflated = Buffer.from(npz);
    inflated.writeUInt32LE(7, inflated.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
    cases.push(['a.npz', inflated]);
    for (const [name, content] of cases) {
      write(name, content);
      await assert.rejects(listSamples(path.join(folder, name), one), userError(/a\.np[yz]/));
    }
    write('a.npy', npy('<f4', [1, 2, 2], Float32Array.of(1, NaN, 2, 3)));
    const set = await listSamples(path.join(folder, 'a.npy'), one);
    await assert.rejects(loadSample(set.samples[0], one, presetPreprocess('raw')), userError(/not finite/));
  });
});

const NUMPY_NPZ =
  'UEsDBC0AAAAIAAAAIQCpUex1//////////8FABQAeC5ucHkBABAAjAAAAAAAAABUAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6l' +
  'oF6Taaiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5' +
  'GsY6CkZApKmjUKtAHuD69fvP33//GRiZmFlYAVBLAwQtAAAACAAAACEAihrOE///////////CQAUAGxhYmVsLm5weQEAEACYAAAA' +
  'AAAAAEoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNp' +
  'oa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQALiYGVMAIpQFQSwECLQMtAAAACAAAACEAqVHsdVQAAACM' +
  'AAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAA' +
  'CAAAACEAihrOE0oAAACYAAAACQAAAAAAAAAAAAAAgAGLAAAAbGFiZWwubnB5UEsFBgAAAAACAAIAagAAABABAAAAAA==';
