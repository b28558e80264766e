import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../support/paths';

type Texts = Record<string, string>;
interface Extractor {
  messagesIn(folders: readonly string[]): string[];
}

const read = (file: string): Texts => JSON.parse(readFileSync(path.join(projectRoot, file), 'utf8')) as Texts;
const placeholders = (text: string): string[] => (text.match(/\{\d+\}/g) ?? []).sort();
const translations = readdirSync(path.join(projectRoot, 'l10n')).flatMap(
  (name) => /^bundle\.l10n\.(.+)\.json$/.exec(name)?.[1] ?? [],
);

describe('translations', () => {
  let messages: string[];
  let host: string[];
  before(async () => {
    // A module of its own that esbuild must not bundle.
    const { messagesIn } = (await import(pathToFileURL(path.join(projectRoot, 'l10n.mjs')).href)) as Extractor;
    messages = messagesIn(['src/host', 'webview']);
    host = messagesIn(['src/host']);
  });

  it('there is one at least', () => assert.ok(translations.includes('de')));

  it('every message of the extension host is in the bundle and in each translation', () => {
    for (const file of ['bundle.l10n.json', ...translations.map((language) => `bundle.l10n.${language}.json`)]) {
      const texts = read(`l10n/${file}`);
      assert.deepEqual(
        host.filter((message) => !texts[message]),
        [],
        `${file}: run node l10n.mjs, then translate`,
      );
    }
  });

  it('keep the places of their arguments, and cover nearly all of the page', () => {
    for (const language of translations) {
      const texts = read(`l10n/bundle.l10n.${language}.json`);
      const missing = messages.filter((message) => !Object.hasOwn(texts, message));
      assert.ok(missing.length < messages.length / 20, `${language}: ${missing.join('\n')}`);
      for (const [message, text] of Object.entries(texts)) {
        assert.deepEqual(
          [...new Set(placeholders(text))],
          [...new Set(placeholders(message))],
          `${language}: ${message}`,
        );
      }
    }
  });

  it('every text of package.json has a key, every key is used, in each language', () => {
    const manifest = readFileSync(path.join(projectRoot, 'package.json'), 'utf8');
    const used = [...new Set([...manifest.matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key))].sort();
    for (const file of ['package.nls.json', ...translations.map((language) => `package.nls.${language}.json`)]) {
      const texts = read(file);
      assert.deepEqual(Object.keys(texts).sort(), used, file);
      for (const [key, text] of Object.entries(texts)) assert.ok(text.trim() !== '', `${file}: ${key}`);
    }
    // Commands and code stay as they are in every language.
    const links = (text: string): string[] => (text.match(/\(command:[\w.]+\)|`[^`]+`/g) ?? []).sort();
    for (const language of translations) {
      const [own, english] = [read(`package.nls.${language}.json`), read('package.nls.json')];
      for (const key of used) assert.deepEqual(links(own[key]), links(english[key]), `${language}: ${key}`);
    }
  });

  it('package.json has no text for people without a key', () => {
    const { contributes } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
      contributes: unknown;
    };
    const shown = new Set(
      (
        'title shortTitle markdownDescription description displayName userDescription patternErrorMessage altText ' +
        'enumDescriptions'
      ).split(' '),
    );
    const bare: string[] = [];
    const visit = (value: unknown, key: string): void => {
      if (typeof value === 'string') {
        if (shown.has(key) && !/^%.+%$/.test(value) && value !== 'QuantMCU') bare.push(value);
      } else if (Array.isArray(value)) value.forEach((item) => visit(item, key));
      else if (typeof value === 'object' && value !== null)
        for (const [name, item] of Object.entries(value)) if (name !== 'inputSchema') visit(item, name);
    };
    visit(contributes, '');
    assert.deepEqual(bare, []);
  });
});
