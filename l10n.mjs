// Texts for translators: `node l10n.mjs` writes l10n/bundle.l10n.json, every message of the extension host
// (`vscode.l10n.t`) and of the editor's page (`t` of webview/l10n.ts), in order of appearance, and takes messages that
// are gone out of the translations. `--check` writes nothing and lists what is missing, in it and in each translation.
// By TypeScript's own parser: @vscode/l10n-dev knows `vscode.l10n.t` alone, and brings 100 packages.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = import.meta.dirname;
const bundle = path.join(root, 'l10n/bundle.l10n.json');

/** The text of a literal, or of several joined by +; undefined for anything else. @param {ts.Expression} node */
function literalText(node) {
  if (ts.isParenthesizedExpression(node)) return literalText(node.expression);
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
  const [left, right] = [literalText(node.left), literalText(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}

/** Messages of a TypeScript file. A message that is no literal cannot be translated, and fails. @param {string} file */
function messagesOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const messages = [];
  const visit = (node) => {
    if (
      ts.isCallExpression(node) &&
      (/(^|\.)l10n\.t$/.test(node.expression.getText()) ||
        (file.includes('webview') && node.expression.getText() === 't'))
    ) {
      const [message] = node.arguments;
      const all = ts.isConditionalExpression(message) ? [message.whenTrue, message.whenFalse] : [message];
      for (const literal of all) {
        const text = literalText(literal);
        if (text === undefined) throw new Error(`${file}: ${node.getText()} is given no literal.`);
        messages.push(text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return messages;
}

const filesIn = (folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((name) => path.join(root, folder, name));

/** All messages under some folders, each once. @param {string[]} folders @returns {string[]} */
export function messagesIn(folders) {
  return [
    ...new Set(
      folders
        .flatMap(filesIn)
        .filter((file) => !file.endsWith(path.join('webview', 'l10n.ts')))
        .flatMap(messagesOf),
    ),
  ];
}

/** @param {string} file @returns {Record<string, string>} */
export const readTexts = (file) =>
  existsSync(path.join(root, file)) ? JSON.parse(readFileSync(path.join(root, file), 'utf8')) : {};

if (process.argv[1] === import.meta.filename) {
  const messages = messagesIn(['src/host', 'webview']);
  if (process.argv.includes('--check')) {
    const missing = readdirSync(path.join(root, 'l10n'))
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        const texts = readTexts(`l10n/${name}`);
        return messages
          .filter((message) => !Object.hasOwn(texts, message))
          .map((message) => `l10n/${name}: ${JSON.stringify(message)}`);
      });
    if (missing.length > 0) console.log(missing.join('\n'));
    process.exitCode = missing.length > 0 ? 1 : 0;
  } else {
    writeFileSync(
      bundle,
      `${JSON.stringify(Object.fromEntries(messages.map((message) => [message, message])), null, 2)}\n`,
    );
    for (const name of readdirSync(path.join(root, 'l10n')).filter((file) => /^bundle\.l10n\..+\.json$/.test(file))) {
      if (path.join(root, 'l10n', name) === bundle) continue;
      const texts = readTexts(`l10n/${name}`);
      const kept = messages.filter((message) => Object.hasOwn(texts, message));
      writeFileSync(
        path.join(root, 'l10n', name),
        `${JSON.stringify(Object.fromEntries(kept.map((message) => [message, texts[message]])), null, 2)}\n`,
      );
      console.log(`${name}: ${messages.length - kept.length} of ${messages.length} messages are not translated`);
    }
    console.log(`${messages.length} messages`);
  }
}
