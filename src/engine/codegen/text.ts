/** Width at which generated lines wrap. */
export const lineWidth = 100;

/** Longest piece of foreign text that a comment shows. */
const maxCommentText = 120;

/**
 * Foreign text (an ONNX name, a file name) in a form that is safe inside a C block comment: printable ASCII on one line
 * that cannot end or nest the comment, form a trigraph or hide its direction. Anything else is written as `\u{HEX}`, a
 * backslash as two.
 */
export function commentText(text: string): string {
  let result = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    let piece = char;
    if (char === '\\') piece = '\\\\';
    else if (code < 0x20 || code > 0x7e) piece = `\\u{${code.toString(16).toUpperCase()}}`;
    if (result.length + piece.length > maxCommentText) {
      result += '...';
      break;
    }
    result += piece;
  }
  return result
    .replace(/\*(?=\/)/g, '* ')
    .replace(/\/(?=\*)/g, '/ ')
    .replace(/\?(?=\?)/g, '? ');
}

/** A block comment of one or more lines; the lines are text of our own or have passed {@link commentText}. */
export function comment(lines: readonly string[]): string {
  if (lines.length === 1) return `/* ${lines[0]} */\n`;
  return `/*\n${lines.map((line) => (line === '' ? ' *\n' : ` * ${line}\n`)).join('')} */\n`;
}

/** Splits items into lines of at most {@link lineWidth} characters, each item followed by a comma. */
export function wrapItems(items: Iterable<string>, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    const separator = line === '' ? indent : ' ';
    if (line !== '' && line.length + separator.length + item.length + 1 > lineWidth) {
      lines.push(line);
      line = `${indent}${item},`;
    } else {
      line += `${separator}${item},`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Literal of a signed integer. The least int32 has none in C, as its magnitude does not fit an int. */
export function intLiteral(value: number): string {
  return value === -2147483648 ? '(-2147483647 - 1)' : String(value);
}

/** Shortest `float` literal that reads back as the nearest 32-bit float of `value` (finite). */
export function floatLiteral(value: number): string {
  const rounded = Math.fround(value);
  let text = '0';
  for (let digits = 1; digits <= 9; digits++) {
    text = rounded.toPrecision(digits);
    if (Math.fround(Number(text)) === rounded) break;
  }
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/**
 * A string literal of foreign text in UTF-8, ASCII in the source: all other bytes, quotes, and what could begin a
 * trigraph are octal escapes of three digits, which no digit that follows can lengthen.
 */
export function stringLiteral(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  const isPlain = (byte: number): boolean =>
    byte >= 0x20 && byte <= 0x7e && !'"\\?'.includes(String.fromCharCode(byte));
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
  return `"${bytes.map((b) => (isPlain(b) ? String.fromCharCode(b) : octal(b))).join('')}"`;
}
