import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { needSharedData } from '../support/sharedData';
import { assertSound, runView } from './commandLine';
import { WorkFolder } from './fixtures';
import { hostileModels } from './hostileModels';
import { quantizeOptions, runnerOf, testModels } from './modelTests';

describe('hostile models in the editor and on the command line', function () {
  this.timeout(600_000);

  testModels(hostileModels());

  it('every file of the shared hostile models: a result or one clear line, within 5 s and 1 GB', async function () {
    const folder = needSharedData(this, 'hostile');
    const work = new WorkFolder();
    let results = 0;
    let refused = 0;
    const names = fs.readdirSync(folder).filter((f) => f.endsWith('.onnx'));
    for (const [n, name] of names.entries()) {
      const command = runnerOf(n, name);
      const file = path.join(folder, name);
      assertSound(await runView(file), `view ${name}`);
      assertSound(await command(['inspect', file]), `inspect ${name}`);
      const run = await command(['quantize', file, ...quantizeOptions(work.path(`${name}.quantmcu.json`))]);
      assertSound(run, `quantize ${name}`);
      if (run.code === 0) results++;
      else refused++;
    }
    work.remove();
    assert.ok(results > 5 && refused > 5, `${results} results, ${refused} refused`);
  });
});
