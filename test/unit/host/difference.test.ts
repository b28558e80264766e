import assert from 'node:assert/strict';
import fc from 'fast-check';
import { difference } from '../../../src/host/editor/difference';

describe('difference of two texts', () => {
  const apply = (before: string, { start, end, replacement }: ReturnType<typeof difference>): string =>
    before.slice(0, start) + replacement + before.slice(end);

  it('makes the one out of the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'ab', '{', '\n', '\n\n')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => assert.equal(apply(before, difference(before, after)), after)),
    );
  });

  it('is the lines that differ and no others', () => {
    const before = '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}\n';
    const found = difference(before, before.replace('2', '4'));
    assert.deepEqual([before.slice(found.start, found.end), found.replacement], ['  "b": 2,', '  "b": 4,']);
  });
});
