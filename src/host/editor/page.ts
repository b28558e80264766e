import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** What the page may load: its own bundle and nothing else. */
export function pageRoots(extension: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extension, 'dist', 'webview')];
}

/** The page's HTML. No model data is in it: everything arrives by message, and the page's script puts it in as text. */
export function pageHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  // The toolkit probes :focus-visible with a style element of its own and takes the nonce for it from this meta
  // element.
  const styleNonce = randomBytes(16).toString('base64');
  const asset = (name: string) =>
    escapeAttribute(webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', 'webview', name)).toString());
  const policy =
    `default-src 'none'; style-src ${webview.cspSource} 'nonce-${styleNonce}'; font-src ` +
    `${webview.cspSource}; img-src ${webview.cspSource} data:; script-src 'nonce-${nonce}'`;
  const texts = escapeAttribute(JSON.stringify(vscode.l10n.bundle ?? {}));
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(vscode.env.language)}" data-l10n="${texts}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(policy)}">
<meta property="csp-nonce" content="${styleNonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>QuantMCU</title>
<link rel="stylesheet" href="${asset('main.css')}">
</head>
<body>
<script nonce="${nonce}" src="${asset('main.js')}"></script>
</body>
</html>`;
}

/** A page of one sentence, in place of a version of a model. */
export function versionHtml(text: string): string {
  const policy = "default-src 'none'";
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(vscode.env.language)}">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"></head>
<body><p>${escapeAttribute(text)}</p></body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
