import assert from 'node:assert/strict';
import { bitsOf, bytesOf, capacityOf, count, fraction, number, one } from '../../../src/cli/commandOptions';
import { MOST_BYTES } from '../../../src/engine/targets/types';

describe('values of options', () => {
  it('numbers are decimal and not empty', () => {
    for (const text of ['0.5', ' 1 ', '+2', '.5', '5.', '1e-3', '-4'])
      assert.equal(number({ x: text }, 'x'), Number(text), text);
    for (const text of ['', ' ', 'NaN', '0x10', '1e400', 'Infinity', '1,5', '1 2', '٣'])
      assert.throws(() => number({ x: text }, 'x'), /^UserError: --x must be a number, not "/, text);
    assert.throws(() => fraction({ phi: '' }, 'phi'), /--phi must be a number/);
    assert.throws(() => count({ limit: '-1' }, 'limit'), /--limit must be a whole number, 0 or more, not "-1"/);
  });

  it('bytes are whole, from 1 on', () => {
    assert.equal(bytesOf({ x: '64K' }, 'x'), 65536);
    assert.equal(bytesOf({ x: '4096M' }, 'x'), MOST_BYTES);
    for (const text of ['0', '-1', '1e99K', 'NaN', '64 KB', '1.5M', '', '9'.repeat(20), '4097M'])
      assert.throws(() => bytesOf({ x: text }, 'x'), /--x must be a number of bytes such as 262144, 256K or 1M/, text);
  });

  it('a share of the flash is below all of it', () => {
    const reserve = (text: string): number | undefined =>
      capacityOf({ target: 'custom', sram: '64K', flash: '100', 'flash-reserve': text }).flashReserveBytes;
    assert.equal(reserve('12.5%'), 13);
    assert.equal(reserve('0'), 0);
    for (const text of ['100%', '101%', '-5%', 'x%', '%', '50 %'])
      assert.throws(() => reserve(text), /--flash-reserve must be below 100 % of the flash, such as 25%/, text);
    assert.throws(() => reserve('100'), /leaves nothing/);
  });

  it('bits of maps are the most first, 8 among them', () => {
    assert.deepEqual(bitsOf('4'), [8, 4]);
    assert.deepEqual(bitsOf('4,16'), [16, 8, 4]);
    for (const text of ['3', '8;4', '', '8,,4']) assert.throws(() => bitsOf(text), /--bits takes 16, 8, 4 and 2/, text);
  });

  it('an empty argument is none', () => {
    assert.throws(() => one([''], 'MODEL'), /Give exactly one MODEL/);
    assert.equal(one(['a'], 'MODEL'), 'a');
  });
});
