/*
 * Marked blocks: the only lines that we write into build files of a user's. They begin and end with a comment that
 * names the model, so that they can be replaced and taken out again, to the byte.
 *
 *     # >>> quantmcu gauge
 *     add_subdirectory(lib/gauge)
 *     # <<< quantmcu gauge
 */

const open = (name: string): string => `# >>> quantmcu ${name}`;
const close = (name: string): string => `# <<< quantmcu ${name}`;

/** Lines with their line ends; joined they give the text. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Lines of a text that lie in no block of ours, with their indices: what the user wrote. */
export function ownLines(text: string): { readonly line: string; readonly index: number }[] {
  let inside = false;
  return splitLines(text).flatMap((line, index) => {
    const mark = /^\s*# (>>>|<<<) quantmcu \w+\s*$/.exec(line)?.[1];
    const ours = inside || mark !== undefined;
    if (mark !== undefined) inside = mark === '>>>';
    return ours ? [] : [{ line, index }];
  });
}

/** The user's lines as one text, without what is commented out by `#`. */
export function ownText(text: string): string {
  return ownLines(text)
    .map(({ line }) => line.replace(/(^|\s)#.*/, '$1'))
    .join('');
}

/**
 * Puts a block before a line. At the end of a text without a final line end the block has none either, so that {@link
 * withoutBlocks} gives back the same bytes.
 *
 * @param at index of the line that comes after the block; the number of lines for the end
 */
export function withBlock(text: string, name: string, at: number, content: readonly string[], indent = ''): string {
  const lines = splitLines(text);
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const block = [open(name), ...content, close(name)].map((line) => indent + line);
  const unfinished = at === lines.length && at > 0 && !lines[at - 1].endsWith('\n');
  const inserted = unfinished ? end + block.join(end) : block.map((line) => line + end).join('');
  return lines.slice(0, at).join('') + inserted + lines.slice(at).join('');
}

/** Takes out all blocks of a model. A block that is not closed is left alone: it is not known where it ends. */
export function withoutBlocks(text: string, name: string): string {
  const lines = splitLines(text);
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const end = lines[i].trim() === open(name) ? closing(lines, i, name) : -1;
    if (end < 0) {
      kept.push(lines[i]);
      continue;
    }
    // A block without a final line end brought the line end before it.
    if (!lines[end].endsWith('\n') && kept.length > 0) kept.push(kept.pop()!.replace(/\r?\n$/, ''));
    i = end;
  }
  return kept.join('');
}

function closing(lines: readonly string[], from: number, name: string): number {
  for (let i = from + 1; i < lines.length; i++) {
    const line = lines[i].trim();
    if (line === close(name)) return i;
    if (/^# >>> quantmcu /.test(line)) return -1;
  }
  return -1;
}

/** The lines of a model's blocks, marks included; equal where its blocks say the same, wherever they are. */
export function blocksOf(text: string, name: string): string[] {
  const lines = splitLines(text).map((line) => line.trim());
  return lines.flatMap((line, i) => {
    const end = line === open(name) ? closing(lines, i, name) : -1;
    return end < 0 ? [] : lines.slice(i, end + 1);
  });
}
