import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { assertSound, runCli, runCommand, runView } from './commandLine';
import { WorkFolder, sampleImages } from './fixtures';
import type { HostileModel } from './hostileModels';

/** Options of every `quantize` here, which writes to `out`. */
export function quantizeOptions(out: string): string[] {
  return ['--images', sampleImages, '--limit', '16', '--target', 'stm32h743', '--no-cache', '--out', out];
}

/** Of this many models one is given to processes of their own, as on a terminal; all others share one. */
const SHARED = 8;
/** And those that take longest: their bound is for a process that has just started. */
const LARGE = /^2000 |^600 |of 2000$|60 times$/;

/** How the n-th model is given to the command line. */
export function runnerOf(n: number, name: string): (command: readonly string[]) => ReturnType<typeof runCli> {
  return n % SHARED === 0 || LARGE.test(name) ? runCli : runCommand;
}

/** Defines a test for each model: the editor and the command line give a result or one clear line. */
export function testModels(models: readonly HostileModel[]): void {
  let work: WorkFolder;
  before(() => (work = new WorkFolder()));
  after(() => work.remove());

  models.forEach(({ name, content, expect, says }, n) => {
    it(`${name}: a result or one clear line, within 5 s and 1 GB`, async () => {
      const command = runnerOf(n, name);
      const home = `deep/er/${name.replace(/[^a-z0-9]+/gi, '_').slice(0, 40)}`;
      const file = work.write(`${home}/model.onnx`, content);
      // Whoever opens it without a writer waits forever: nothing outside the model's folder may even be opened.
      const secret = work.path('deep/secret.bin');
      if (!fs.existsSync(secret) && process.platform !== 'win32') spawnSync('mkfifo', [secret]);
      if (name.includes('link')) fs.symlinkSync(secret, work.path(home, 'link.bin'));
      const before = fs.readdirSync(path.dirname(file));
      assertSound(await runView(file), 'view');
      assertSound(await command(['inspect', file]), 'inspect');
      const plan = work.path(home, 'plan.quantmcu.json');
      const run = await command(['quantize', file, ...quantizeOptions(plan), '--json']);
      assertSound(run, 'quantize');
      if (expect) assert.equal(run.code === 0 ? 'result' : 'refused', expect, run.stderr || run.stdout);
      if (says) assert.match(run.stderr, says);
      if (run.code !== 0) {
        assert.deepEqual(fs.readdirSync(path.dirname(file)), before, 'a refused model leaves nothing behind');
        return;
      }
      fs.mkdirSync(work.path(home, 'project'));
      const generated = await command(['generate', plan, '--project', work.path(home, 'project')]);
      assertSound(generated, 'generate');
      assert.equal(generated.code, 0, generated.stderr);
    });
  });
}
