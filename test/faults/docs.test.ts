import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import schema from '../../media/schema/plan.schema.json';
import { targets } from '../../src/engine/targets/targets';
import { projectRoot } from '../support/paths';

const page = (name: string): string => fs.readFileSync(path.join(projectRoot, 'docs', name), 'utf8');

/** A table's row without its padding. */
const cells = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** Documentation that repeats what the code says has to follow it. */
describe('documentation', () => {
  it('targets.md has a row for every board, with its name, clock and source', () => {
    const rows = page('targets.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    assert.equal(rows.length, targets.length);
    for (const { id, name, core, clockMHz, source } of targets) {
      const row = rows.map(cells).find((r) => r[0] === `\`${id}\``);
      assert.ok(row, `no row for ${id}`);
      for (const part of [name, core, String(clockMHz), source]) assert.ok(row.includes(part), `${id}: ${part}`);
    }
  });

  it('sidecar.md names every key of the schema', () => {
    const text = page('sidecar.md');
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'properties')
          for (const name of Object.keys(value as object))
            assert.match(text, new RegExp(`\\b${name.replace('$', '\\$')}\\b`), name);
        visit(value);
      }
    };
    const { $schema: _editorOnly, ...properties } = schema.properties;
    visit({ properties });
  });

  it('architecture.md has a row for every floor of the engine, and nothing lies beside the floors', async () => {
    const config = (await import(pathToFileURL(path.join(projectRoot, 'eslint.config.mjs')).href)) as {
      floors: readonly string[];
    };
    const folders = fs.readdirSync(path.join(projectRoot, 'src/engine'));
    assert.deepEqual([...config.floors].sort(), folders.sort());
    const rows = page('architecture.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => cells(line)[0]);
    for (const floor of config.floors)
      assert.ok(
        rows.some((row) => row.includes(`\`${floor}\``)),
        floor,
      );
  });

  it('links and files that are named exist', () => {
    for (const name of fs.readdirSync(path.join(projectRoot, 'docs')).filter((file) => file.endsWith('.md'))) {
      const text = page(name);
      for (const [, link] of text.matchAll(/\]\(((?!https?:)[^)#]+)/g))
        assert.ok(fs.existsSync(path.join(projectRoot, 'docs', link)), `${name}: ${link}`);
      for (const [, file] of text.matchAll(/`((?:src|test|media)\/[\w./-]+)(?: |`)/g)) {
        if (file.includes('NAME') || file === 'src/main.c') continue; // places in the user's project
        assert.ok(fs.existsSync(path.join(projectRoot, file.replace(/\/$/, ''))), `${name}: ${file}`);
      }
    }
  });
});
