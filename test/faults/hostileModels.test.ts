import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { needSharedData } from '../support/sharedData';
import { assertSound, runCli, runView } from './commandLine';
import { WorkFolder, sampleImages } from './fixtures';
import { hostileModels } from './hostileModels';
import { strangeModels } from './strangeModels';

describe('hostile models in the editor and on the command line', function () {
  this.timeout(600_000);
  let work: WorkFolder;
  before(() => (work = new WorkFolder()));
  after(() => work.remove());
  const common = (out: string): string[] => [
    '--images',
    sampleImages,
    '--limit',
    '16',
    '--target',
    'stm32h743',
    '--no-cache',
    '--out',
    out,
  ];

  for (const { name, content, expect, says } of [...hostileModels(), ...strangeModels()]) {
    it(`${name}: a result or one clear line, within 5 s and 1 GB`, async () => {
      const home = `deep/er/${name.replace(/[^a-z0-9]+/gi, '_').slice(0, 40)}`;
      const file = work.write(`${home}/model.onnx`, content);
      // Whoever opens it without a writer waits forever: nothing outside the model's folder may even be opened.
      const secret = work.path('deep/secret.bin');
      if (!fs.existsSync(secret) && process.platform !== 'win32') spawnSync('mkfifo', [secret]);
      if (name.includes('link')) fs.symlinkSync(secret, work.path(home, 'link.bin'));
      const before = fs.readdirSync(path.dirname(file));
      assertSound(await runView(file), 'view');
      assertSound(await runCli(['inspect', file]), 'inspect');
      const plan = work.path(home, 'plan.quantmcu.json');
      const run = await runCli(['quantize', file, ...common(plan), '--json']);
      assertSound(run, 'quantize');
      if (expect) assert.equal(run.code === 0 ? 'result' : 'refused', expect, run.stderr || run.stdout);
      if (says) assert.match(run.stderr, says);
      if (run.code !== 0) {
        assert.deepEqual(fs.readdirSync(path.dirname(file)), before, 'a refused model leaves nothing behind');
        return;
      }
      fs.mkdirSync(work.path(home, 'project'));
      const generated = await runCli(['generate', plan, '--project', work.path(home, 'project')]);
      assertSound(generated, 'generate');
      assert.equal(generated.code, 0, generated.stderr);
    });
  }

  it('every file of the shared hostile models: a result or one clear line, within 5 s and 1 GB', async function () {
    const folder = needSharedData(this, 'hostile');
    let results = 0;
    let refused = 0;
    for (const name of fs.readdirSync(folder).filter((f) => f.endsWith('.onnx'))) {
      const file = path.join(folder, name);
      assertSound(await runView(file), `view ${name}`);
      assertSound(await runCli(['inspect', file]), `inspect ${name}`);
      const run = await runCli(['quantize', file, ...common(work.path(`${name}.quantmcu.json`))]);
      assertSound(run, `quantize ${name}`);
      if (run.code === 0) results++;
      else refused++;
    }
    assert.ok(results > 5 && refused > 5, `${results} results, ${refused} refused`);
  });
});
