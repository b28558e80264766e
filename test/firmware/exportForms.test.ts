import assert from 'node:assert/strict';
import { UserError } from '../../src/engine/common/errors';
import { asFirmware } from '../support/asFirmware';
import { exportedNetwork } from '../support/exports/network';
import { ModelFolder } from '../support/onnxBuilder';
import { removeFolder, scratchFolder } from './support/hostBuild';

/** Networks, of every kind at least one; QUANTMCU_EXPORTS=first-last takes others, e.g. 1-200, at about 2 s each. */
const [FIRST, LAST] = (process.env.QUANTMCU_EXPORTS ?? '1-28').split('-').map(Number);

describe('networks in forms that exporters write', function () {
  this.timeout(600_000);

  it('quantize to their values, or are refused in one clear line', async () => {
    const wrong: string[] = [];
    let refused = 0;
    for (let seed = FIRST; seed <= LAST; seed++) {
      const { model, name, story } = exportedNetwork(seed);
      const models = new ModelFolder();
      const folder = scratchFolder('exports');
      try {
        const { snr } = await asFirmware(models.write(model, `${name}.onnx`), folder, { compiled: seed % 12 === 0 });
        if (process.env.VERBOSE) console.log(story, snr.map((v) => v.toFixed(1)).join(' '));
        if (snr.some((v) => !(v > 24))) wrong.push(`${story}: ${snr.map((v) => v.toFixed(1)).join(', ')} dB`);
      } catch (error) {
        refused++;
        const message = error instanceof Error ? error.message : String(error);
        const clear = error instanceof UserError && !/\n|undefined|NaN|null/.test(message);
        if (process.env.VERBOSE || !clear) console.log(story, clear ? message : ((error as Error).stack ?? message));
        if (!clear) wrong.push(`${story}: ${message}`);
      } finally {
        models.remove();
        removeFolder(folder);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(refused <= Math.ceil((LAST - FIRST) / 8), `${refused} refused`);
  });
});
