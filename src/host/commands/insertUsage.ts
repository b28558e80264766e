import * as vscode from 'vscode';
import type { Usage } from '../../engine/codegen/usageTypes';
import { includesHeader, usageInsertions } from '../sources/usageInsertion';

/** What a program begins with on a microcontroller. */
const ENTRY = /\b(?:int|void)\s+(?:main|app_main|setup)\s*\(/;
const CANDIDATES = '**/{main.c,main.cpp,main.cc,main.cxx,*.ino}';
const ELSEWHERE = '**/{node_modules,.git,.pio,build,out,lib,libraries,Drivers,Middlewares}/**';
const MAX_CANDIDATES = 50;

/**
 * Inserts what runs a network into the project's main source, unsaved and as one step that can be undone; where it
 * includes the network's header already, only shows it. A project without such a source gets an unsaved one.
 */
export async function insertUsage(project: vscode.Uri, usage: Usage): Promise<void> {
  const main = await mainSource(project);
  if (!main) {
    const content = usageInsertions('', usage)[0].text;
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'c', content }));
    return;
  }
  const document = await vscode.workspace.openTextDocument(main);
  const text = document.getText();
  if (includesHeader(text, usage)) {
    await show(document, text.indexOf(`#include ${usage.includes[usage.includes.length - 1]}`));
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} already uses the network.', vscode.workspace.asRelativePath(main)),
    );
    return;
  }
  const insertions = usageInsertions(text, usage);
  const edit = new vscode.WorkspaceEdit();
  for (const insertion of insertions) edit.insert(main, document.positionAt(insertion.offset), insertion.text);
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new Error(vscode.l10n.t('{0} cannot be edited.', vscode.workspace.asRelativePath(main)));
  await show(document, insertions[0].offset);
}

async function show(document: vscode.TextDocument, offset: number): Promise<void> {
  const at = document.positionAt(Math.max(0, offset));
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
}

/** The source that the program begins in; the user picks where there are several. Undefined: there is none. */
async function mainSource(project: vscode.Uri): Promise<vscode.Uri | undefined> {
  const found = await vscode.workspace.findFiles(
    new vscode.RelativePattern(project, CANDIDATES),
    ELSEWHERE,
    MAX_CANDIDATES,
  );
  const texts = await Promise.all(
    found.map(async (uri) => ({ uri, text: new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)) })),
  );
  const mains = texts.filter(({ text }) => ENTRY.test(text)).map(({ uri }) => uri);
  if (mains.length < 2) return mains[0];
  const items = mains.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  const item = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('Which source file should run the network?'),
  });
  if (!item) throw new vscode.CancellationError();
  return item.uri;
}
