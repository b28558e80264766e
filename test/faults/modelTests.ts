import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { assertSound, runCli, runView } from './commandLine';
import { WorkFolder, sampleImages } from './fixtures';
import type { HostileModel } from './hostileModels';

/** Options of every `quantize` here, which writes to `out`. */
export function quantizeOptions(out: string): string[] {
  return ['--images', sampleImages, '--limit', '16', '--target', 'stm32h743', '--no-cache', '--out', out];
}

/** Defines a test for each model: the editor and the command line give a result or one clear line. */
export function testModels(models: readonly HostileModel[]): void {
  let work: WorkFolder;
  before(() => (work = new WorkFolder()));
  after(() => work.remove());

  for (const { name, content, expect, says } of models) {
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
      const run = await runCli(['quantize', file, ...quantizeOptions(plan), '--json']);
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
}
