/* Rules of files that no linter reads: C, styles and figures. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from '../../support/paths';

/** Files below a folder of the project, by their endings. */
function files(folder: string, endings: RegExp): string[] {
  return readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.test(name))
    .map((name) => path.join(folder, name));
}
const linesOf = (file: string): string[] => readFileSync(path.join(projectRoot, file), 'utf8').trimEnd().split('\n');

describe('files', () => {
  it('of C and styles have at most 400 lines of at most 120 characters', () => {
    const found = ['src', 'webview', 'test'].flatMap((folder) => files(folder, /\.(c|h|cpp|css)$/));
    assert.ok(found.length > 80);
    for (const file of found) {
      const lines = linesOf(file);
      assert.ok(lines.length <= 400, `${file} has ${lines.length} lines`);
      for (const [i, line] of lines.entries()) assert.ok([...line].length <= 120, `${file}:${i + 1}`);
    }
  });

  it('of figures are wrapped at 120 characters, tables and commands aside', () => {
    const found = files('test/bench', /\.md$/);
    assert.ok(found.length > 10);
    for (const file of found)
      for (const [i, line] of linesOf(file).entries())
        assert.ok([...line].length <= 120 || /^(\||`| {4})/.test(line), `${file}:${i + 1}`);
  });

  it('of figures begin with what was asked, the answer, and the command that repeats it', () => {
    for (const file of files('test/bench', /\.md$/)) {
      const text = linesOf(file)
        .slice(2)
        .join('\n')
        .split('\n\n')[0]
        .replace(/\n {2,}/g, ' ');
      const [asked, answer, command, ...more] = text.split('\n');
      assert.match(asked, /^- Asked: .*[?]$/, file);
      assert.match(answer ?? '', /^- Answer: .*\d/, file);
      assert.match(command ?? '', /^- Command: `(npm run|node) [^`]+`/, file);
      assert.deepEqual(more, [], file);
    }
  });
});
