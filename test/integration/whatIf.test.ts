import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { ModelDocument } from '../../src/host/editor/document';
import { EngineClient } from '../../src/host/engineClient/client';
import { workerThread } from '../../src/host/engineClient/transport';
import { projectRoot } from '../support/paths';
import { smallModel, until, workspacePath, writeImages } from './fixtures';
import { entropyRequest } from '../support/entropyRequest';

describe("what-if in the plan's text", () => {
  let engine: EngineClient;
  let document: ModelDocument;
  let planPath: string;

  before(async () => {
    // The server's default saves what is typed after a second.
    await vscode.workspace.getConfiguration('files').update('autoSave', 'off', vscode.ConfigurationTarget.Global);
    engine = new EngineClient(workerThread(`${projectRoot}/dist/worker.js`), {
      info: () => undefined,
      error: () => undefined,
    });
    mkdirSync(workspacePath('whatIf'), { recursive: true });
    const model = vscode.Uri.file(workspacePath('whatIf', 'net.onnx'));
    planPath = workspacePath('whatIf', 'net.quantmcu.json');
    writeFileSync(model.fsPath, smallModel());
    writeImages(workspacePath('whatIf', 'images'), 4, 40);
    await engine.run((e) =>
      e.quantize({
        modelPath: model.fsPath,
        planPath,
        imagesPath: workspacePath('whatIf', 'images'),
        ...entropyRequest,
        grid: 'none',
        limit: 0,
      }),
    );
    document = new ModelDocument(model, engine);
  });
  after(async () => {
    document.dispose();
    engine.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const text = (): string => readFileSync(planPath, 'utf8');

  it('changes the saved text, tells figures at once and the view after it, and takes it back', async () => {
    const view = await document.view();
    const layer = view.model.layers.find(({ plan }) => plan?.weightBits === 8)!;
    const before = text();
    let previews = 0;
    let changes = 0;
    document.onDidPreview(() => previews++);
    document.onDidChange(() => changes++);
    await document.change({ kind: 'weightBits', layer: layer.id, bits: 4 });
    assert.equal(previews, 1);
    const after = text();
    assert.notEqual(after, before);
    assert.equal(
      vscode.workspace.textDocuments.some(({ isDirty }) => isDirty),
      false,
    );
    await until('the view to follow', () => changes > 0);
    assert.equal((await document.view()).model.layers[layer.id].plan!.weightBits, 4);
    assert.equal(await document.history.undo(), true);
    assert.equal(text(), before);
    assert.equal(await document.history.redo(), true);
    assert.equal(text(), after);
    assert.equal(await document.history.undo(), true);
    assert.equal(await document.history.undo(), false);
  });

  it('leaves the text alone when a change is not possible', async () => {
    const before = text();
    await assert.rejects(document.change({ kind: 'patchClass', branch: 0, class: 'outlier' }), /layer by layer/);
    assert.equal(text(), before);
  });

  it('undoes nothing that somebody else has changed since, and does not save what is being typed', async () => {
    const layer = (await document.view()).model.layers.find(({ plan }) => plan?.weightBits === 8)!;
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(planPath));
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 1), ' '));
    const saved = text();
    await document.change({ kind: 'weightBits', layer: layer.id, bits: 4 });
    assert.equal(text(), saved);
    assert.equal(editor.document.isDirty, true);
    assert.match(editor.document.getText(), /"weightBits":4/);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 1), ' '));
    assert.equal(await document.history.undo(), false);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    assert.equal(text(), saved);
  });
});
