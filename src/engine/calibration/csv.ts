/**
 * Rows of a comma-separated file (RFC 4180: quoted fields may hold commas, quotes doubled and line breaks); empty lines
 * are left out. One at a time: all rows of a large file together take many times its size.
 */
export function* parseCsv(text: string): Generator<string[], void> {
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const endRow = (): string[] => {
    const ended = [...row, field];
    row = [];
    field = '';
    return ended;
  };
  const isEmpty = (ended: readonly string[]): boolean => ended.length === 1 && ended[0] === '';
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const ch = text[i];
    if (quoted) {
      if (ch !== '"') field += ch;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (ch === '"' && field === '') {
      quoted = true;
    } else if (ch === ',') {
      row.push(field);
      field = '';
    } else if (ch === '\n') {
      const ended = endRow();
      if (!isEmpty(ended)) yield ended;
    } else if (ch !== '\r') {
      field += ch;
    }
  }
  if (field !== '' || row.length > 0) yield endRow();
}
