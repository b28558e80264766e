import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { UserError } from '../../src/engine/common/errors';
import { OnnxBuilder } from '../support/onnxBuilder';
import { npy } from '../support/npyWriter';
import { assertSound, runCli } from './commandLine';
import { SmallFolder, failureOf, quantizeSmall, sampleImages, tinyPng, writeImages } from './fixtures';

/** A PNG whose header claims another size than its data has. */
function claiming(width: number, height: number): Buffer {
  const png = Buffer.from(tinyPng(1));
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

describe('sample images with faults', function () {
  this.timeout(300_000);
  let work: SmallFolder;
  beforeEach(() => (work = new SmallFolder()));
  afterEach(() => work.remove());
  const common = (images: string): string[] => [
    'quantize',
    work.modelPath,
    '--images',
    images,
    '--target',
    'stm32h743',
    '--no-cache',
    '--out',
    work.planPath,
  ];

  function writeBroken(folder: string): number {
    const jpeg = fs.readFileSync(path.join(sampleImages, 'gauge_00000.jpg'));
    const png = tinyPng(1);
    const flipped = Buffer.from(png);
    flipped[60] ^= 0xff;
    const broken: Record<string, Uint8Array> = {
      'cut.jpg': jpeg.subarray(0, 300),
      'header.jpg': jpeg.subarray(0, 12),
      'noise.jpg': Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(5000, 0xa5)]),
      'cut.png': png.subarray(0, 60),
      'flipped.png': flipped,
      'bomb.png': claiming(100_000, 100_000),
      'wide.png': claiming(2 ** 31 - 1, 1),
      'zero.png': claiming(0, 0),
    };
    for (const [name, bytes] of Object.entries(broken)) work.write(path.join(folder, name), bytes);
    work.write(path.join(folder, 'empty.jpg'), '');
    work.write(path.join(folder, 'text.jpg'), 'no image');
    return Object.keys(broken).length;
  }

  it('a mean in the wrong unit, so that no pixel stands for 0: refused in words where 0 pads', async () => {
    const preprocess = work.write(
      'preprocess.json',
      JSON.stringify({
        resize: 'crop',
        cropFraction: 1,
        fill: 0,
        channels: 'rgb',
        scale: 1 / 255,
        mean: [123.7],
        std: [58.4],
      }),
    );
    const run = await runCli([...common(writeImages(work, 4)), '--preprocess', preprocess]);
    assertSound(run, 'quantize');
    assert.match(run.stderr, /pads "x" with 0, which no pixel maps to.*mean and std/);
  });

  it('corrupted images among good ones: skipped by name, the others are used', async () => {
    const images = writeImages(work, 6);
    const broken = writeBroken('images');
    const { notes } = (await quantizeSmall({ ...work.paths, imagesPath: images })).summary;
    const skipped = notes.filter((n) => n.startsWith('Skipped: '));
    assert.ok(skipped.length >= broken - 1 && skipped.length <= broken, notes.join('\n'));
    for (const name of ['cut.png', 'bomb.png', 'zero.png'])
      assert.ok(
        skipped.some((n) => n.includes(name)),
        `${name}: ${notes.join('\n')}`,
      );
    assert.ok(
      (JSON.parse(fs.readFileSync(work.planPath, 'utf8')) as { calibration: { images: number } }).calibration.images >=
        6,
    );
    assertSound(await runCli(common(images)), 'quantize');
  });

  it('nothing but corrupted images, an empty folder, no folder, a file: one clear line, no plan', async () => {
    writeBroken('broken');
    fs.mkdirSync(work.path('empty'));
    work.write('text/readme.txt', 'no images here');
    const cases: [string, RegExp][] = [
      ['broken', /cut\.(jpg|png)|bomb\.png|image/],
      ['empty', /no JPEG or PNG images/],
      ['text', /no JPEG or PNG images/],
      ['gone', /does not exist/],
      ['model.onnx', /neither a folder of images nor/],
    ];
    for (const [folder, says] of cases) {
      const run = await runCli(common(work.path(folder)));
      assertSound(run, folder);
      assert.equal(run.code, 1);
      assert.match(run.stderr, says);
      assert.ok(!fs.existsSync(work.planPath));
    }
  });

  it('inputs that no node reads need no samples', async () => {
    const m = new OnnxBuilder();
    const weights = m.floats(
      [4, 3, 1, 1],
      Array.from({ length: 12 }, (_, i) => (i % 5) / 5 - 0.4),
    );
    m.input('training', [1], 'bool');
    const x = m.input('x', [1, 3, 16, 16]);
    m.input('sizes', ['N', 2], 'int64');
    m.input('mask', [1, 3, 16, 16]);
    m.output(m.node('Conv', [x, weights]));
    const unread = work.write('unread.onnx', m.finish());
    const { program } = await quantizeSmall({ ...work.paths, modelPath: unread, imagesPath: writeImages(work, 2) });
    assert.deepEqual(
      program.inputs.map(({ name }) => name),
      ['x'],
    );
  });

  it('10 000 images: --limit 32 takes 32 of them within 5 s and 1 GB, and all take no more memory', async () => {
    const kinds = Array.from({ length: 20 }, (_, i) => tinyPng(i + 1));
    fs.mkdirSync(work.path('many'));
    for (let i = 0; i < 10_000; i++) fs.writeFileSync(work.path('many', `${i}.png`), kinds[i % kinds.length]);
    const few = await runCli([...common(work.path('many')), '--limit', '32']);
    assertSound(few, 'limit 32');
    const used = (): number =>
      (JSON.parse(fs.readFileSync(work.planPath, 'utf8')) as { calibration: { images: number } }).calibration.images;
    assert.equal(used(), 32);
    const all = await runCli(common(work.path('many')));
    assert.equal(all.code, 0, all.stderr);
    assert.equal(used(), 10_000);
    assert.ok(
      all.peakBytes < few.peakBytes + 150e6,
      `${few.peakBytes} bytes for 32 images, ${all.peakBytes} for 10 000`,
    );
  });

  it('labels of unknown classes: counted as wrong and said; labels that are no numbers: refused', async () => {
    const images = writeImages(work, 4);
    await quantizeSmall({ ...work.paths, imagesPath: images });
    work.write('images/labels.csv', 'file,class_index\n00000.png,0\n00001.png,1\n00002.png,999\n00003.png,5\n');
    const run = await runCli(['evaluate', work.planPath, '--images', images]);
    assertSound(run, 'evaluate');
    assert.match(run.stdout, /2 of 4 labels name classes beyond the network's 5/);
    for (const bad of ['cat', '-1', '1.5', '99999999999999999999', '']) {
      work.write('images/labels.csv', `file,class_index\n00000.png,${bad}\n`);
      const refused = await runCli(['evaluate', work.planPath, '--images', images]);
      assertSound(refused, bad);
      assert.match(refused.stderr, /labels\.csv, row 2: class_index .* is not a class index/);
    }
  });

  it('hostile arrays: one clear line', async () => {
    const sound = npy('<f4', [2, 3, 16, 16], new Float32Array(2 * 3 * 256).fill(0.5));
    const header = (shape: string): Buffer => {
      const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
      return Buffer.concat([
        Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
        Buffer.from([text.length & 255, text.length >> 8]),
        Buffer.from(text),
      ]);
    };
    assert.equal(await failureOf(quantizeSmall({ ...work.paths, imagesPath: work.write('sound.npy', sound) })), null);
    const arrays: Record<string, Uint8Array> = {
      'empty.npy': Buffer.alloc(0),
      'magic.npy': sound.subarray(0, 8),
      'cut.npy': sound.subarray(0, sound.length - 5),
      'huge.npy': header('(1000000000, 3, 16, 16)'),
      'negative.npy': header('(-1, 3, 16, 16)'),
      'zero.npy': header('(0, 3, 16, 16)'),
      'overflow.npy': header('(9007199254740993, 9007199254740993)'),
      'nan.npy': npy('<f4', [1, 3, 16, 16], new Float32Array(768).fill(NaN)),
      'object.npy': npy('|O', [1], new Uint8Array(8)),
      'other.npy': npy('<f4', [1, 7, 5], new Float32Array(35)),
      'cut.npz': Buffer.from('PK\x03\x04garbage'),
      'text.npz': Buffer.from('not a zip'),
    };
    for (const [name, bytes] of Object.entries(arrays)) {
      const failure = await failureOf(quantizeSmall({ ...work.paths, imagesPath: work.write(name, bytes) }));
      assert.ok(failure instanceof UserError, `${name}: ${String(failure?.stack)}`);
    }
  });
});
