import assert from 'node:assert/strict';
import { capacityOf } from '../../../src/cli/commandOptions';
import { UserError } from '../../../src/engine/common/errors';
import { customTarget, findTarget, targets } from '../../../src/engine/targets/targets';
import { CORES } from '../../../src/engine/targets/types';

describe('targets', () => {
  it('have unique ids that are safe in file names and command lines, and a source', () => {
    assert.equal(new Set(targets.map((t) => t.id)).size, targets.length);
    for (const target of targets) {
      assert.match(target.id, /^[a-z0-9]+$/);
      assert.ok(target.source.length > 20, target.id);
    }
  });

  it('name an arena region and a flash region that exist', () => {
    for (const { id, regions, arenaRegion, flashRegion } of targets) {
      assert.equal(regions.find((r) => r.name === arenaRegion)?.kind, 'sram', id);
      assert.equal(regions.find((r) => r.name === flashRegion)?.kind, 'flash', id);
      assert.equal(new Set(regions.map((r) => r.name)).size, regions.length, id);
    }
  });

  it('include the boards that the documentation promises', () => {
    const sram = (id: string) => {
      const { regions, arenaRegion } = findTarget(id);
      return regions.find((r) => r.name === arenaRegion)!.bytes / 1024;
    };
    assert.deepEqual(
      [
        'nano33ble',
        'stm32h743',
        'stm32f746',
        'stm32f411',
        'stm32l4r5',
        'rp2040',
        'rp2350',
        'esp32s3',
        'corstone300',
      ].map(sram),
      [256, 512, 240, 128, 384, 256, 512, 416, 512],
    );
  });

  it('are listed when an id is unknown', () => {
    assert.throws(
      () => findTarget('arduino'),
      (error: Error) => error instanceof UserError && /nano33ble.*corstone300.*custom/.test(error.message),
    );
  });

  it('can be described by hand, with sane sizes only', () => {
    const target = customTarget({ sramBytes: 65536, flashBytes: 262144 });
    assert.deepEqual(
      target.regions.map((r) => r.bytes),
      [65536, 262144],
    );
    assert.equal(target.core, 'cortex-m4');
    for (const bytes of [0, -1, 1.5, NaN, Infinity])
      assert.throws(() => customTarget({ sramBytes: bytes, flashBytes: 1 }), UserError);
  });

  it('have a core of their own, which kernels are made for', () => {
    const sizes = { target: 'custom', sram: '64K', flash: '256K' };
    for (const core of CORES) assert.equal(capacityOf({ ...sizes, core: core.replace('cortex-', '') }).core, core);
    assert.equal(customTarget(capacityOf({ ...sizes, core: 'cortex-m0plus' })).core, 'cortex-m0plus');
    assert.equal('core' in capacityOf(sizes), false);
    assert.throws(() => capacityOf({ ...sizes, core: 'm5' }), /cortex-m55/);
    assert.throws(() => capacityOf({ target: 'nano33ble', core: 'm4' }), /nano33ble has its own/);
  });
});
