import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { editableBytes, formatBytes, parseBytes } from '../../../src/host/format';
import { coreName } from '../../../src/protocol/boards';

describe('figures as people read and type them', () => {
  it('understands sizes', () => {
    const cases: [string, number | undefined][] = [
      ['262144', 262144],
      ['256K', 262144],
      ['256 KiB', 262144],
      [' 0.5MB ', 524288],
      ['1m', 1048576],
      ['12 bytes', 12],
      ['0', undefined],
      ['-1', undefined],
      ['1G', undefined],
      ['4096M', 2 ** 32],
      ['4097M', undefined],
      ['', undefined],
      ['x', undefined],
    ];
    for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text);
  });

  it('reads its own output back, to a tenth of the unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 << 20 }), (bytes) => {
        const unit = bytes < 1024 ? 1 : bytes < 1 << 20 ? 1024 : 1 << 20;
        assert.ok(Math.abs(parseBytes(formatBytes(bytes))! - bytes) <= 0.05 * unit + 1);
      }),
    );
  });

  it('offers sizes for editing as they are', () => {
    assert.deepEqual([65536, 1048576, 1536, 1000].map(editableBytes), ['64K', '1M', '1536', '1000']);
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 12 - 1 }), fc.constantFrom(1, 1024, 1 << 20), (count, unit) => {
        const bytes = (count + 1) * unit;
        assert.equal(parseBytes(editableBytes(bytes)), bytes);
      }),
    );
  });

  it('names cores as their vendors do', () => {
    assert.deepEqual(['cortex-m0plus', 'cortex-m4', 'xtensa-lx7', 'riscv32'].map(coreName), [
      'Cortex-M0+',
      'Cortex-M4',
      'Xtensa LX7',
      'RISC-V',
    ]);
  });
});
