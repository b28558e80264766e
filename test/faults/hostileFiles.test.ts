import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import { npy, zip } from '../support/npyWriter';
import { assertSound, runCli } from './commandLine';
import { SmallFolder, smallModel } from './fixtures';

/**
 * What a refusal may hold in memory. A command line that does nothing takes some 60 MB; the system counts what this
 * process held when it started it, too.
 */
const MOST_BYTES = 500e6;

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}

/** A picture of 16×16 whose data unpack to so many bytes. */
function interlaced(bytes: number): Buffer {
  const header = Buffer.from([0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 1]);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(bytes), { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A .npz of one array of zeros, of `rows` pictures. */
function zeros(rows: number): Buffer {
  return zip({ 'x.npy': npy('|u1', [rows, 16, 16, 3], Buffer.alloc(rows * 768)) });
}

describe('files that are not what their name says', function () {
  this.timeout(300_000);
  let work: SmallFolder;
  beforeEach(() => (work = new SmallFolder(2)));
  afterEach(() => work.remove());

  const quantize = (folder = work.imagesPath, file = work.modelPath, ...more: string[]) =>
    runCli([
      'quantize',
      file,
      '--images',
      folder,
      '--target',
      'stm32h743',
      '--search',
      'entropy',
      '--no-cache',
      ...more,
    ]);

  async function refused(says: RegExp, run = quantize()): Promise<void> {
    const result = await run;
    assertSound(result, String(says));
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, says);
    assert.ok(result.peakBytes < MOST_BYTES, `${says}: ${result.peakBytes} bytes`);
    assert.ok(!fs.existsSync(work.path('model.quantmcu.json')));
  }

  it('labels.csv that is a pipe, a device, a folder or too large is refused', async function () {
    if (process.platform === 'win32') this.skip();
    const labels = work.path('images', 'labels.csv');
    spawnSync('mkfifo', [labels]);
    await refused(/labels\.csv cannot be read: it is not a file/);
    fs.rmSync(labels);
    fs.symlinkSync('/dev/zero', labels);
    await refused(/labels\.csv cannot be read: it is not a file/);
    fs.rmSync(labels);
    fs.mkdirSync(labels);
    await refused(/labels\.csv cannot be read: it is not a file/);
    fs.rmdirSync(labels);
    fs.writeFileSync(labels, `file,class_index\n${'a.png,1\n'.repeat(8_000_000)}`);
    await refused(/labels\.csv cannot be read: it has 64000017 bytes/);
    fs.writeFileSync(labels, 'file,class_index\na.png,one\n');
    await refused(/labels\.csv, row 2: class_index "one" is not a class index/);
  });

  it('an interlaced picture that unpacks to more than its header says is refused before that', async () => {
    fs.mkdirSync(work.path('bomb'));
    work.write('bomb/a.png', interlaced(300e6));
    await refused(/a\.png cannot be decoded: its data exceeds the 16×16 pixels/, quantize(work.path('bomb')));
  });

  it('an interlaced picture that is one is read', async () => {
    fs.mkdirSync(work.path('fine'));
    // 15 rows of filters for 7 passes over 16×16 pixels.
    work.write('fine/a.png', interlaced(16 * 16 * 3 + 2 + 2 + 2 + 4 + 4 + 8 + 8));
    const run = await quantize(work.path('fine'));
    assert.equal(run.code, 0, run.stderr);
  });

  it('an array of zeros that unpacks to a thousand times its size is refused, a small one is not', async () => {
    work.write('bomb.npz', zeros(300_000));
    await refused(/bomb\.npz cannot be used as sample data: its arrays would unpack/, quantize(work.path('bomb.npz')));
    work.write('fine.npz', zeros(3));
    const run = await quantize(work.path('fine.npz'), work.modelPath, '--preprocess', 'raw');
    assert.equal(run.code, 0, run.stderr);
  });

  it('a model of 4 GB, and one of zeros, are refused before they are read', async () => {
    const big = work.path('big.onnx');
    fs.writeFileSync(big, '');
    fs.truncateSync(big, 4 * 2 ** 30);
    await refused(/an ONNX file is smaller than 2 GiB/, quantize(work.imagesPath, big));
    fs.truncateSync(big, 2 ** 30);
    await refused(/big\.onnx is damaged, cut off or not an ONNX model/, quantize(work.imagesPath, big));
  });

  it('names that steer a terminal do not reach it, nor do their line breaks', async () => {
    const name = 'a\x1b[2J\x9b31m\nsecond\u202e';
    const named = work.write('named.onnx', smallModel(1, { layer: name }));
    for (const args of [
      ['inspect', named],
      ['inspect', named, '--json'],
    ]) {
      const { stdout } = await runCli(args);
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(stdout, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
      assert.doesNotMatch(stdout, /^second/m);
      if (args.includes('--json'))
        assert.ok((JSON.parse(stdout) as { nodes: { name: string }[] }).nodes.some((n) => n.name === name));
    }
  });

  it('nothing that is not ours is written over, unless with --force', async () => {
    const mine = work.write('package.json', '{"name":"mine"}\n');
    const before = fs.readFileSync(mine, 'utf8');
    const run = await quantize(work.imagesPath, work.modelPath, '--out', mine);
    assertSound(run, '--out');
    assert.equal(fs.readFileSync(mine, 'utf8'), before);
    assert.match(run.stderr, /package\.json exists and is not a QuantMCU plan.*--force/);
    assert.equal((await quantize(work.imagesPath, work.modelPath, '--out', mine, '--force')).code, 0);
    work.write('other.quantmcu.params', 'mine');
    const parameters = await quantize(work.imagesPath, work.modelPath, '--out', work.path('other.quantmcu.json'));
    assert.match(parameters.stderr, /other\.quantmcu\.params exists and is not a QuantMCU parameter file/);

    const plan = work.path('model.quantmcu.json');
    assert.equal((await quantize()).code, 0);
    // One's own plan is.
    assert.equal((await quantize()).code, 0);
    const table = work.write('table.csv', 'mine\n');
    const evaluate = (...more: string[]) =>
      runCli(['evaluate', plan, '--images', work.imagesPath, '--predictions', table, ...more]);
    assert.match((await evaluate()).stderr, /table\.csv exists and is not a QuantMCU table of predictions/);
    assert.equal(fs.readFileSync(table, 'utf8'), 'mine\n');
    assert.equal((await evaluate('--force')).code, 0);
    assert.equal((await evaluate()).code, 0);
    const exported = (...more: string[]) =>
      runCli(['export', plan, '--format', 'qdq', '--out', work.path('named.onnx'), ...more]);
    work.write('named.onnx', smallModel(2));
    assert.match((await exported()).stderr, /named\.onnx exists and is not a QuantMCU exported model/);
    assert.equal((await exported('--force')).code, 0);
    assert.equal((await exported()).code, 0);
    fs.symlinkSync(mine, work.path('link.onnx'));
    const link = await runCli(['export', plan, '--format', 'qdq', '--out', work.path('link.onnx'), '--force']);
    assert.match(link.stderr, /link\.onnx is a link, and links are not written through/);
  });

  it("a plan's wrong values are named where they are", async () => {
    assert.equal((await quantize()).code, 0);
    const file = work.path('model.quantmcu.json');
    const plan = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    const { nodes } = JSON.parse((await runCli(['inspect', work.modelPath, '--json'])).stdout) as {
      nodes: { outputs: string[] }[];
    };
    const stage = {
      splitMap: 'features',
      grid: { rows: 2, cols: 2 },
      keep: [],
      classMode: 'runtime',
      classes: ['..', '..'],
      runtime: { map: nodes.at(-1)!.outputs[0], low: 0, high: 1, epsilon: 0.01 },
    };
    const opened = async (patchStage: unknown) => {
      fs.writeFileSync(file, JSON.stringify({ ...plan, patchStage }));
      const run = await runCli(['generate', file, '--project', work.folder, '--dry-run']);
      assertSound(run, JSON.stringify(patchStage));
      return run.stderr;
    };
    assert.match(await opened({ ...stage, grid: { rows: 0, cols: 2 } }), /\/patchStage\/grid\/rows must be >= 1/);
    assert.match(await opened({ ...stage, grid: 'all' }), /\/patchStage\/grid must be object/);
    assert.match(await opened({ ...stage, classMode: 'sometimes' }), /\/patchStage\/classMode .*"static", "runtime"/);
    assert.match(await opened(stage), /\/patchStage\/runtime\/map is .*, which no layer of the patch stage writes/);
  });
});
