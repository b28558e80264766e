import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commentText, floatLiteral, intLiteral, wrapItems } from '../../../src/engine/codegen/text';

describe('text of generated C', () => {
  it('shows foreign names harmlessly', () => {
    assert.equal(commentText('features.0/conv'), 'features.0/conv');
    assert.equal(commentText('a*/b'), 'a* /b');
    assert.equal(commentText('/*/*/'), '/ * / * /');
    assert.equal(commentText('what??/'), 'what? ?/');
    assert.equal(commentText('line\r\nbreak\\'), 'line\\u{D}\\u{A}break\\\\');
    assert.equal(commentText('ab\u202Ecd'), 'ab\\u{202E}cd');
  });

  it('shows any name harmlessly', () => {
    const nasty = fc.array(
      fc.oneof(
        fc.constantFrom('*', '/', '?', '\\', '\n', '\r', '\u2028', '\u202e', '"', '#', '\0', '\ud800'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(nasty, (parts) => {
        const text = commentText(parts.join(''));
        const whole = `/* ${text} */`;
        assert.match(text, /^[ -~]*$/);
        assert.ok(text.length <= 3 * 130);
        assert.equal(whole.indexOf('*/'), whole.length - 2);
        assert.equal(whole.lastIndexOf('/*'), 0);
        assert.ok(!whole.includes('??'));
      }),
      { numRuns: 3000 },
    );
  });

  it('writes numbers that read back', () => {
    assert.equal(intLiteral(-2147483648), '(-2147483647 - 1)');
    assert.equal(floatLiteral(1), '1.0f');
    assert.equal(floatLiteral(1 / 255), '0.003921569f');
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const literal = floatLiteral(x);
        assert.match(literal, /^-?\d+(\.\d+)?(e[+-]?\d+)?f$/);
        assert.ok(/[.e]/.test(literal));
        assert.equal(Math.fround(Number(literal.slice(0, -1))) + 0, x + 0);
      }),
    );
  });

  it('wraps lists', () => {
    const lines = wrapItems(
      Array.from({ length: 200 }, (_, i) => String(i * 37)),
      '    ',
    );
    assert.ok(lines.every((line) => line.length <= 100 && line.startsWith('    ') && line.endsWith(',')));
    assert.deepEqual(
      lines.join('').match(/\d+/g)?.map(Number),
      Array.from({ length: 200 }, (_, i) => i * 37),
    );
  });
});
