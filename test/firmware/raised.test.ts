import assert from 'node:assert/strict';
import * as path from 'node:path';
import type { Bits } from '../../src/engine/graph/bits';
import { asFirmware, type FirmwareResult } from '../support/asFirmware';
import { ModelFolder } from '../support/onnxBuilder';
import { wideRangeNetwork } from '../support/wideRange';

describe('a network that a few maps limit, with 16 bits allowed', function () {
  this.timeout(600_000);
  const models = new ModelFolder();
  after(() => models.remove());

  const run = (bits: readonly Bits[]): Promise<FirmwareResult> =>
    asFirmware(models.write(wideRangeNetwork()), path.join(models.folder, bits.join('-')), {
      bits,
      samples: 64,
      compiled: true,
      threads: 1,
    });

  it('gets them there, loses less, and its C equals the interpreter', async () => {
    const eight = await run([8]);
    const raised = await run([16, 8]);
    const { maps, account } = raised.opened.plan;
    const wide = Object.keys(maps).filter((name) => maps[name].bits === 16);
    assert.ok(wide.length > 0 && wide.length < raised.opened.graph.maps.length - 4, raised.notes.join('\n'));
    for (const name of wide) {
      const { by, losses } = account!.maps[name];
      assert.equal(by, 'raised');
      assert.ok(losses![8] > 0);
    }
    assert.match(raised.notes.join('\n'), /16 bits: on \d+ images the divergence from the float network falls by/);
    assert.ok(raised.snr[0] > eight.snr[0] + 20, `${eight.snr[0].toFixed(1)} and ${raised.snr[0].toFixed(1)} dB`);
  });
});
