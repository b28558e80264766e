import assert from 'node:assert/strict';
import { assertSound, runCli } from './commandLine';
import { SmallFolder, tinyPng } from './fixtures';

describe('a command line that does not say what it means', function () {
  this.timeout(120_000);
  let work: SmallFolder;
  before(() => {
    work = new SmallFolder(2);
    work.write('other/a.webp', 'RIFF....WEBPVP8 ');
    work.write('other/b.png', 'GIF89a');
    work.write('mixed/c.gif', 'GIF89a');
    work.write('mixed/good.png', tinyPng(1));
  });
  after(() => work.remove());

  it('is told what to write, before anything is computed', async () => {
    const { modelPath, imagesPath: images } = work;
    const quantize = ['quantize', modelPath, '--target', 'stm32h743', '--no-cache', '--images'];
    const cases: readonly [string[], RegExp][] = [
      [[...quantize, images, '--flash', '-1'], /--flash is followed by "-": .* as --flash=VALUE/],
      [[...quantize, images, '--phi', ''], /--phi must be a number/],
      [[...quantize, images, '--sram'], /--sram needs a value/],
      [[...quantize, images, '--out', ''], /has no name/],
      [
        [...quantize, images, '--out', work.path('no', 'p.json')],
        /p\.json cannot be written: the folder does not exist/,
      ],
      [[...quantize, images, '--out', work.path('images')], /images cannot be written: a folder is where/],
      [[...quantize, work.path('other')], /2 pictures are left out .*: a\.webp, b\.png\. Convert them\./],
      [['inspect', modelPath, '--sizes', 'h=64'], /--sizes sets "h", but the inputs of \S+ have fixed sizes/],
      [['fit', modelPath, '--sizes', 'h'], /--sizes must be like height=224,width=224/],
      [['inspect', ''], /Give exactly one MODEL/],
      [['evaluate', ''], /Give exactly one PLAN/],
    ];
    const before = work.snapshot();
    for (const [args, says] of cases) {
      const run = await runCli(args);
      assertSound(run, args.join(' '));
      assert.equal(run.code, 1, args.join(' '));
      assert.match(run.stderr, says);
    }
    assert.deepEqual(work.snapshot(), before);
  });

  it('says which version it is', async () => {
    const run = await runCli(['--version']);
    assertSound(run, '--version');
    assert.match(run.stdout, /^QuantMCU \d+\.\d+\.\d+\n$/);
  });
});
